"""Criterion B: repopulation over two marrows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Literal, get_args

from pydantic import Field, StrictInt

from fhir_mappings.clinical.answers import Answer, both
from fhir_mappings.clinical.criteria_sets import CriteriaSet
from fhir_mappings.clinical.moments import separated_by_hours, within_days
from fhir_mappings.clinical.quantities import plain
from fhir_mappings.clinical.samples import Sample, highest_of
from fhir_mappings.clinical.verdict import Met, NotMet, Unknown, Verdict
from fhir_mappings.clinical.window import Gap, Window
from fhir_mappings.knowledge.criterion import Criterion, CriterionParameters, Percent, Site, ThresholdLine
from fhir_mappings.knowledge.relapsed_all.criteria.earlier_marrows import EarlierMarrows

KEY = "repopulation"
Mode = Literal["rise", "above-five", "two-above-25"]
READINGS: tuple[str, ...] = get_args(Mode)
"""The readings of "progressive repopulation" (A-02)."""


class Parameters(CriterionParameters):
    """``repopulation``: progressive repopulation in two marrows; ``mode`` is one of the readings."""

    mode: Mode
    rise_over: Percent
    final_over: Percent
    minimum_gap_hours: Annotated[StrictInt, Field(gt=0)]
    maximum_gap_days: Annotated[StrictInt, Field(gt=0)]

    @property
    def reading(self) -> str:
        """How the wording is read (A-02)."""
        return self.mode

    def numbers(self) -> Mapping[str, str]:
        """What its sentence is filled with; the gap is told in days."""
        return {
            "rise": plain(self.rise_over),
            "final": plain(self.final_over),
            "gap": plain(Decimal(self.minimum_gap_hours) / 24),
            "window": str(self.maximum_gap_days),
        }

    def lines(self) -> Iterator[ThresholdLine]:
        """The share that the second marrow exceeds."""
        yield ThresholdLine("marrow", self.final_over, ">")


def repopulation(window: Window, criteria: CriteriaSet, gap: Gap) -> Verdict:
    """B: progressive repopulation by more than 5 % leading to more than 25 % in marrow samples
    separated by at least a week [S-000-02; readings of A-02 by ``mode``]."""
    rule = criteria.part(KEY, Parameters)
    if rule is None or not window.marrow:
        return Unknown((gap("marrow"),))
    thresholds = (rule.rise_over, rule.final_over)
    marrows = EarlierMarrows(window.marrow, rule.minimum_gap_hours, rule.maximum_gap_days, thresholds)
    doubtful = False
    for later in window.marrow:
        if later.value.is_above(rule.final_over) is Answer.NO:
            continue
        answers = [_repopulates(one, later, rule) for one in marrows.deciding(later.day)]
        if Answer.YES in answers:
            earlier = next(one for one in window.marrow if _repopulates(one, later, rule) is Answer.YES)
            threshold = plain(rule.final_over)
            return Met((earlier.evidence(), later.evidence(">", threshold)), later.day)
        doubtful = doubtful or Answer.UNSURE in answers
    highest = highest_of(window.marrow)
    if highest.value.is_above(rule.final_over) is Answer.NO:
        return NotMet((highest.evidence(">", plain(rule.final_over)),))
    if doubtful:
        return Unknown((gap("marrow-exact"),), (highest.evidence(),))
    if len(window.marrow) == 1:
        return Unknown((gap("second-marrow"),), (highest.evidence(),))
    return NotMet(tuple(sample.evidence() for sample in window.marrow[-2:]))


def _repopulates(earlier: Sample, later: Sample, rule: Parameters) -> Answer:
    if later is earlier or later.day.first < earlier.day.first:
        return Answer.NO
    apart = separated_by_hours(earlier.day, later.day, rule.minimum_gap_hours)
    near = within_days(earlier.day, later.day, rule.maximum_gap_days)
    final = later.value.is_above(rule.final_over)
    return both(both(apart, near), both(final, _rises(earlier, later, rule)))


def _rises(earlier: Sample, later: Sample, rule: Parameters) -> Answer:
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


REPOPULATION = Criterion(
    letter="B",
    key=KEY,
    site=Site.MARROW,
    samples="marrow",
    parameters=Parameters,
    evaluate=repopulation,
    words=("criterion.B", "gap.second-marrow"),
    readings=READINGS,
)
