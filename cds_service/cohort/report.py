"""The report of a run: one page of counts, to be printed. It loads nothing and names no patient."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader

from fhir_mappings.assess import Knowledge

SMALL = 5
"""Counts below this are not shown, unless asked for."""

MEANINGS = {
    "relapse": "a criterion of the deciding set is met, or the relapse is coded",
    "probable": "a relapse that something still speaks against, or that is in doubt",
    "suspect": "a finding that needs a sample",
    "refractory": "disease that never went into remission",
    "persistent": "residual disease after treatment",
    "none": "ALL, and no relapse in data that were seen",
    "out-of-scope": "another leukaemia only",
    "not-evaluable": "data that are needed were not seen or not understood",
    "refused": "the service would refuse the call: another patient's data, a merged or an older record",
}
_MOST_REASONS = 5


class Counts:
    """Writes counts, small ones only where that was asked for."""

    def __init__(self, small_cells: bool) -> None:
        self._small_cells = small_cells

    def is_small(self, number: int) -> bool:
        """Whether a count must not be told."""
        return 0 < number < SMALL and not self._small_cells

    def text(self, number: int) -> str:
        """The count, with separators."""
        return f"<{SMALL}" if self.is_small(number) else f"{number:,}"

    def parts(self, numbers: Sequence[int]) -> list[str]:
        """Counts that add up to a total that is told. Where one alone is small, the total would tell it, so
        that the smallest of the others is not told exactly either."""
        texts = [self.text(number) for number in numbers]
        told = [number for number in numbers if number >= SMALL]
        if sum(map(self.is_small, numbers)) == 1 and told:
            texts[numbers.index(min(told))] = f"≥{SMALL}"
        return texts

    def share(self, part: int, whole: int) -> str:
        """A percentage; that of a small count would tell it."""
        if not whole or self.is_small(part) or self.is_small(whole):
            return "–" if not self.is_small(part) else f"<{SMALL}"
        return f"{100 * part / whole:.1f} %"

    def rate(self, part: int, whole: int) -> str:
        """Per 1,000."""
        if not whole or self.is_small(part) or self.is_small(whole):
            return "–" if not self.is_small(part) else f"<{SMALL}"
        return f"{1000 * part / whole:,.2f}"


def report_html(summary: Mapping[str, Any], knowledge: Knowledge, software: str, *, small_cells: bool) -> str:
    """The page of a summary (the content of summary.json)."""
    counts = Counts(small_cells)
    environment = Environment(
        loader=PackageLoader("cds_service.cohort"),
        autoescape=True,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    patients, opened = summary["patients"], summary["opened"]
    unmapped, rare = _unmapped(summary["unmapped"], counts)
    return environment.get_template("report.html").render(
        title="What the relapse service would have said",
        at=summary["at"],
        knowledge=summary["knowledge"],
        software=software,
        patients=counts.text(patients),
        opened=counts.text(opened),
        with_cards=counts.text(summary["withCards"]),
        per_thousand=counts.rate(summary["withCards"], patients),
        errors=counts.text(summary["errors"]) if summary["errors"] else "",
        errors_words="line or file" if summary["errors"] == 1 else "lines or files",
        unasked=_unasked(summary["types"], knowledge),
        statuses=_statuses(summary["status"], opened, counts),
        topics=_topics(summary["topics"], opened, patients, knowledge, counts),
        needs=_needs(summary["attrition"], knowledge, counts),
        missing=[
            f"{_need_title(key, knowledge)}: {counts.text(number)} charts"
            for key, number in summary["missing_needs"].items()
        ],
        unread=counts.text(summary["unread_reports"]),
        charts_with_unread=counts.text(summary["charts_with_unread_reports"]),
        criteria=_criteria(summary["attrition"], knowledge, counts),
        unmapped=unmapped,
        rare=rare,
        masked=not small_cells,
        checksum=summary["checksum"],
    )


def _statuses(found: Mapping[str, int], opened: int, counts: Counts) -> list[dict[str, Any]]:
    always = ("relapse", "probable", "none", "not-evaluable")
    names = [name for name in MEANINGS if name in found or name in always]
    numbers = [found.get(name, 0) for name in names]
    return [
        {
            "name": name,
            "count": text,
            "share": round(100 * number / (opened or 1)) if text == counts.text(number) != "<5" else 0,
            "meaning": MEANINGS[name],
        }
        for name, number, text in zip(names, numbers, counts.parts(numbers), strict=True)
    ]


def _topics(
    found: Mapping[str, int], opened: int, patients: int, knowledge: Knowledge, counts: Counts
) -> list[dict[str, str]]:
    return [
        {
            "title": topic.display,
            "count": counts.text(found[topic.code]),
            "share": counts.share(found[topic.code], opened),
            "rate": counts.rate(found[topic.code], patients),
        }
        for topic in knowledge.card_topics
        if topic.code in found
    ]


def _needs(
    attrition: Sequence[Mapping[str, Any]], knowledge: Knowledge, counts: Counts
) -> list[dict[str, Any]]:
    steps = {step["need"]: step for step in attrition if step["step"] == "need"}
    return [
        {
            "title": need.title,
            "charts": counts.text(steps[need.key]["charts"]),
            "usable": counts.text(steps[need.key]["usable"]),
            "reasons": [
                f"{_reason(why, knowledge)} ({counts.text(number)})"
                for why, number in steps[need.key]["reasons"].items()
            ],
        }
        for need in knowledge.needs
        if need.key in steps
    ]


def _criteria(
    attrition: Sequence[Mapping[str, Any]], knowledge: Knowledge, counts: Counts
) -> list[dict[str, Any]]:
    first = knowledge.default_set.id
    steps = [step for step in attrition if step["step"] == "criterion"]
    return [
        {
            "set": step["set"],
            "id": step["id"],
            **dict(zip(("met", "not_met", "unknown"), _verdicts(step, counts), strict=True)),
            "because": [
                f"{one['what']}: {one['why']} ({counts.text(one['charts'])})"
                for one in step["because"][:_MOST_REASONS]
            ],
        }
        for step in sorted(steps, key=lambda step: (step["set"] != first, step["set"], step["id"]))
    ]


def _verdicts(step: Mapping[str, Any], counts: Counts) -> list[str]:
    return counts.parts([step["met"], step["notMet"], step["unknown"]])


def _unmapped(found: Iterable[Mapping[str, Any]], counts: Counts) -> tuple[list[dict[str, str]], int]:
    """The codes of enough charts: the text of a rare one may be about one patient."""
    every = list(found)
    told = [one for one in every if not counts.is_small(one["charts"])]
    rows = [
        {"code": one["code"] or "(no code)", "text": one["text"], "charts": counts.text(one["charts"])}
        for one in told[:30]
    ]
    return rows, len(every) - len(told)


def _unasked(types: Mapping[str, int], knowledge: Knowledge) -> list[str]:
    return sorted({need.resource_type for need in knowledge.needs if not need.on_request} - types.keys())


def _need_title(key: str, knowledge: Knowledge) -> str:
    return next((need.title for need in knowledge.needs if need.key == key), key)


def _reason(why: str, knowledge: Knowledge) -> str:
    """The words of the knowledge for why a value is not used, without the value."""
    words = knowledge.words.get(f"data.{why}")
    told = words.text.partition(": ")[2].partition(", so ")[0].rstrip(".") if words is not None else ""
    return told if told and "{" not in told else why.replace("-", " ")
