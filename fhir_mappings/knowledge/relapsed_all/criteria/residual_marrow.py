"""The marrow table for centres with MRD (PdL 2022)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.criteria_sets import CriteriaSet
from fhir_mappings.clinical.quantities import plain
from fhir_mappings.clinical.samples import Sample, same_specimen
from fhir_mappings.clinical.verdict import Met, NotMet, Unknown, Verdict
from fhir_mappings.clinical.window import Gap, Window
from fhir_mappings.knowledge.criterion import Criterion, CriterionParameters, Percent, Site, ThresholdLine

KEY = "residual_table"


class Parameters(CriterionParameters):
    """``residual_table``, in % (reference 2.2)."""

    relapse_at_least: Percent
    middle_at_least: Percent
    low_at_least: Percent
    test_at_least: Percent

    def numbers(self) -> Mapping[str, str]:
        """What its sentence is filled with."""
        return {
            "relapse": plain(self.relapse_at_least),
            "middle": plain(self.middle_at_least),
            "low": plain(self.low_at_least),
            "test": plain(self.test_at_least),
        }

    def lines(self) -> Iterator[ThresholdLine]:
        """The three rows of the table."""
        for value in (self.relapse_at_least, self.middle_at_least, self.low_at_least):
            yield ThresholdLine("mrd", value, "≥")


def residual_marrow(window: Window, criteria: CriteriaSet, gap: Gap) -> Verdict:
    """Marrow relapse by MRD [PDL, PDL-T]: MRD >= 25 %; or 5 to < 25 % with one further test >= 1 %; or
    1 to < 5 % with two; otherwise a second marrow with two tests >= 1 % decides."""
    rule = criteria.part(KEY, Parameters)
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


RESIDUAL_MARROW = Criterion(
    letter="MRD",
    key=KEY,
    site=Site.MARROW,
    samples="mrd",
    parameters=Parameters,
    evaluate=residual_marrow,
    words=("criterion.MRD", "gap.mrd", "gap.second-test"),
    second_test=True,
)
