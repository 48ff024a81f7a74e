"""Numbers the rules use, each with unit, meaning and source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, get_args

from pydantic import Field, RootModel, StrictBool

from fhir_mappings.knowledge.errors import Fault
from fhir_mappings.knowledge.loader import KnowledgeFile, read_toml
from fhir_mappings.knowledge.past import EarlierNumber, Version, past_faults

ThresholdName = Literal[
    "remission_marrow_below", "remission_after_days", "refractory_within_days", "new_diagnosis_days",
    "isolated_marrow_below", "isolated_window_days", "testis_window_days", "marker_window_days",
    "maintenance_gap_days", "alert_window_days", "reminder_limit_days", "suspect_marrow_at_least",
    "suspect_blood_at_least", "traumatic_csf_rbc_at_least", "steinherz_bleyer_factor",
    "blood_counts_window_days", "contradicting_mrd_below", "gcsf_days", "pegfilgrastim_days",
    "regeneration_days", "early_marrow_months", "early_extramedullary_months", "end_of_therapy_months",
    "first_remission_months", "very_early_months", "mrd_negative_below", "mrd_hsct_r3", "mrd_hsct_bfm",
    "mrd_hsct_cog", "mrd_due_before_days", "mrd_due_after_days", "mrd_before_transplant_days",
    "hsct_referral_days", "antigen_positive_at_least", "antigen_negative_below", "adult_years",
    "cns3_wbc_at_least", "blood_marrow_days", "persistent_marrow_at_least", "lymphoma_marrow_at_least",
    "blasts_marrow_at_least", "blasts_blood_at_least", "suspect_blast_count_at_least",
    "old_marrow_months", "mrd_recurrence_at_least", "mrd_rising_days",
]  # fmt: skip
"""The numbers the formulas ask for by name: the type checker refuses a name that is not here, and a file
that lacks one or holds another cannot be used."""

REQUIRED: frozenset[ThresholdName] = frozenset(get_args(ThresholdName))
_UNITS = ("%", "d", "h", "mo", "a", "/uL", "1")
_UNIT_BY_NAME = {
    "_days": "d",
    "_months": "mo",
    "_years": "a",
    "_factor": "1",
    "_rbc_at_least": "/uL",
    "_wbc_at_least": "/uL",
    "_count_at_least": "/uL",
}
"""What the formulas take a number for, by the end of its name; every other one is a percentage."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One number. ``unit`` is %, d, h, mo, a, /uL or 1. ``confirmed`` is False without a source read.

    ``since`` is the version of the knowledge in which the number took this value, ``was`` what it was
    before, the latest first.
    """

    key: ThresholdName
    value: Decimal
    unit: str
    meaning: str
    cites: tuple[str, ...]
    confirmed: bool
    since: str
    was: tuple[EarlierNumber, ...] = ()

    @property
    def whole(self) -> int:
        """The value as a whole number of days, months or years."""
        return int(self.value)


class ThresholdEntry(KnowledgeFile):
    """One table of ``thresholds.toml``."""

    value: Annotated[Decimal, Field(ge=0, le=10000)]
    unit: Annotated[str, Field(pattern="^(" + "|".join(_UNITS).replace("/", "\\/") + ")$")]
    meaning: Annotated[str, Field(min_length=10)]
    cites: Annotated[tuple[str, ...], Field(min_length=1)]
    confirmed: StrictBool = True
    since: Version
    was: tuple[EarlierNumber, ...] = ()


class ThresholdsFile(RootModel[dict[str, ThresholdEntry]]):
    """``thresholds.toml``: every table is one threshold."""


def read_thresholds(path: Path, faults: list[Fault]) -> Mapping[ThresholdName, Threshold]:
    """All thresholds by key; a missing or an unknown one is a fault."""
    file = read_toml(path, ThresholdsFile, faults)
    if file is None:
        return MappingProxyType({})
    faults.extend(
        Fault(str(path), 0, key, "threshold is missing", "add its table with value, unit, meaning and cites")
        for key in sorted(set(REQUIRED) - file.root.keys())
    )
    faults.extend(
        Fault(str(path), 0, key, "no rule uses this threshold", "correct its name or remove it")
        for key in sorted(file.root.keys() - REQUIRED)
    )
    for key, entry in file.root.items():
        faults.extend(Fault(str(path), 0, key, *found) for found in misfits(key, entry.unit, entry.value))
        faults.extend(past_faults(path, key, entry.value, entry.since, entry.was))
    return MappingProxyType(
        {key: _threshold(key, file.root[key]) for key in get_args(ThresholdName) if key in file.root}
    )


def _threshold(key: ThresholdName, entry: ThresholdEntry) -> Threshold:
    return Threshold(
        key, entry.value, entry.unit, entry.meaning, entry.cites, entry.confirmed, entry.since, entry.was
    )


def misfits(key: str, written: str, value: Decimal) -> Iterator[tuple[str, str]]:
    """A unit or a number that the formulas would take for something else."""
    unit = next((unit for end, unit in _UNIT_BY_NAME.items() if key.endswith(end)), "%")
    if written != unit:
        yield (
            f"the unit is {written}, the rules count in {unit}",
            f'write unit = "{unit}" and the value in it',
        )
    elif unit in ("d", "mo", "a") and (value < 1 or value % 1 != 0):
        yield f"{value} {unit} is no whole number from 1 on", "write whole days, months or years"
    elif value == 0 or (unit == "%" and value > 100):
        yield (
            f"{value} {unit} is no threshold",
            "write a number above 0, and at most 100 for a percentage",
        )
