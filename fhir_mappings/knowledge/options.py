"""Reading the option table: agents and regimens with their label facts and sources."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt

from fhir_mappings.clinical.options import OptionRule
from fhir_mappings.knowledge.errors import Fault
from fhir_mappings.knowledge.loader import KnowledgeFile, read_toml

_Count = Annotated[StrictInt, Field(ge=0, le=1200)]


class OptionEntry(KnowledgeFile):
    """One ``[[option]]``."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: Annotated[str, Field(min_length=1)]
    section: Literal["OPT-B", "OPT-T", "OPT-PH", "SALVAGE"]
    kind: Literal["targeted", "cellular", "salvage", "off-label"]
    lineages: Annotated[tuple[Literal["B", "T", "mixed"], ...], Field(min_length=1)]
    facts: str
    jurisdiction: Literal["US", "EU"]
    cites: Annotated[tuple[str, ...], Field(min_length=1)]
    safety: str = ""
    antigen: Literal["", "cd19", "cd22"] = ""
    requires: Literal["", "bcr-abl1", "kmt2a"] = ""
    agent: str = ""
    population: Literal["", "adult", "paediatric"] = ""
    age_months_at_least: _Count = 0
    age_years_at_least: _Count = 0
    age_years_at_most: _Count = 0
    age_confirmed: StrictBool = True
    regimens_at_least: _Count = 0
    relapse_at_least: _Count = 0
    refractory_suffices: StrictBool = False
    off_label: StrictBool = False
    label_date: date | None = None


class OptionsFile(KnowledgeFile):
    """``options.toml``."""

    option: Annotated[tuple[OptionEntry, ...], Field(min_length=1)]


def read_options(path: Path, agents: frozenset[str], faults: list[Fault]) -> tuple[OptionRule, ...]:
    """All options in the order of the file, which is the order in which they are shown."""
    file = read_toml(path, OptionsFile, faults)
    if file is None:
        return ()
    faults.extend(
        Fault(str(path), 0, f"{entry.id}.agent", "unknown agent", "use an id of agents.toml")
        for entry in file.option
        if entry.agent and entry.agent not in agents
    )
    return tuple(_rule(entry) for entry in file.option)


def _rule(entry: OptionEntry) -> OptionRule:
    values = entry.model_dump()
    values["label_date"] = entry.label_date.isoformat() if entry.label_date else ""
    return OptionRule(**values)
