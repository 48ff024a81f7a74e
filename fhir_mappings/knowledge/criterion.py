"""What one criterion of relapse is: its letter, guideline words, numbers, sentences and lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from inspect import cleandoc
from typing import Annotated, Literal

from pydantic import Field

from fhir_mappings.assessment import Statement
from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.criteria_sets import CriteriaSet
from fhir_mappings.clinical.quantities import Measured, plain
from fhir_mappings.clinical.verdict import Verdict
from fhir_mappings.clinical.window import Gap, Window
from fhir_mappings.knowledge.loader import KnowledgeFile

Percent = Annotated[Decimal, Field(ge=0, le=100)]
Cites = Annotated[tuple[str, ...], Field(min_length=1)]


class Site(Enum):
    """Where the disease lies that a criterion finds."""

    MARROW = "marrow"
    BLOOD = "blood"
    CNS = "cns"
    ORGAN = "organ"


@dataclass(frozen=True, slots=True)
class ThresholdLine:
    """A number as a line of the timeline: its panel (marrow, blood, csf or mrd), value and comparator."""

    panel: str
    value: Decimal
    comparator: str


class CriterionParameters(KnowledgeFile):
    """The table of one criterion in one criteria set of ``criteria_sets.toml``."""

    cites: Cites

    @property
    def reading(self) -> str:
        """How the criterion is read, where its wording leaves a choice."""
        return ""

    def numbers(self) -> Mapping[str, str]:
        """The numbers in words, by the blanks of its sentence and of its name."""
        return {}

    def lines(self) -> Iterator[ThresholdLine]:
        """The numbers as lines of the timeline."""
        return iter(())


class BoundParameters(CriterionParameters):
    """A lower bound, strict (``>``) or inclusive (``>=``)."""

    comparator: Literal[">", ">="]

    @property
    def value(self) -> Decimal:
        """The bound."""
        raise NotImplementedError

    @property
    def text(self) -> str:
        """The bound for display, without its comparator."""
        return plain(self.value)

    @property
    def sign(self) -> str:
        """The comparator for display."""
        return "≥" if self.comparator == ">=" else self.comparator

    def holds(self, measured: Measured) -> Answer:
        """Whether the value lies beyond the bound, over its whole interval."""
        return measured.is_above(self.value) if self.comparator == ">" else measured.is_at_least(self.value)


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion of relapse; its numbers are those of each criteria set.

    ``letter`` is what results, cases and clinicians call it. ``key`` is its table in a criteria set and
    ``parameters`` that table's shape. ``samples`` names the part of the window that decides it. ``words`` are
    the beginnings of the keys of its sentences. ``readings`` are the values of ``mode`` where the wording
    leaves a choice. ``includes`` are criteria of the same set whose evidence meets this one too.
    ``yardstick``: its number is named where only another set finds disease of its site. ``second_test``:
    left open, it asks for a further test, which is a suspicion by itself.
    """

    letter: str
    key: str
    site: Site
    samples: Literal["marrow", "blood", "mrd", "taps", "findings"]
    parameters: type[CriterionParameters]
    evaluate: Callable[[Window, CriteriaSet, Gap], Verdict]
    words: tuple[str, ...]
    readings: tuple[str, ...] = ()
    includes: tuple[Criterion, ...] = ()
    yardstick: bool = False
    second_test: bool = False

    @property
    def guideline(self) -> str:
        """The guideline's words, with their source."""
        return cleandoc(self.evaluate.__doc__ or "")

    @property
    def in_marrow(self) -> bool:
        """Whether what it finds lies in the marrow."""
        return self.site is Site.MARROW

    @property
    def outside_marrow(self) -> bool:
        """Whether what it finds is extramedullary disease."""
        return self.site in (Site.CNS, Site.ORGAN)

    def of(self, criteria: CriteriaSet) -> CriterionParameters | None:
        """Its numbers in a set; None where the set does not have it."""
        return criteria.part(self.key, self.parameters)

    def asks(self, parameters: CriterionParameters) -> Statement:
        """What it asks for with these numbers, in a sentence."""
        key = f"timeline.criterion.{self.letter}"
        if self.readings:
            key += f".{parameters.reading}"
        return Statement(key, parameters.numbers(), parameters.cites)
