"""Findings in remission that meet no criterion and still must not be silent: repeat, prove, or complete."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.cns import TapReading
from fhir_mappings.clinical.facts import MedicationState, Result
from fhir_mappings.clinical.moments import Moment, within_days
from fhir_mappings.clinical.quantities import Measured, Presence, Unusable
from fhir_mappings.clinical.samples import Sample, numeric
from fhir_mappings.clinical.verdict import Evidence, Unknown
from fhir_mappings.clinical.window import Window
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.knowledge.relapsed_all.criteria import CRITERIA, CRITERION
from fhir_mappings.knowledge.thresholds import ThresholdName
from fhir_mappings.relapse.episodes import Course
from fhir_mappings.relapse.usable_results import MARROW, View, describe


@dataclass(frozen=True, slots=True)
class NearMiss:
    """One finding that needs a repeat or a proof.

    ``kind`` names its words (``suspect.{kind}``); ``urgent`` makes the card a warning: there is a site
    to prove, the marrow included (R-11). ``day`` is the finding's date.
    """

    kind: str
    urgent: bool
    day: Moment | None
    evidence: tuple[Evidence, ...]


def near_misses(course: Course, view: View, knowledge: Knowledge) -> tuple[NearMiss, ...]:
    """Every open near miss within the alert window, most urgent first."""
    window = course.window
    found = [
        *_marrow(window, view, knowledge),
        *_blood(window, view, knowledge),
        *_absolute_blasts(course, view, knowledge),
        *_fluid(window, view, knowledge),
        *_sites(window, view, knowledge),
        *_residual(course, view, knowledge),
        *_gate(window, course, view, knowledge),
        *_undated(view, knowledge),
    ]
    return tuple(sorted(found, key=lambda miss: (not miss.urgent, miss.kind)))


def _recent(day: Moment, view: View, knowledge: Knowledge) -> bool:
    return within_days(day, view.today, knowledge.whole("alert_window_days")) is not Answer.NO


def _marrow(window: Window, view: View, knowledge: Knowledge) -> Iterator[NearMiss]:
    """The latest marrow at or above the remission threshold (M2), or not certainly below it."""
    if not window.marrow:
        return
    latest = window.marrow[-1]
    threshold = knowledge.thresholds["suspect_marrow_at_least"]
    same_day = [sample for sample in window.marrow if sample.day.first == latest.day.first]
    for sample in same_day:
        answer = sample.value.is_at_least(threshold.value)
        if answer is not Answer.NO and _recent(sample.day, view, knowledge):
            kind = "marrow" if _is_below_relapse(sample, knowledge) else "marrow-open"
            if growth_factor_before(sample.day, view, knowledge):
                kind = "marrow-growth-factor"
            urgent = kind != "marrow-growth-factor"
            yield NearMiss(kind, urgent, sample.day, (sample.evidence(">=", str(threshold.value)),))
            return


def _is_below_relapse(sample: Sample, knowledge: Knowledge) -> bool:
    """Whether the value certainly stands below every marrow threshold of the deciding set (D-11)."""
    bounds = [
        line.value
        for criterion in CRITERIA
        if criterion.in_marrow and (part := criterion.of(knowledge.default_set)) is not None
        for line in part.lines()
        if line.panel == "marrow"
    ]
    return all(sample.value.is_above(bound) is Answer.NO for bound in bounds)


def _blood(window: Window, view: View, knowledge: Knowledge) -> Iterator[NearMiss]:
    """Circulating blasts without a marrow, or beside a clear one that does not explain them."""
    threshold = knowledge.thresholds["suspect_blood_at_least"]
    days = knowledge.whole("blood_marrow_days")
    below = knowledge.number("suspect_marrow_at_least")
    for smear in reversed(window.blood):
        if smear.value.is_at_least(threshold.value) is not Answer.YES or not _recent(
            smear.day, view, knowledge
        ):
            return
        near = [sample for sample in window.marrow if within_days(sample.day, smear.day, days) is Answer.YES]
        if any(sample.value.is_at_least(below) is not Answer.NO for sample in near):
            return
        evidence = (smear.evidence(">=", str(threshold.value)), *(sample.evidence() for sample in near))
        if growth_factor_before(smear.day, view, knowledge):
            yield NearMiss("blood-growth-factor", False, smear.day, evidence)
        else:
            yield NearMiss("blood-marrow-clear" if near else "blood", True, smear.day, evidence)
        return


def _absolute_blasts(course: Course, view: View, knowledge: Knowledge) -> Iterator[NearMiss]:
    """Blasts in blood as a number without the leukocytes of the day, so that no share is known (D-08)."""
    counted = {sample.result.resource for sample in view.blood}
    start = course.remission.day.first if course.remission is not None else None
    least = knowledge.thresholds["suspect_blast_count_at_least"]
    days = knowledge.whole("blood_marrow_days")
    below = knowledge.number("suspect_marrow_at_least")
    counts = numeric(view.results("blood-blast-count"), knowledge.titles)
    alone = [sample for sample in counts if sample.result.resource not in counted]
    for count in alone[-1:]:
        if (start is not None and count.day.last < start) or not _recent(count.day, view, knowledge):
            return
        if count.value.is_at_least(least.value) is not Answer.YES:
            return
        near = [one for one in course.window.marrow if within_days(one.day, count.day, days) is Answer.YES]
        if any(sample.value.is_at_least(below) is not Answer.NO for sample in near):
            return
        evidence = (count.evidence(">=", str(least.value)), *(sample.evidence() for sample in near))
        if growth_factor_before(count.day, view, knowledge):
            yield NearMiss("blood-growth-factor", False, count.day, evidence)
        else:
            yield NearMiss("blood-marrow-clear" if near else "blood-absolute", True, count.day, evidence)


def _fluid(window: Window, view: View, knowledge: Knowledge) -> Iterator[NearMiss]:
    """Blasts in the latest lumbar puncture that prove nothing yet (CNS2, traumatic tap), or no cytology."""
    if not window.taps:
        return
    tap = window.taps[-1]
    if not _recent(tap.draw.day, view, knowledge):
        return
    evidence = tap.draw.evidence()
    if tap.draw.blasts is Answer.YES:
        yield NearMiss(_blasts_in_fluid(tap, window, view, knowledge), True, tap.draw.day, evidence)
        return
    count = (
        tap.draw.wbc.value.is_at_least(knowledge.number("cns3_wbc_at_least")) if tap.draw.wbc else Answer.NO
    )
    if tap.draw.blasts is Answer.UNSURE and count is Answer.YES:
        yield NearMiss("csf-no-cytology", True, tap.draw.day, evidence)


def _blasts_in_fluid(tap: TapReading, window: Window, view: View, knowledge: Knowledge) -> str:
    """What blasts in the fluid prove, as far as its cell count is known (D-11, F-08)."""
    if tap.traumatic is not Answer.NO and tap.steinherz_bleyer is not Answer.YES:
        return "csf-traumatic"
    if tap.draw.wbc is None:
        day = tap.draw.day.first
        unread = any(
            one.concept == "csf-wbc" and one.collected is not None and one.collected.first == day
            for one in view.unusable
        )
        return "csf-count-unread" if unread else "csf-count-missing"
    least = knowledge.number("cns3_wbc_at_least")
    return "csf-count-open" if tap.draw.wbc.value.is_at_least(least) is Answer.UNSURE else "csf-blasts"


def _sites(window: Window, view: View, knowledge: Knowledge) -> Iterator[NearMiss]:
    for finding in window.findings:
        if finding.proven is Answer.UNSURE and _recent(finding.day, view, knowledge):
            kind = finding.site if finding.site in ("cns", "testis") else "other"
            yield NearMiss(f"site-{kind}", True, finding.day, finding.evidence)


def _residual(course: Course, view: View, knowledge: Knowledge) -> Iterator[NearMiss]:
    """MRD that PdL 2022 wants confirmed by a second test."""
    for result in course.results:
        asks = CRITERION[result.id].second_test
        if asks and isinstance(result.verdict, Unknown) and result.verdict.because:
            samples = [
                one for one in course.window.mrd if one.result.resource == result.verdict.because[0].resource
            ]
            if samples and _recent(samples[0].day, view, knowledge) and course.window.mrd[-1] is samples[0]:
                least = knowledge.number("contradicting_mrd_below")
                certain = samples[0].value.is_at_least(least) is Answer.YES
                kind = "mrd" if certain else "mrd-amount"
                yield NearMiss(kind, True, samples[0].day, result.verdict.because)


def _gate(window: Window, course: Course, view: View, knowledge: Knowledge) -> Iterator[NearMiss]:
    """A share of a flow gate is no share of nucleated cells (A-18), but it is not nothing."""
    threshold = knowledge.number("suspect_marrow_at_least")
    start = course.remission.day.first if course.remission is not None else None
    for sample in reversed(view.gated):
        if start is not None and sample.day.last < start:
            return
        if sample.value.is_at_least(threshold) is not Answer.NO and _recent(sample.day, view, knowledge):
            if not any(other.day.first == sample.day.first for other in window.marrow):
                yield NearMiss("marrow-gate", True, sample.day, (sample.evidence(),))
        return


def _undated(view: View, knowledge: Knowledge) -> Iterator[NearMiss]:
    """A disease-sized marrow without any date: it cannot be placed, and it cannot be passed over."""
    for result in view.undated:
        if result.concept in MARROW and isinstance(result.value, Measured):
            if result.value.is_at_least(knowledge.number("suspect_marrow_at_least")) is not Answer.NO:
                yield NearMiss("undated", False, None, (describe(result, knowledge.titles),))


def unusable_results(course: Course, view: View, knowledge: Knowledge) -> tuple[Result, ...]:
    """Deciding results since remission whose value cannot be used, within the alert window (R-08)."""
    start = course.remission.day.first if course.remission is not None else None
    return tuple(
        result
        for result in view.unusable
        if result.collected is not None
        and (start is None or result.collected.last >= start)
        and _recent(result.collected, view, knowledge)
        and not (isinstance(result.value, Unusable) and result.value.why == "no-value")
    )


def preliminary_results(course: Course, view: View, knowledge: Knowledge) -> tuple[Result, ...]:
    """Preliminary results that would be disease if they became final (F-10)."""
    start = course.remission.day.first if course.remission is not None else None
    threshold = knowledge.number("suspect_marrow_at_least")
    found = []
    for result in view.preliminary:
        day = result.collected
        if day is None or (start is not None and day.last < start) or not _recent(day, view, knowledge):
            continue
        value = result.value
        if isinstance(value, Presence):
            disease = value in (Presence.PRESENT, Presence.WEAK) and result.concept in (
                *MARROW,
                "csf-cytology",
                "csf-blasts",
            )
        elif isinstance(value, Measured):
            if result.concept in MARROW:
                disease = value.is_at_least(threshold) is not Answer.NO
            else:
                wanted = ("blood-blasts", "blood-lymphoblasts", "csf-blasts", "csf-blast-count")
                disease = result.concept in wanted and value.low is not None and value.low > 0
        else:
            disease = isinstance(value, Unusable) and value.why != "no-value" and result.concept in MARROW
        if disease:
            found.append(result)
    return tuple(found)


def growth_factor_before(day: Moment, view: View, knowledge: Knowledge) -> bool:
    """Whether a growth factor was given at a sample or shortly before it (F-04)."""
    for drug in view.medications:
        begun = drug.start or drug.end
        if drug.agent not in knowledge.agents_of("g-csf") or drug.state is MedicationState.PLANNED:
            continue
        if begun is None or begun.first > day.last:
            continue
        key: ThresholdName = "pegfilgrastim_days" if drug.agent == "pegfilgrastim" else "gcsf_days"
        last = drug.end or begun
        if last.last >= day.first or within_days(last, day, knowledge.whole(key)) is Answer.YES:
            return True
    return False
