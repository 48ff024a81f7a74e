"""Remission, relapse, remission: the course of the disease as a sequence of dated episodes (F-26)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum

from fhir_mappings.assessment import CriterionResult
from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import Diagnosis, Result
from fhir_mappings.clinical.moments import Moment, within_days
from fhir_mappings.clinical.samples import Sample, same_specimen
from fhir_mappings.clinical.verdict import Met, Missing
from fhir_mappings.clinical.window import SiteFinding, Window
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.knowledge.relapsed_all.criteria import CRITERION, evaluate
from fhir_mappings.relapse.disease import Disease, procedure_dates
from fhir_mappings.relapse.evidence import (
    Remission,
    coded_relapses,
    documented_remissions,
    history_remission,
    site_findings,
    undated_remission,
    window_since,
)
from fhir_mappings.relapse.rival_cancer import has_lymphoid_markers, rival_cancer
from fhir_mappings.relapse.scope import is_proven_by
from fhir_mappings.relapse.usable_results import View

TRANSPLANTS = ("hsct-allogeneic", "hsct-unspecified")


class Grade(Enum):
    """What an episode stands on: the default set, a coded diagnosis, or a consensus set alone."""

    DEFAULT = "default"
    CODED = "coded"
    CONSENSUS = "consensus"


@dataclass(frozen=True, slots=True)
class Episode:
    """One relapse (or possible relapse) after a remission, and the remission that ended it.

    ``number`` counts relapses proven so far including this one. ``contradicted`` says that every marrow
    criterion is contradicted by MRD of the same specimen (0.4); ``disease_open`` that ALL itself is only
    possible, and what is met does not prove it (D-01, D-03); ``rival`` is another cancer from which the
    blasts may come (D-04); ``disagreeing`` are the marrows of one day of which only some prove it (D-09).
    """

    number: int
    grade: Grade
    event: Moment
    before: Remission | None
    after: Remission | None
    window: Window
    results: tuple[CriterionResult, ...]
    coded: Diagnosis | None = None
    contradicted: bool = False
    disease_open: bool = False
    rival: Diagnosis | None = None
    disagreeing: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True)
class Course:
    """All episodes, the remission the patient is or was last in, and the evidence since then."""

    first_remission: Remission | None
    episodes: tuple[Episode, ...]
    remission: Remission | None
    window: Window
    results: tuple[CriterionResult, ...]
    findings: tuple[SiteFinding, ...]


class CourseReader:
    """Reads the course of one chart. Holds what every step needs; used once."""

    def __init__(self, view: View, disease: Disease, knowledge: Knowledge) -> None:
        self._view = view
        self._disease = disease
        self._knowledge = knowledge
        self._findings = site_findings(view, knowledge)
        self._documented = documented_remissions(view, disease)
        self._coded = coded_relapses(view, disease, knowledge)
        self._late = timedelta(days=knowledge.whole("remission_after_days"))

    def read(self) -> Course:
        """Every episode in order, and where the patient stands now."""
        first = remission = self._first_remission()
        episodes: list[Episode] = []
        relapses = 0
        while remission is not None or not episodes:
            start = self._window_start(remission)
            window = window_since(start, self._view, self._findings)
            results = self.verdicts(window)
            episode = self._episode(remission, start, window, results, relapses)
            if episode is None or episode.after is None:
                if episode is not None:
                    episodes.append(episode)
                return Course(first, tuple(episodes), remission, window, results, self._findings)
            closed = window_since(start, self._view, self._findings, episode.after.day)
            episode = replace(episode, window=closed, results=self.verdicts(closed))
            if episode.grade is not Grade.CONSENSUS:
                relapses = episode.number
                episodes.append(episode)
            remission = episode.after
        raise AssertionError("unreachable: every pass either returns or moves to a later remission")

    def verdicts(self, window: Window) -> tuple[CriterionResult, ...]:
        """Every criterion of every set, held against one window."""
        return tuple(
            CriterionResult(criteria.id, name, verdict, cites)
            for criteria in self._knowledge.criteria_sets
            for name, verdict, cites in evaluate(window, criteria, self.gap)
        )

    def gap(self, key: str) -> Missing:
        """What is missing, in the knowledge's words."""
        words = self._knowledge.words
        return Missing(key, words[f"gap.{key}.what"].text, words[f"gap.{key}.why"].text)

    def _first_remission(self) -> Remission | None:
        derived = self._derived(self._disease.diagnosed, needs_fluid=False)
        dated = [*self._documented, *([derived] if derived else [])]
        if dated:
            return min(dated, key=lambda one: (one.day.sort_key, one.basis))
        past = history_remission(self._disease, self._view, self._knowledge)
        if past is not None:
            return past
        undated = undated_remission(self._disease)
        if undated is not None and self._disease.diagnosed is not None:
            return Remission(self._disease.diagnosed, "undated", undated.resource)
        return None

    def _window_start(self, remission: Remission | None) -> Moment | None:
        if remission is None:
            # The marrow of the diagnosis itself is no sample after a remission that is only missing.
            diagnosed = self._disease.diagnosed
            return Moment.on(diagnosed.last + self._late) if diagnosed is not None else None
        if remission.basis == "undated":
            return Moment.on(remission.day.last + self._late)
        return remission.day

    def _derived(self, after: Moment | None, needs_fluid: bool) -> Remission | None:
        """The first marrow below the remission threshold late enough after ``after`` (0.3)."""
        if after is None:
            return None
        below = self._knowledge.number("remission_marrow_below")
        clear = self._first_clear_tap(after) if needs_fluid else None
        if needs_fluid and clear is None:
            return None
        for sample in self._view.marrow:
            if sample.day.first < after.last + self._late:
                continue
            if sample.value.is_at_least(below) is Answer.NO:
                day = max(sample.day, clear or sample.day, key=lambda moment: moment.sort_key)
                return Remission(day, "derived", sample.result.resource)
        return None

    def _first_clear_tap(self, after: Moment) -> Moment | None:
        for tap in self._view.taps:
            if tap.draw.day.first > after.last and tap.draw.blasts is Answer.NO:
                return tap.draw.day
        return None

    def _episode(
        self,
        remission: Remission | None,
        start: Moment | None,
        window: Window,
        results: Sequence[CriterionResult],
        relapses: int,
    ) -> Episode | None:
        measured = first_met(results, self._knowledge.default_set.id)
        # A relapse may be coded on the day that is taken for the diagnosis, where no other is recorded.
        since = start if remission is not None else None
        coded = next((pair for pair in self._coded if since is None or pair[0].last >= since.first), None)
        if coded is not None and (measured is None or self._far_before(coded[0], measured)):
            return self._found(Grade.CODED, coded[0], remission, window, results, relapses, coded[1])
        if measured is not None:
            code = coded[1] if coded is not None else None
            return self._found(Grade.DEFAULT, measured, remission, window, results, relapses, code)
        consensus = first_met(results)
        if consensus is None:
            return None
        return self._found(Grade.CONSENSUS, consensus, remission, window, results, relapses, None)

    def _far_before(self, coded: Moment, measured: Moment) -> bool:
        """A coded relapse this long before the measured one was another relapse."""
        days = self._knowledge.whole("reminder_limit_days")
        return coded.first < measured.first and within_days(coded, measured, days) is Answer.NO

    def _found(
        self,
        grade: Grade,
        event: Moment,
        remission: Remission | None,
        window: Window,
        results: Sequence[CriterionResult],
        relapses: int,
        coded: Diagnosis | None,
    ) -> Episode:
        return Episode(
            number=relapses + (0 if grade is Grade.CONSENSUS else 1),
            grade=grade,
            event=event,
            before=remission,
            after=self._remission_after(event, results, grade, relapses),
            window=window,
            results=tuple(results),
            coded=coded,
            contradicted=grade is not Grade.CODED and contradicted(results, window, self._knowledge, grade),
            disease_open=not self._is_proven(results, grade),
            rival=self._rival(results, event) if grade is not Grade.CODED else None,
            disagreeing=self._disagreeing(results, window) if grade is Grade.DEFAULT else (),
        )

    def _is_proven(self, results: Sequence[CriterionResult], grade: Grade) -> bool:
        """Whether what is met proves ALL, where the Conditions leave it open."""
        met = self._met_by_default(results) if grade is not Grade.CODED else []
        return is_proven_by(met, self._disease.certain, self._disease.history, self._view)

    def _met_by_default(self, results: Sequence[CriterionResult]) -> list[Met]:
        default = self._knowledge.default_set.id
        return [
            one.verdict for one in results if isinstance(one.verdict, Met) and one.criteria_set == default
        ]

    def _disagreeing(self, results: Sequence[CriterionResult], window: Window) -> tuple[Sample, ...]:
        """The marrows of one day, where nothing is met once each day counts by its lowest value (D-09)."""
        days: dict[tuple[object, object], list[Sample]] = {}
        for sample in window.marrow:
            days.setdefault((sample.day.first, sample.day.last), []).append(sample)
        several = [found for found in days.values() if len(found) > 1]
        if not several:
            return ()
        lowest = {min(found, key=_lowest_first).result.resource for found in days.values()}
        kept = tuple(sample for sample in window.marrow if sample.result.resource in lowest)
        lower = replace(window, marrow=kept)
        if self._met_by_default(self.verdicts(lower)):
            return ()
        because = {item.resource for met in self._met_by_default(results) for item in met.because}
        return next(
            (tuple(found) for found in several if any(one.result.resource in because for one in found)), ()
        )

    def _rival(self, results: Sequence[CriterionResult], event: Moment) -> Diagnosis | None:
        since = Moment.on(event.first - timedelta(days=self._knowledge.whole("marker_window_days")))
        if has_lymphoid_markers(since, self._view, self._knowledge):
            return None
        return rival_cancer(self._met_by_default(results), event, self._view, self._disease)

    def _remission_after(
        self, event: Moment, results: Sequence[CriterionResult], grade: Grade, relapses: int
    ) -> Remission | None:
        found = [one for one in self._documented if one.day.first > event.last]
        met = [CRITERION[one.id] for one in results if isinstance(one.verdict, Met)]
        marrow = any(criterion.in_marrow for criterion in met)
        fluid = any(criterion.outside_marrow for criterion in met)
        only_site = fluid and not self._has_fluid_disease(event)
        if not only_site or marrow:
            derived = self._derived(event, needs_fluid=fluid and self._has_fluid_disease(event))
            found.extend([derived] if derived else [])
        if grade is not Grade.CONSENSUS:
            found.extend(self._transplants_after(event))
            presumed = self._presumed(event, grade)
            found.extend([presumed] if presumed else [])
        return min(found, key=lambda one: (one.day.sort_key, one.basis), default=None)

    def _has_fluid_disease(self, event: Moment) -> bool:
        return any(
            tap.draw.blasts is Answer.YES and tap.draw.day.last >= event.first for tap in self._view.taps
        )

    def _transplants_after(self, event: Moment) -> Iterable[Remission]:
        """A transplant after a relapse closes it for counting: a later relapse is another one (NIH10)."""
        for day, resource in procedure_dates(self._view, TRANSPLANTS):
            if day is not None and day.first > event.last:
                yield Remission(day, "transplant", resource)

    def _presumed(self, event: Moment, grade: Grade) -> Remission | None:
        """Between a coded relapse and a measured one long after, a remission is presumed, not on record."""
        if grade is not Grade.CODED:
            return None
        days = self._knowledge.whole("reminder_limit_days")
        later = window_since(Moment.on(event.last + timedelta(days=days)), self._view, self._findings)
        if first_met(self.verdicts(later), self._knowledge.default_set.id) is None:
            return None
        return Remission(Moment.on(event.last + timedelta(days=days)), "presumed", "")


