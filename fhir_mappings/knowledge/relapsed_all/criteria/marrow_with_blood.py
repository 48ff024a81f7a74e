"""Criterion C: marrow and circulating lymphoblasts together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field, StrictInt

from fhir_mappings.clinical.answers import Answer, both
from fhir_mappings.clinical.criteria_sets import CriteriaSet
from fhir_mappings.clinical.moments import Moment, within_days
from fhir_mappings.clinical.quantities import plain
from fhir_mappings.clinical.samples import Sample, highest_of
from fhir_mappings.clinical.verdict import Evidence, Met, NotMet, Unknown, Verdict
from fhir_mappings.clinical.window import Gap, Window
from fhir_mappings.knowledge.criterion import Criterion, CriterionParameters, Percent, Site, ThresholdLine

KEY = "marrow_with_blood"


class Parameters(CriterionParameters):
    """``marrow_with_blood``."""

    marrow_over: Percent
    blood_at_least: Percent
    window_days: Annotated[StrictInt, Field(gt=0)]

    def numbers(self) -> Mapping[str, str]:
        """What its sentence is filled with."""
        return {
            "marrow": plain(self.marrow_over),
            "blood": plain(self.blood_at_least),
            "window": str(self.window_days),
        }

    def lines(self) -> Iterator[ThresholdLine]:
        """One line in the panel of each specimen."""
        yield ThresholdLine("marrow", self.marrow_over, ">")
        yield ThresholdLine("blood", self.blood_at_least, "≥")


def marrow_with_blood(window: Window, criteria: CriteriaSet, gap: Gap) -> Verdict:
    """C: more than 25 % lymphoblasts in marrow and 2 % or more circulating lymphoblasts
    [S-000-03; "in the bone marrow" read as blood, A-01]."""
    rule = criteria.part(KEY, Parameters)
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
        return NotMet((highest_of(window.marrow).evidence(">", plain(rule.marrow_over)),))
    if doubtful or not any(_paired(sample, smear, rule) for sample in enough for smear in window.blood):
        return Unknown((gap("blood"),), (enough[-1].evidence(">", plain(rule.marrow_over)), *doubtful))
    return NotMet((enough[-1].evidence(), window.blood[-1].evidence(">=", plain(rule.blood_at_least))))


def _circulating(sample: Sample, smear: Sample, rule: Parameters) -> Answer:
    near = within_days(sample.day, smear.day, rule.window_days)
    marrow = sample.value.is_above(rule.marrow_over)
    return both(near, both(marrow, smear.value.is_at_least(rule.blood_at_least)))


def _paired(sample: Sample, smear: Sample, rule: Parameters) -> bool:
    return within_days(sample.day, smear.day, rule.window_days) is not Answer.NO


def _day(moment: Moment) -> tuple[object, ...]:
    return moment.sort_key


MARROW_WITH_BLOOD = Criterion(
    letter="C",
    key=KEY,
    site=Site.MARROW,
    samples="marrow",
    parameters=Parameters,
    evaluate=marrow_with_blood,
    words=("criterion.C", "gap.blood"),
)
