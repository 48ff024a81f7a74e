"""The relapse status: where the patient stands at the moment of evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from fhir_mappings.assessment import Status
from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import Facts, Phase, Result
from fhir_mappings.clinical.moments import Moment, within_days
from fhir_mappings.clinical.samples import Sample
from fhir_mappings.clinical.verdict import Evidence, Met
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.knowledge.relapsed_all.criteria import CRITERION
from fhir_mappings.knowledge.thresholds import ThresholdName
from fhir_mappings.relapse.disease import Disease, therapy_around, treated_since
from fhir_mappings.relapse.episodes import Course, Episode, Grade
from fhir_mappings.relapse.molecular import MolecularFinding, molecular_finding, returned_mrd
from fhir_mappings.relapse.scope import LYMPHOBLASTS
from fhir_mappings.relapse.suspicions import (
    NearMiss,
    near_misses,
    preliminary_results,
    unusable_results,
)
from fhir_mappings.relapse.usable_results import View
from fhir_mappings.relapse.words import Quoted
from fhir_mappings.relapse.written_reports import ReadReport


@dataclass(frozen=True, slots=True)
class Persistence:
    """Disease seen after a reinduction, in the marrow or the cerebrospinal fluid."""

    day: Moment
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Status and what it stands on.

    ``phase`` is active or in-remission with a relapse. ``refractory`` are the marrows that show disease
    without a remission, none where a clinician coded it. ``persistent`` is what shows persistence.
    """

    status: Status
    phase: str = ""
    episode: Episode | None = None
    misses: tuple[NearMiss, ...] = ()
    unusable: tuple[Result, ...] = ()
    preliminary: tuple[Result, ...] = ()
    refractory: tuple[Sample, ...] = ()
    persistent: Persistence | None = None
    previous: tuple[Episode, ...] = ()
    in_words: tuple[Quoted, ...] = ()
    """The words that alone make the finding: it is PROBABLE then, to be confirmed in the report."""
    unread: tuple[ReadReport, ...] = ()
    """Reports newer than the last value used of which nothing was understood."""
    molecular: MolecularFinding | None = None
    """MRD that comes back, rises or persists below the level of a relapse (D-07)."""
    untreated: bool = False
    """The event is no news, and nothing was given since (D-12)."""
    reports_unseen: str = ""
    """Why written reports were not seen, in words; empty where they were, or are not wanted."""
    disagreeing: tuple[tuple[Quoted, Result], ...] = ()
    """Words that say another thing than the coded result of the same specimen."""

    @property
    def remission(self) -> str:
        """How the remission before the event is on record, or ``unknown`` (0.3)."""
        before = self.episode.before if self.episode is not None else None
        return before.basis if before is not None else "unknown"


def standing_of(course: Course, view: View, facts: Facts, disease: Disease, knowledge: Knowledge) -> Standing:
    """The status, the newest evidence deciding (reference 0.2, 2.4)."""
    unusable = unusable_results(course, view, knowledge)
    preliminary = preliminary_results(course, view, knowledge)
    last = course.episodes[-1] if course.episodes else None
    # A coded relapse says that there was a remission, also where a measured one stands beside the code.
    if course.remission is None and (last is None or last.coded is None):
        return _without_remission(course, view, disease, knowledge, unusable, preliminary)
    if last is not None and last.after is None:
        active = _active(last, course, view, facts, disease, knowledge, unusable, preliminary)
        if active is not None:
            return active
    elif last is not None and _coded_refractory(disease) is None:
        relapsed = _in_remission(last, course, view, knowledge, unusable, preliminary)
        if relapsed is not None:
            return relapsed
    return _quiet(course, view, knowledge, unusable, preliminary)


def _without_remission(
    course: Course,
    view: View,
    disease: Disease,
    knowledge: Knowledge,
    unusable: tuple[Result, ...],
    preliminary: tuple[Result, ...],
) -> Standing:
    """No remission on record: first presentation, refractory disease, or a remission that is only missing."""
    diagnosed = disease.diagnosed
    late = _refractory_marrows(course, view, diagnosed, knowledge)
    if not disease.certain:
        # Blasts of unstated lineage show no refractory ALL where ALL is only possible (D-01).
        late = tuple(sample for sample in late if sample.result.concept in LYMPHOBLASTS)
    if late:
        return Standing(Status.REFRACTORY, refractory=late, unusable=unusable, preliminary=preliminary)
    if _coded_refractory(disease) is not None:
        return Standing(Status.REFRACTORY, unusable=unusable, preliminary=preliminary)
    if _is_new(diagnosed, view, knowledge):
        return Standing(Status.NONE)
    episode = course.episodes[-1] if course.episodes else None
    if episode is not None and _is_current(episode, course, view, knowledge):
        if diagnosed is None or episode.event.first > diagnosed.last:
            return Standing(Status.PROBABLE, "active", episode, unusable=unusable, preliminary=preliminary)
    return _quiet(course, view, knowledge, unusable, preliminary)