def _lowest_first(sample: Sample) -> tuple[object, ...]:
    return (sample.value.most, sample.result.resource)


def first_met(results: Iterable[CriterionResult], set_id: str = "") -> Moment | None:
    """The earliest moment at which a criterion (of one set) was completed."""
    days = [
        one.verdict.on
        for one in results
        if isinstance(one.verdict, Met) and (not set_id or one.criteria_set == set_id)
    ]
    return min(days, key=lambda moment: moment.sort_key, default=None)


def contradicted(
    results: Iterable[CriterionResult], window: Window, knowledge: Knowledge, grade: Grade
) -> bool:
    """Whether MRD of the same specimen speaks against all that is met, marrow criteria only (0.4)."""
    default = knowledge.default_set.id
    met = [
        one
        for one in results
        if isinstance(one.verdict, Met) and (grade is not Grade.DEFAULT or one.criteria_set == default)
    ]
    if not met or any(not CRITERION[one.id].in_marrow for one in met):
        return False
    low = [
        sample.result
        for sample in window.mrd
        if sample.value.is_at_least(knowledge.number("contradicting_mrd_below")) is Answer.NO
    ]
    marrow = {sample.result.resource: sample for sample in window.marrow}
    verdicts = [one.verdict for one in met if isinstance(one.verdict, Met)]
    return all(_speaks_against(verdict, marrow, low) for verdict in verdicts)


def _speaks_against(verdict: Met, marrow: dict[str, Sample], low: Sequence[Result]) -> bool:
    deciding = [marrow[item.resource] for item in verdict.because if item.resource in marrow]
    if not deciding:
        return False
    return any(same_specimen(deciding[-1].result, other) for other in low)
