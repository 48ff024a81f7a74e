"""The table of one patient's matches, as stable JSON and as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cds_service.cards.text import clean
from fhir_mappings.assess import Enrolment
from fhir_mappings.trials import (
    CriterionRow,
    Matches,
    StudyList,
    StudyMatch,
    TrialProfile,
    TrialVocabulary,
    criterion_rows,
    list_state,
    not_checked,
    why,
)


def match_report(
    matches: Matches,
    profile: TrialProfile,
    lists: Sequence[StudyList],
    vocabulary: TrialVocabulary,
    enrolled: Enrolment | None = None,
) -> dict[str, Any]:
    """``list`` and ``studies`` (best first), and ``excluded``: those that the record disagrees with.

    A patient who is on a study has ``enrolled`` and no studies. Absent facts are left out.
    """
    state = list_state(lists, vocabulary)
    found: dict[str, Any] = {
        "list": _stated(
            {
                "source": state.source,
                "asOf": state.as_of.text if state.as_of else "",
                "complete": state.complete,
                "faults": list(state.faults),
            }
        )
    }
    if enrolled is not None:
        study = enrolled.label or enrolled.study
        found["enrolled"] = {"study": study, "status": enrolled.state, "resource": enrolled.resource}
        return {**found, "studies": [], "excluded": []}
    found["studies"] = [_study(one, profile, vocabulary) for one in matches.candidates]
    found["excluded"] = [_study(one, profile, vocabulary) for one in matches.not_listed]
    return found


def report_as_text(report: Mapping[str, Any]) -> str:
    """The same table to read in a terminal."""
    return "\n".join(_lines(report)) + "\n"


def _study(match: StudyMatch, profile: TrialProfile, vocabulary: TrialVocabulary) -> dict[str, Any]:
    placed, study = match.placed, match.placed.study
    rows = criterion_rows(match, profile, vocabulary)
    site = placed.site
    place = ", ".join(part for part in (site.name, site.city, site.country) if part) if site else ""
    return _stated(
        {
            "id": study.id,
            "link": study.link,
            "title": study.title,
            "status": vocabulary.status(study.status),
            "statusDate": study.status_date.text if study.status_date else "",
            "phase": vocabulary.phase(study.phase),
            "interventions": list(study.interventions),
            "site": place,
            "distanceKm": None if placed.distance_km is None else round(placed.distance_km, 1),
            "contact": (site.contact if site else "") or study.contact,
            "criteria": [_criterion(row) for row in rows],
            "notChecked": list(not_checked(match, vocabulary)),
            "why": why(match, rows, vocabulary),
        },
        keep=("interventions", "criteria", "notChecked"),
    )


def _criterion(row: CriterionRow) -> dict[str, str]:
    return _stated(
        {
            "what": row.what,
            "expected": row.expected,
            "found": row.found.text,
            "date": row.found.date,
            "resource": row.found.resource,
            "verdict": row.verdict.value,
        }
    )


def _stated(values: Mapping[str, Any], keep: Sequence[str] = ()) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key in keep or value not in (None, "", [])}


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    state = report["list"]
    yield f"List: {clean(state['source'])}" + ("" if state["complete"] else " (incomplete)")
    for fault in state.get("faults", ()):
        yield f"  {clean(fault)}"
    if enrolled := report.get("enrolled"):
        yield f"On a study: {clean(enrolled['study'])} ({clean(enrolled['status'])})"
        return
    if not report["studies"]:
        yield "No open study found."
    for number, study in enumerate(report["studies"], start=1):
        yield ""
        yield from _study_lines(f"{number}.", study)
    if report["excluded"]:
        yield ""
        yield "Not listed, because the record disagrees:"
    for study in report["excluded"]:
        yield from _study_lines("-", study)


def _study_lines(mark: str, study: Mapping[str, Any]) -> Iterator[str]:
    yield f"{mark} {clean(study['id'])}  {clean(study['title'])}"
    facts = [study.get("phase", ""), study.get("status", ""), study.get("statusDate", "")]
    yield f"   {'; '.join(clean(fact) for fact in facts if fact)}"
    away = f"{study['distanceKm']} km" if "distanceKm" in study else ""
    place = [study.get("site", ""), away, study.get("contact", ""), study.get("link", "")]
    if stated := [clean(part) for part in place if part]:
        yield f"   {'; '.join(stated)}"
    for row in study["criteria"]:
        where = ", ".join(clean(row[key]) for key in ("date", "resource") if row.get(key))
        found = f"{clean(row['found'])} ({where})" if where else clean(row["found"])
        yield f"   {row['verdict']:<8} {clean(row['what'])}: expected {clean(row['expected'])}, found {found}"
    if study["notChecked"]:
        yield f"   not checked: {'; '.join(clean(item) for item in study['notChecked'])}"
    yield f"   {clean(study['why'])}"
