"""Molecular recurrence: MRD that comes back, rises or persists below the level of a relapse (D-07)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import takewhile

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.moments import within_days
from fhir_mappings.clinical.samples import Sample
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.relapse.episodes import Course
from fhir_mappings.relapse.usable_results import View


class MrdTrend(Enum):
    """What the latest MRD says beside the earlier ones of the same specimen kind and method."""

    BACK = "back"
    RISING = "rising"
    PERSISTS = "persists"


@dataclass(frozen=True, slots=True)
class MolecularFinding:
    """The latest MRD, how it stands to the earlier ones, and the one that says so.

    ``beside`` is the last negative MRD, or the lower value before a rise; None where MRD was never negative.
    ``is_suspicious``: it reaches the level from which the status is a suspicion.
    """

    trend: MrdTrend
    latest: Sample
    beside: Sample | None
    is_suspicious: bool


def molecular_finding(course: Course, view: View, knowledge: Knowledge) -> MolecularFinding | None:
    """What the latest MRD since the last remission shows, if it is below a relapse and above nothing."""
    relapsed = bool(course.episodes) and course.episodes[-1].after is None
    if relapsed or course.remission is None or not course.window.mrd:
        return None
    latest = course.window.mrd[-1]
    recent = within_days(latest.day, view.today, knowledge.whole("alert_window_days")) is not Answer.NO
    if not recent or latest.value.is_at_least(knowledge.number("contradicting_mrd_below")) is not Answer.NO:
        return None
    earlier = [one for one in course.window.mrd[:-1] if _series(one) == _series(latest)]
    high = latest.value.is_at_least(knowledge.number("mrd_recurrence_at_least")) is Answer.YES
    floor = knowledge.number("mrd_negative_below")
    negative = [one for one in earlier if one.value.is_at_least(floor) is Answer.NO]
    if not negative:
        return MolecularFinding(MrdTrend.PERSISTS, latest, None, False) if high else None
    if high:
        return MolecularFinding(MrdTrend.BACK, latest, negative[-1], True)
    lower = _lower_before(latest, earlier, knowledge)
    return MolecularFinding(MrdTrend.RISING, latest, lower, False) if lower is not None else None


def returned_mrd(course: Course, view: View, knowledge: Knowledge) -> MolecularFinding | None:
    """The finding after a treated relapse, where MRD that merely persists is the response itself."""
    found = molecular_finding(course, view, knowledge)
    return None if found is None or found.trend is MrdTrend.PERSISTS else found


def _series(sample: Sample) -> tuple[str, str]:
    """Values of one specimen kind and one method can be compared."""
    return sample.result.specimen.value, sample.result.method.casefold().strip()


def _lower_before(latest: Sample, earlier: list[Sample], knowledge: Knowledge) -> Sample | None:
    """A positive value since the last negative one that is certainly lower and a week older."""
    floor, days = knowledge.number("mrd_negative_below"), knowledge.whole("mrd_rising_days")
    if latest.value.is_at_least(floor) is not Answer.YES or latest.value.low is None:
        return None
    since = list(takewhile(lambda one: one.value.is_at_least(floor) is Answer.YES, reversed(earlier)))
    for one in since:
        apart = (latest.day.first - one.day.last).days >= days
        if apart and one.value.most < latest.value.low:
            return one
    return None