def _refractory_marrows(
    course: Course, view: View, diagnosed: Moment | None, knowledge: Knowledge
) -> tuple[Sample, ...]:
    """Marrows that show an absent remission: two late ones, or one soon after diagnosis (F-02, F-23)."""
    if diagnosed is None:
        return ()
    first = diagnosed.last + timedelta(days=knowledge.whole("remission_after_days"))
    late = tuple(sample for sample in _disease_marrows(course, view, knowledge) if sample.day.first >= first)
    soon = knowledge.whole("refractory_within_days")
    shown = len({sample.day.first for sample in late}) > 1 or any(
        within_days(diagnosed, sample.day, soon) is Answer.YES for sample in late
    )
    return late if shown else ()


def _disease_marrows(course: Course, view: View, knowledge: Knowledge) -> list[Sample]:
    threshold = knowledge.number("suspect_marrow_at_least")
    window = knowledge.whole("alert_window_days")
    latest = course.window.marrow[-1] if course.window.marrow else None
    if latest is None or within_days(latest.day, view.today, window) is Answer.NO:
        return []
    if latest.value.is_at_least(threshold) is not Answer.YES:
        return []
    return [sample for sample in course.window.marrow if sample.value.is_at_least(threshold) is Answer.YES]


def _coded_refractory(disease: Disease) -> object | None:
    return next((found for found in disease.all_diagnoses if found.phase is Phase.REFRACTORY), None)


def _is_new(diagnosed: Moment | None, view: View, knowledge: Knowledge) -> bool:
    if diagnosed is None:
        return False
    return within_days(diagnosed, view.today, knowledge.whole("new_diagnosis_days")) is Answer.YES


def _active(
    episode: Episode,
    course: Course,
    view: View,
    facts: Facts,
    disease: Disease,
    knowledge: Knowledge,
    unusable: tuple[Result, ...],
    preliminary: tuple[Result, ...],
) -> Standing | None:
    if not _is_current(episode, course, view, knowledge):
        return _old_untreated(episode, course, view, facts, disease, knowledge)
    persistent = _persistent(episode, view, facts, disease, knowledge)
    status = Status.RELAPSE
    doubtful = (
        episode.contradicted or episode.disease_open or episode.rival is not None or episode.disagreeing
    )
    if episode.grade is Grade.CONSENSUS or doubtful or _code_not_found(episode, view, knowledge):
        status = Status.PROBABLE
    if persistent is not None and status is Status.RELAPSE:
        status = Status.PERSISTENT
    return Standing(
        status,
        "active",
        episode,
        misses=tuple(miss for miss in near_misses(course, view, knowledge) if miss.kind.startswith("site-")),
        unusable=unusable,
        preliminary=preliminary,
        persistent=persistent,
        previous=course.episodes[:-1],
    )


def _old_untreated(
    episode: Episode, course: Course, view: View, facts: Facts, disease: Disease, knowledge: Knowledge
) -> Standing | None:
    """A marrow over a threshold that is no news, and after which no treatment is on record (D-12)."""
    default = knowledge.default_set.id
    marrow = any(
        isinstance(one.verdict, Met) and one.criteria_set == default and CRITERION[one.id].in_marrow
        for one in episode.results
    )
    if episode.grade is not Grade.DEFAULT or not marrow:
        return None
    if treated_since(episode.event, facts, view, disease, knowledge):
        return None
    misses = near_misses(course, view, knowledge)
    return Standing(Status.PROBABLE, "active", episode, misses=misses, untreated=True)


