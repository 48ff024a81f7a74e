"""Reading the criteria sets: thresholds of each definition of relapse, with their sources."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt

from fhir_mappings.clinical.criteria_sets import (
    Bound,
    CriteriaSet,
    MarrowWithBlood,
    Repopulation,
    ResidualTable,
)
from fhir_mappings.knowledge.errors import Fault
from fhir_mappings.knowledge.loader import KnowledgeFile, read_toml
from fhir_mappings.knowledge.sources import Source

_Percent = Annotated[Decimal, Field(ge=0, le=100)]
_Cites = Annotated[tuple[str, ...], Field(min_length=1)]


class MarrowEntry(KnowledgeFile):
    """``marrow_single``."""

    comparator: Literal[">", ">="]
    percent: _Percent
    cites: _Cites


class RepopulationEntry(KnowledgeFile):
    """``repopulation``."""

    mode: Literal["rise", "above-five", "two-above-25"]
    rise_over: _Percent
    final_over: _Percent
    minimum_gap_hours: Annotated[StrictInt, Field(gt=0)]
    maximum_gap_days: Annotated[StrictInt, Field(gt=0)]
    cites: _Cites


class MarrowWithBloodEntry(KnowledgeFile):
    """``marrow_with_blood``."""

    marrow_over: _Percent
    blood_at_least: _Percent
    window_days: Annotated[StrictInt, Field(gt=0)]
    cites: _Cites


class CsfEntry(KnowledgeFile):
    """``csf``: leukocytes per microlitre, blasts always required."""

    comparator: Literal[">", ">="]
    wbc_per_ul: Annotated[Decimal, Field(ge=0)]
    cites: _Cites


class ExtramedullaryEntry(KnowledgeFile):
    """``extramedullary``."""

    cites: _Cites


class ResidualTableEntry(KnowledgeFile):
    """``residual_table``."""

    relapse_at_least: _Percent
    middle_at_least: _Percent
    low_at_least: _Percent
    test_at_least: _Percent
    cites: _Cites


class CriteriaSetEntry(KnowledgeFile):
    """One ``[[criteria_set]]``."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    label: Annotated[str, Field(min_length=1)]
    source: str
    default: StrictBool
    complete: StrictBool
    incomplete_note: str = ""
    marrow_single: MarrowEntry | None = None
    repopulation: RepopulationEntry | None = None
    marrow_with_blood: MarrowWithBloodEntry | None = None
    csf: CsfEntry | None = None
    extramedullary: ExtramedullaryEntry | None = None
    residual_table: ResidualTableEntry | None = None


class CriteriaSetsFile(KnowledgeFile):
    """``criteria_sets.toml``."""

    criteria_set: Annotated[tuple[CriteriaSetEntry, ...], Field(min_length=1)]


def read_criteria_sets(
    path: Path, sources: Mapping[str, Source], faults: list[Fault]
) -> tuple[CriteriaSet, ...]:
    """All criteria sets, the default one first."""
    file = read_toml(path, CriteriaSetsFile, faults)
    if file is None:
        return ()
    for entry in file.criteria_set:
        if entry.source not in sources:
            faults.append(
                Fault(str(path), 0, f"{entry.id}.source", "unknown source", "add it to sources.toml")
            )
        if not entry.complete and not entry.incomplete_note:
            faults.append(
                Fault(str(path), 0, entry.id, "says nothing of what is incomplete", "add incomplete_note")
            )
    if sum(entry.default for entry in file.criteria_set) != 1:
        faults.append(
            Fault(str(path), 0, "default", "not exactly one default set", "set default = true on one")
        )
    found = [_criteria_set(entry) for entry in file.criteria_set]
    return tuple(sorted(found, key=lambda criteria: not criteria.default))


def _criteria_set(entry: CriteriaSetEntry) -> CriteriaSet:
    marrow, blood, csf, table = (
        entry.marrow_single,
        entry.marrow_with_blood,
        entry.csf,
        entry.residual_table,
    )
    return CriteriaSet(
        id=entry.id,
        label=entry.label,
        source=entry.source,
        default=entry.default,
        complete=entry.complete,
        incomplete_note=entry.incomplete_note,
        marrow_single=Bound(marrow.comparator, marrow.percent, marrow.cites) if marrow else None,
        repopulation=Repopulation(**entry.repopulation.model_dump()) if entry.repopulation else None,
        marrow_with_blood=MarrowWithBlood(**blood.model_dump()) if blood else None,
        csf=Bound(csf.comparator, csf.wbc_per_ul, csf.cites) if csf else None,
        extramedullary=entry.extramedullary.cites if entry.extramedullary else (),
        residual_table=ResidualTable(**table.model_dump()) if table else None,
    )
