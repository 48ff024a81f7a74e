"""Criterion E: the cerebrospinal fluid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from fhir_mappings.clinical.answers import Answer, both
from fhir_mappings.clinical.criteria_sets import CriteriaSet
from fhir_mappings.clinical.verdict import Met, NotMet, Unknown, Verdict
from fhir_mappings.clinical.window import Gap, Window
from fhir_mappings.knowledge.criterion import BoundParameters, Criterion, Site, ThresholdLine

KEY = "csf"


class Parameters(BoundParameters):
    """``csf``: leukocytes per microlitre, blasts always required."""

    wbc_per_ul: Annotated[Decimal, Field(ge=0)]

    @property
    def value(self) -> Decimal:
        """Leukocytes per microlitre."""
        return self.wbc_per_ul

    def numbers(self) -> Mapping[str, str]:
        """What its sentence is filled with."""
        return {"comparator": self.sign, "count": self.text}

    def lines(self) -> Iterator[ThresholdLine]:
        """The count as a line."""
        yield ThresholdLine("csf", self.value, self.sign)


def cerebrospinal_fluid(window: Window, criteria: CriteriaSet, gap: Gap) -> Verdict:
    """E: CSF lymphoblast count greater than 5 WBC/mm3 [S-000-06]: leukocytes beyond the bound AND blasts
    on cytospin; a traumatic tap counts only with a positive Steinherz-Bleyer test [A-03, F-06]."""
    bound = criteria.part(KEY, Parameters)
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


CEREBROSPINAL_FLUID = Criterion(
    letter="E",
    key=KEY,
    site=Site.CNS,
    samples="taps",
    parameters=Parameters,
    evaluate=cerebrospinal_fluid,
    words=("criterion.E", "gap.csf", "gap.cytology", "gap.traumatic-tap"),
    yardstick=True,
)
