"""The picture as JSON values for the script that draws it. Nothing in it is markup."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from cds_service.cards.text import clean
from cds_service.timeline.naming import (
    UNITS,
    fired_letters,
    fired_text,
    label,
    remarks_text,
    short_set_label,
    threshold_label,
    value_text,
)
from fhir_mappings.assess import (
    Knowledge,
    Level,
    Moment,
    Timeline,
    TimelineMark,
    TimelinePoint,
    TimelineTreatment,
    plain,
)


def picture_of(timeline: Timeline, knowledge: Knowledge, unread: Collection[str] = ()) -> dict[str, Any]:
    """Panels with their samples and lines, phases, marks and treatments; dates are ISO days.

    ``unread`` names the panels whose results were not read.
    """
    return {
        "today": timeline.at.date().isoformat(),
        "panels": [
            {
                "key": key,
                "title": label(knowledge, f"panel.{key}"),
                "unit": unit,
                "unread": key in unread,
                "points": [_point(one, knowledge) for one in timeline.points if one.panel == key],
                "lines": [_line(one, unit, knowledge) for one in timeline.levels if one.panel == key],
            }
            for key, unit in UNITS.items()
        ],
        "phases": [
            {"kind": one.kind, "label": label(knowledge, f"phase.{one.kind}"), **_span(one.start, one.end)}
            for one in timeline.phases
            if one.basis != "undated"
        ],
        "marks": [_mark(one, knowledge) for one in timeline.marks],
        "treatments": _lanes(timeline.treatments),
    }


def _point(point: TimelinePoint, knowledge: Knowledge) -> dict[str, Any]:
    met = fired_text(point.fired, knowledge)
    remarks = remarks_text(point, knowledge)
    words = f"{point.day.text}: {clean(point.what)} {value_text(point, knowledge)}"
    words += f" ({remarks})" if remarks else ""
    return {
        "day": point.day.first.isoformat(),
        "until": point.day.last.isoformat(),
        "low": None if point.low is None else float(point.low),
        "high": None if point.high is None else float(point.high),
        "use": point.use,
        "letters": fired_letters(point.fired, knowledge)
        or (label(knowledge, "other-set") if point.fired else ""),
        "fired": bool(point.fired),
        "value": value_text(point, knowledge),
        "words": label(knowledge, "meets", sample=words, criteria=met) if met else words,
    }


def _line(level: Level, unit: str, knowledge: Knowledge) -> dict[str, Any]:
    chosen = knowledge.default_set.id
    own = [use for use in level.uses if use.criteria_set == chosen]
    keys = [use for use in level.uses if not use.criteria_set]
    uses = own or keys or list(level.uses)
    if own:
        names = ", ".join(use.id for use in own)
    elif keys:
        names = ", ".join(threshold_label(use.id, knowledge, short=True) for use in keys)
    else:
        names = ", ".join(dict.fromkeys(short_set_label(use.criteria_set, knowledge) for use in level.uses))
    bound = f"{uses[0].comparator} {plain(level.value)} {unit}"
    return {"value": float(level.value), "label": f"{bound} · {names}", "default": level.default}


def _mark(mark: TimelineMark, knowledge: Knowledge) -> dict[str, Any]:
    text = label(knowledge, f"mark.{mark.kind}")
    if mark.kind in ("finding", "suspected-finding"):
        place = mark.site.upper() if mark.site == "cns" else mark.site.capitalize()
        site = clean(place or label(knowledge, "site"))
        text = label(knowledge, "found-at" if mark.kind == "finding" else "suspected-at", site=site)
    met = fired_letters(mark.fired, knowledge)
    return {
        "kind": mark.kind,
        "label": f"{text} ({met})" if met else text,
        "fired": bool(mark.fired),
        "day": mark.day.first.isoformat(),
        "until": mark.day.last.isoformat(),
    }


def _lanes(treatments: Iterable[TimelineTreatment]) -> list[dict[str, Any]]:
    """One lane per agent and one for the plans, in order of the first start."""
    lanes: dict[str, dict[str, Any]] = {}
    for one in treatments:
        name = clean(one.title)
        lane = lanes.setdefault(
            name, {"label": name[:1].upper() + name[1:], "plan": not one.agent, "spans": []}
        )
        lane["spans"].append({**_span(one.start, one.end), "running": one.running})
    return list(lanes.values())


def _span(start: Moment, end: Moment | None) -> dict[str, str | None]:
    return {
        "start": start.first.isoformat(),
        "end": None if end is None else end.last.isoformat(),
    }
