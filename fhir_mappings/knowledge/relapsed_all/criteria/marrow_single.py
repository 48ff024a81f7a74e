"""Criterion A: one marrow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.criteria_sets import CriteriaSet
from fhir_mappings.clinical.samples import highest_of
from fhir_mappings.clinical.verdict import Met, NotMet, Unknown, Verdict
from fhir_mappings.clinical.window import Gap, Window
from fhir_mappings.knowledge.criterion import BoundParameters, Criterion, Percent, Site, ThresholdLine

KEY = "marrow_single"


class Parameters(BoundParameters):
    """``marrow_single``."""

    percent: Percent

    @property
    def value(self) -> Decimal:
        """The share of lymphoblasts in one marrow, in %."""
        return self.percent

    def numbers(self) -> Mapping[str, str]:
        """What its sentence is filled with."""
        return {"comparator": self.sign, "single": self.text}

    def lines(self) -> Iterator[ThresholdLine]:
        """The share as a line."""
        yield ThresholdLine("marrow", self.value, self.sign)


def marrow_single(window: Window, criteria: CriteriaSet, gap: Gap) -> Verdict:
    """A: more than 50 % lymphoblasts in a single marrow aspirate [S-000-01].

    Consensus sets hold the same sample against their own bound [CCCG, NIH10].
    """
    bound = criteria.part(KEY, Parameters)
    if bound is None or not window.marrow:
        return Unknown((gap("marrow"),))
    answers = [(bound.holds(sample.value), sample) for sample in window.marrow]
    for answer, sample in answers:
        if answer is Answer.YES:
            return Met((sample.evidence(bound.comparator, bound.text),), sample.day)
    unsure = [sample for answer, sample in answers if answer is Answer.UNSURE]
    if unsure:
        return Unknown((gap("marrow-exact"),), (unsure[-1].evidence(bound.comparator, bound.text),))
    return NotMet((highest_of(window.marrow).evidence(bound.comparator, bound.text),))


MARROW_SINGLE = Criterion(
    letter="A",
    key=KEY,
    site=Site.MARROW,
    samples="marrow",
    parameters=Parameters,
    evaluate=marrow_single,
    words=("criterion.A", "gap.marrow"),
    yardstick=True,
)
