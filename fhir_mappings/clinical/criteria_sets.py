"""A criteria set: the numbers one definition of relapse holds the same data against."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.quantities import Measured, plain


@dataclass(frozen=True, slots=True)
class Bound:
    """A lower bound, strict (``>``) or inclusive (``>=``), with its citations."""

    comparator: str
    value: Decimal
    cites: tuple[str, ...]

    def holds(self, measured: Measured) -> Answer:
        """Whether the value lies beyond the bound, over its whole interval."""
        return measured.is_above(self.value) if self.comparator == ">" else measured.is_at_least(self.value)

    @property
    def text(self) -> str:
        """The threshold for display, without its comparator."""
        return plain(self.value)


@dataclass(frozen=True, slots=True)
class Repopulation:
    """Progressive repopulation in two marrows (S-000-02). ``mode`` is one of the readings of A-02."""

    mode: str
    rise_over: Decimal
    final_over: Decimal
    minimum_gap_hours: int
    maximum_gap_days: int
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MarrowWithBlood:
    """Marrow and circulating lymphoblasts together (S-000-03)."""

    marrow_over: Decimal
    blood_at_least: Decimal
    window_days: int
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResidualTable:
    """The PdL 2022 marrow table for centres with MRD, in % (reference 2.2)."""

    relapse_at_least: Decimal
    middle_at_least: Decimal
    low_at_least: Decimal
    test_at_least: Decimal
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CriteriaSet:
    """One definition of relapse. Absent parts are not evaluated by the set."""

    id: str
    label: str
    source: str
    default: bool
    complete: bool
    incomplete_note: str = ""
    marrow_single: Bound | None = None
    repopulation: Repopulation | None = None
    marrow_with_blood: MarrowWithBlood | None = None
    csf: Bound | None = None
    extramedullary: tuple[str, ...] = ()
    residual_table: ResidualTable | None = None
