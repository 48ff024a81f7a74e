"""``code_systems.toml`` as it is written: the spellings under which each code system arrives."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, StrictInt

from fhir_mappings.clinical.code_systems import CodeSystems, plain_spelling
from fhir_mappings.knowledge.errors import Fault
from fhir_mappings.knowledge.loader import KnowledgeFile, read_toml


class SystemEntry(KnowledgeFile):
    """One ``[[system]]``."""

    url: Annotated[str, Field(pattern=r"^https?://\S+$")]
    aliases: tuple[Annotated[str, Field(min_length=2)], ...] = ()
    editions: tuple[Annotated[str, Field(min_length=8)], ...] = ()
    category: Annotated[StrictInt, Field(ge=3, le=6)] | None = None
    source: Annotated[str, Field(min_length=10)]


class SystemsFile(KnowledgeFile):
    """``code_systems.toml``."""

    system: Annotated[tuple[SystemEntry, ...], Field(min_length=1)]


def read_code_systems(path: Path, faults: list[Fault]) -> CodeSystems:
    """The spellings of every system; one that means two systems is a fault."""
    file = read_toml(path, SystemsFile, faults)
    if file is None:
        return CodeSystems()
    aliases: dict[str, str] = {}
    for entry in file.system:
        for spelling in (entry.url, *entry.aliases):
            known = aliases.setdefault(plain_spelling(spelling), entry.url)
            if known != entry.url:
                faults.append(Fault(str(path), 0, spelling, f"also means {known}", "keep it in one system"))
    return CodeSystems(
        aliases,
        tuple((start.casefold(), entry.url) for entry in file.system for start in entry.editions),
        {entry.url: entry.category for entry in file.system if entry.category is not None},
    )
