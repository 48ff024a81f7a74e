"""The relapse criteria, one function each; the numbers come from the criteria set.

Every function looks only at evidence since the last remission and answers Met, NotMet or Unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from fhir_mappings.clinical.answers import Answer, both
from fhir_mappings.clinical.criteria_sets import CriteriaSet, MarrowWithBlood, Repopulation
from fhir_mappings.clinical.moments import Moment, separated_by_hours, within_days
from fhir_mappings.clinical.quantities import plain
from fhir_mappings.clinical.samples import Sample, same_specimen
from fhir_mappings.clinical.verdict import Evidence, Met, NotMet, Unknown, Verdict
from fhir_mappings.clinical.window import Gap, Window

Criterion = Callable[[Window, CriteriaSet, Gap], Verdict]


def marrow_single(window: Window, criteria: CriteriaSet, gap: Gap) -> Verdict:
    """A: more than 50 % lymphoblasts in a single marrow aspirate [S-000-01].

    Consensus sets hold the same sample against their own bound [CCCG, NIH10].
    """
    bound = criteria.marrow_single
    if bound is None or not window.marrow:
        return Unknown((gap("marrow"),))
    answers = [(bound.holds(sample.value), sample) for sample in window.marrow]
    for answer, sample in answers:
        if answer is Answer.YES:
            return Met((sample.evidence(bound.comparator, bound.text),), sample.day)
    unsure = [sample for answer, sample in answers if answer is Answer.UNSURE]
    if unsure:
        return Unknown((gap("marrow-exact"),), (unsure[-1].evidence(bound.comparator, bound.text),))
    return NotMet((_highest(window.marrow).evidence(bound.comparator, bound.text),))


def repopulation(window: Window, criteria: CriteriaSet, gap: Gap) -> Verdict:
    """B: progressive repopulation by more than 5 % leading to more than 25 % in marrow samples
    separated by at least a week [S-000-02; readings of A-02 by ``mode``]."""
    rule = criteria.repopulation
    if rule is None or not window.marrow:
        return Unknown((gap("marrow"),))
    doubtful = False
    for later in window.marrow:
        if later.value.is_above(rule.final_over) is Answer.NO:
            continue
        for earlier in window.marrow:
            answer = _repopulates(earlier, later, rule)
            if answer is Answer.YES:
                threshold = plain(rule.final_over)
                return Met((earlier.evidence(), later.evidence(">", threshold)), later.day)
            doubtful = doubtful or answer is Answer.UNSURE
    highest = _highest(window.marrow)
    if highest.value.is_above(rule.final_over) is Answer.NO:
        return NotMet((highest.evidence(">", plain(rule.final_over)),))
    if doubtful:
        return Unknown((gap("marrow-exact"),), (highest.evidence(),))
    if len(window.marrow) == 1:
        return Unknown((gap("second-marrow"),), (highest.evidence(),))
    return NotMet(tuple(sample.evidence() for sample in window.marrow[-2:]))


def marrow_with_blood(window: Window, criteria: CriteriaSet, gap: Gap) -> Verdict:
    """C: more than 25 % lymphoblasts in marrow and 2 % or more circulating lymphoblasts
    [S-000-03; "in the bone marrow" read as blood, A-01]."""
    rule = criteria.marrow_with_blood
    if rule is None or not window.marrow:
        return Unknown((gap("marrow"),))
    doubtful: list[Evidence] = []
    for sample in window.marrow:
        if sample.value.is_above(rule.marrow_over) is Answer.NO:
            continue
        for smear in window.blood:
            answer = _circulating(sample, smear, rule)
            if answer is Answer.YES:
                marrow = sample.evidence(">", plain(rule.marrow_over))
                blood = smear.evidence(">=", plain(rule.blood_at_least))
                return Met((marrow, blood), max(sample.day, smear.day, key=_day))
            if answer is Answer.UNSURE:
                doubtful.append(smear.evidence(">=", plain(rule.blood_at_least)))
    enough = [sample for sample in window.marrow if sample.value.is_above(rule.marrow_over) is not Answer.NO]
    if not enough:
        return NotMet((_highest(window.marrow).evidence(">", plain(rule.marrow_over)),))
    if doubtful or not any(_paired(sample, smear, rule) for sample in enough for smear in window.blood):
        return Unknown((gap("blood"),), (enough[-1].evidence(">", plain(rule.marrow_over)), *doubtful))
    return NotMet((enough[-1].evidence(), window.blood[-1].evidence(">=", plain(rule.blood_at_least))))


def extramedullary(window: Window, criteria: CriteriaSet, gap: Gap) -> Verdict:
    """D: extramedullary leukaemic infiltration of organs such as CNS and testes [S-000-04].

    Proof is a biopsy, unequivocal imaging, a confirmed coded diagnosis, or for the CNS cytology together
    with the count of criterion E of the same set [0.45, R-05].
    """
    if not criteria.extramedullary:
        return Unknown((gap("site"),))
    for finding in window.findings:
        if finding.proven is Answer.YES:
            return Met(finding.evidence, finding.day)
    fluid = cerebrospinal_fluid(window, criteria, gap)
    if isinstance(fluid, Met):
        return fluid
    if window.findings:
        return Unknown((gap("proof"),), window.findings[-1].evidence)
    if isinstance(fluid, NotMet):
        return fluid
    return Unknown(fluid.missing, fluid.because)


def cerebrospinal_fluid(window: Window, criteria: CriteriaSet, gap: Gap) -> Verdict:
    """E: CSF lymphoblast count greater than 5 WBC/mm3 [S-000-06]: leukocytes beyond the bound AND blasts
    on cytospin; a traumatic tap counts only with a positive Steinherz-Bleyer test [A-03, F-06]."""
    bound = criteria.csf
    if bound is None or not window.taps:
        return Unknown((gap("csf"),))
    unknown: Unknown | None = None
    comparator = bound.comparator
    for tap in window.taps:
        count = bound.holds(tap.draw.wbc.value) if tap.draw.wbc is not None else Answer.UNSURE
        answer = both(count, tap.draw.blasts)
        if answer is Answer.NO:
            continue
        evidence = tap.draw.evidence(comparator, bound.text)
        if answer is Answer.YES and tap.traumatic is not Answer.NO and tap.steinherz_bleyer is not Answer.YES:
            unknown = Unknown((gap("traumatic-tap"),), evidence)
        elif answer is Answer.YES:
            return Met(evidence, tap.draw.day)
        else:
            unknown = Unknown((gap("cytology" if count is not Answer.UNSURE else "csf-count"),), evidence)
    return unknown or NotMet(window.taps[-1].draw.evidence(comparator, bound.text))


def residual_marrow(window: Window, criteria: CriteriaSet, gap: Gap) -> Verdict:
    """Marrow relapse by MRD [PDL, PDL-T]: MRD >= 25 %; or 5 to < 25 % with one further test >= 1 %; or
    1 to < 5 % with two; otherwise a second marrow with two tests >= 1 % decides."""
    rule = criteria.residual_table
    if rule is None or not window.mrd:
        return Unknown((gap("mrd"),))
    doubt: Sample | None = None
    for sample in window.mrd:
        tests = _further_tests(sample, window, rule.test_at_least)
        evidence = (sample.evidence(">=", plain(rule.relapse_at_least)),)
        if sample.value.is_at_least(rule.relapse_at_least) is Answer.YES:
            return Met(evidence, sample.day)
        if sample.value.is_at_least(rule.middle_at_least) is Answer.YES and tests >= 1:
            return Met(evidence, sample.day)
        if sample.value.is_at_least(rule.low_at_least) is Answer.YES and tests >= 2:
            return Met(evidence, sample.day)
        if doubt is not None and tests >= 1 and not same_specimen(doubt.result, sample.result):
            if sample.value.is_at_least(rule.test_at_least) is Answer.YES:
                return Met((doubt.evidence(), *evidence), sample.day)
        if sample.value.is_at_least(rule.low_at_least) is not Answer.NO:
            doubt = sample
    if doubt is not None:
        return Unknown((gap("second-test"),), (doubt.evidence(),))
    return NotMet((window.mrd[-1].evidence(">=", plain(rule.low_at_least)),))


CRITERIA: tuple[tuple[str, str, Criterion], ...] = (
    ("A", "marrow_single", marrow_single),
    ("B", "repopulation", repopulation),
    ("C", "marrow_with_blood", marrow_with_blood),
    ("D", "extramedullary", extramedullary),
    ("E", "csf", cerebrospinal_fluid),
    ("MRD", "residual_table", residual_marrow),
)
MARROW_CRITERIA = frozenset({"A", "B", "C", "MRD"})


def evaluate(
    window: Window, criteria: CriteriaSet, gap: Gap
) -> Iterator[tuple[str, Verdict, tuple[str, ...]]]:
    """Every criterion of the set, with verdict and citations; the bullets are alternatives [S-000-07]."""
    for name, part, criterion in CRITERIA:
        rule = getattr(criteria, part)
        if rule:
            cites = rule if isinstance(rule, tuple) else rule.cites
            yield name, criterion(window, criteria, gap), cites


def _repopulates(earlier: Sample, later: Sample, rule: Repopulation) -> Answer:
    if later is earlier or later.day.first < earlier.day.first:
        return Answer.NO
    apart = separated_by_hours(earlier.day, later.day, rule.minimum_gap_hours)
    near = within_days(earlier.day, later.day, rule.maximum_gap_days)
    final = later.value.is_above(rule.final_over)
    return both(both(apart, near), both(final, _rises(earlier, later, rule)))


def _rises(earlier: Sample, later: Sample, rule: Repopulation) -> Answer:
    if rule.mode == "two-above-25":
        return earlier.value.is_above(rule.final_over)
    low, high = earlier.value.low, earlier.value.high
    if rule.mode == "above-five":
        grows = later.value.is_above(high) if high is not None else Answer.UNSURE
        return both(earlier.value.is_above(rule.rise_over), grows)
    if high is not None and later.value.is_above(high + rule.rise_over) is Answer.YES:
        return Answer.YES
    if low is not None and later.value.is_above(low + rule.rise_over) is Answer.NO:
        return Answer.NO
    return Answer.UNSURE


def _circulating(sample: Sample, smear: Sample, rule: MarrowWithBlood) -> Answer:
    near = within_days(sample.day, smear.day, rule.window_days)
    marrow = sample.value.is_above(rule.marrow_over)
    return both(near, both(marrow, smear.value.is_at_least(rule.blood_at_least)))


def _paired(sample: Sample, smear: Sample, rule: MarrowWithBlood) -> bool:
    return within_days(sample.day, smear.day, rule.window_days) is not Answer.NO


def _further_tests(sample: Sample, window: Window, at_least: Decimal) -> int:
    """Other methods on the same specimen that find at least ``at_least`` %."""
    methods = {
        other.result.method or other.result.code
        for other in window.mrd
        if other is not sample
        and same_specimen(other.result, sample.result)
        and (other.result.method or other.result.code) != (sample.result.method or sample.result.code)
        and other.value.is_at_least(at_least) is Answer.YES
    }
    return len(methods)


def _highest(samples: tuple[Sample, ...]) -> Sample:
    return max(samples, key=lambda sample: (sample.value.most, sample.result.resource))


def _day(moment: Moment) -> tuple[object, ...]:
    return moment.sort_key