def _code_not_found(episode: Episode, view: View, knowledge: Knowledge) -> bool:
    """A coded relapse after which both marrow and fluid are clear: the newer results decide (F-29)."""
    if episode.grade is not Grade.CODED or episode.window.findings:
        return False
    below = knowledge.number("remission_marrow_below")
    marrow = [sample for sample in view.marrow if sample.day.first >= episode.event.first]
    taps = [tap for tap in view.taps if tap.draw.day.first >= episode.event.first]
    return (
        bool(marrow)
        and bool(taps)
        and all(sample.value.is_at_least(below) is Answer.NO for sample in marrow)
        and all(tap.draw.blasts is Answer.NO for tap in taps)
    )


def _is_current(episode: Episode, course: Course, view: View, knowledge: Knowledge) -> bool:
    """Whether the event, or disease seen since, lies within the alert window (F-09)."""
    window = knowledge.whole("alert_window_days")
    days = [episode.event, *(one.verdict.on for one in episode.results if isinstance(one.verdict, Met))]
    disease: tuple[tuple[Sequence[Sample], ThresholdName], ...] = (
        (course.window.marrow, "suspect_marrow_at_least"),
        (course.window.blood, "suspect_blood_at_least"),
        (course.window.mrd, "contradicting_mrd_below"),
    )
    for samples, key in disease:
        days.extend(one.day for one in samples if one.value.is_at_least(knowledge.number(key)) is Answer.YES)
    days.extend(finding.day for finding in course.window.findings if finding.proven is Answer.YES)
    days.extend(tap.draw.day for tap in course.window.taps if tap.draw.blasts is Answer.YES)
    return any(within_days(day, view.today, window) is not Answer.NO for day in days)


def _persistent(
    episode: Episode, view: View, facts: Facts, disease: Disease, knowledge: Knowledge
) -> Persistence | None:
    """Disease after a reinduction: marrow or cerebrospinal fluid still involved (S-003-35, R-09)."""
    therapy = therapy_around(episode.event, facts, view, disease, knowledge)
    if therapy.reinduction_start is None:
        return None
    earliest = episode.event.last + timedelta(days=knowledge.whole("remission_after_days"))
    if therapy.reinduction_end is not None:
        earliest = therapy.reinduction_end.first - timedelta(days=knowledge.whole("mrd_due_before_days"))
    threshold = knowledge.number("persistent_marrow_at_least")
    late = [
        Persistence(sample.day, (sample.evidence(),))
        for sample in episode.window.marrow
        if sample.value.is_at_least(threshold) is Answer.YES
    ]
    late.extend(
        Persistence(tap.draw.day, tap.draw.evidence())
        for tap in episode.window.taps
        if tap.draw.blasts is Answer.YES
    )
    late = [one for one in late if one.day.first >= earliest and one.day.first > episode.event.last]
    return max(late, key=lambda one: one.day.sort_key, default=None)


def _in_remission(
    episode: Episode,
    course: Course,
    view: View,
    knowledge: Knowledge,
    unusable: tuple[Result, ...],
    preliminary: tuple[Result, ...],
) -> Standing | None:
    """A treated relapse in remission again, while MRD and transplant are to be decided (R-01).

    A near miss since then stands beside it: it must not make the answer less.
    """
    limit = knowledge.whole("reminder_limit_days")
    if within_days(episode.event, view.today, limit) is Answer.NO:
        return None
    return Standing(
        Status.RELAPSE,
        "in-remission",
        episode,
        misses=near_misses(course, view, knowledge),
        unusable=unusable,
        preliminary=preliminary,
        previous=course.episodes[:-1],
        molecular=returned_mrd(course, view, knowledge),
    )


def _quiet(
    course: Course,
    view: View,
    knowledge: Knowledge,
    unusable: tuple[Result, ...],
    preliminary: tuple[Result, ...],
) -> Standing:
    """No relapse shown: a near miss, an unusable or preliminary result, or nothing."""
    misses = near_misses(course, view, knowledge)
    molecular = molecular_finding(course, view, knowledge)
    previous = tuple(episode for episode in course.episodes if episode.after is not None)
    if misses or preliminary:
        return Standing(
            Status.SUSPECT,
            misses=misses,
            unusable=unusable,
            preliminary=preliminary,
            previous=previous,
            molecular=molecular,
        )
    if unusable:
        judged = course.window.marrow or course.window.blood or course.window.taps
        status = Status.SUSPECT if judged else Status.NOT_EVALUABLE
        return Standing(status, unusable=unusable, molecular=molecular)
    if molecular is not None and molecular.is_suspicious:
        return Standing(Status.SUSPECT, previous=previous, molecular=molecular)
    return Standing(Status.NONE, molecular=molecular)
