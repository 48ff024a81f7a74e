"""What an empty part of the page means: nothing there, nothing read, or nothing asked for.

What was not read is never described as not on record.
"""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.evaluation.evaluator import Evaluation
from cds_service.timeline.naming import UNITS, label
from fhir_mappings.assess import (
    Availability,
    Knowledge,
    NeedState,
    Status,
    has_all_diagnosis,
    results_seen,
)

_COURSE = ("conditions", "procedures", "careplans")
"""The needs that date the phases of the disease."""


@dataclass(frozen=True, slots=True)
class EmptyParts:
    """What stands where a part of the page has no rows, and what the reader can do about it."""

    criteria: str
    left_out: str
    samples: str
    events: str
    notice: str


def unread_panels(evaluation: Evaluation) -> frozenset[str]:
    """The panels whose results were not read, or not to their end."""
    return frozenset(key for key in UNITS if _is_unread(evaluation.states.get(key)))


def empty_parts(evaluation: Evaluation, knowledge: Knowledge) -> EmptyParts:
    """What the page says where it has nothing to show."""
    unread = unread_panels(evaluation)
    return EmptyParts(
        criteria=_criteria(evaluation),
        left_out=_left_out(evaluation, unread),
        samples=_samples(unread, knowledge),
        events=_events(evaluation),
        notice=_notice(evaluation),
    )


def silent_status(evaluation: Evaluation, knowledge: Knowledge) -> str:
    """Which words stand for an answer without a finding (``timeline.status``)."""
    found = evaluation.assessment
    if found.missing_needs or found.status is Status.NOT_EVALUABLE:
        return "not-evaluable"
    if found.status is Status.OUT_OF_SCOPE:
        return "out-of-scope"
    if any(person.deceased for person in evaluation.facts.persons):
        return "deceased"
    if not has_all_diagnosis(evaluation.facts):
        return "no-leukaemia"
    return "none" if any(True for _ in results_seen(evaluation.facts, knowledge)) else "no-results"


def _is_unread(state: NeedState | None) -> bool:
    return state is None or state.availability is Availability.UNKNOWN


def _criteria(evaluation: Evaluation) -> str:
    if evaluation.assessment.missing_needs:
        return "No criterion was applied: what they ask for could not be read."
    return "No criterion was applied: nothing that was read called for it."


def _left_out(evaluation: Evaluation, unread: frozenset[str]) -> str:
    if evaluation.assessment.missing_needs:
        return "Nothing can be said of what was not read."
    if unread:
        return "Nothing of what was read was left out."
    return "Nothing that bears on the disease was left out."


def _samples(unread: frozenset[str], knowledge: Knowledge) -> str:
    if not unread:
        return "No dated sample of marrow, blood, cerebrospinal fluid or MRD is on record."
    named = [label(knowledge, f"panel.{key}").partition(",")[0] for key in UNITS if key in unread]
    rest = "" if len(unread) == len(UNITS) else " Of the others no dated sample is on record."
    return f"Not read: {', '.join(named)}.{rest}"


def _events(evaluation: Evaluation) -> str:
    if any(_is_unread(evaluation.states.get(key)) for key in _COURSE):
        return "No phase of the disease can be shown: not everything that dates them was read."
    return "No phase of the disease is on record."


def _notice(evaluation: Evaluation) -> str:
    if any(state.reason == "unauthorised" for state in evaluation.states.values()):
        return "The session at the record server is over. Open this page again from the record."
    return ""
