"""What the rules ask an EHR for: one need per prefetch key, its codes derived from the value sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt

from fhir_mappings.clinical.vocabulary import Vocabulary
from fhir_mappings.knowledge.errors import Fault
from fhir_mappings.knowledge.loader import KnowledgeFile, read_toml

Requirement = Literal["always", "with-all", "degradable"]


@dataclass(frozen=True, slots=True)
class Need:
    """One clinical need and how to ask for it.

    ``codes`` are ``system|code``; empty means that the query is not narrowed by code. ``coded`` says
    that the need is for coded results, so that without codes there is nothing to ask for.
    """

    key: str
    title: str
    resource_type: str
    codes: tuple[str, ...]
    patient_parameter: str
    sort: str
    count: int
    requirement: Requirement
    coded: bool = False
    on_request: bool = False
    """Asked for only where a site wants it: its absence is then nothing to tell."""


class NeedEntry(KnowledgeFile):
    """One ``[[need]]``."""

    key: Annotated[str, Field(pattern=r"^[a-z]+$")]
    title: Annotated[str, Field(min_length=1)]
    resource_type: str
    patient_parameter: Literal["_id", "patient", "subject", "individual"]
    sort: str = ""
    count: Annotated[StrictInt, Field(ge=0, le=200)] = 0
    requirement: Requirement
    on_request: StrictBool = False


class NeedsFile(KnowledgeFile):
    """``needs.toml``."""

    need: Annotated[tuple[NeedEntry, ...], Field(min_length=1)]


def read_needs(path: Path, vocabulary: Vocabulary, faults: list[Fault]) -> tuple[Need, ...]:
    """All needs in the order of the file, with the codes of their concepts."""
    file = read_toml(path, NeedsFile, faults)
    if file is None:
        return ()
    codes = _codes_by_need(vocabulary)
    known = {entry.key for entry in file.need}
    for concept in vocabulary.result_concepts.values():
        if concept.need not in known:
            faults.append(Fault(str(path), 0, concept.need, "a concept names this need", "add its [[need]]"))
    return tuple(
        Need(
            key=entry.key,
            title=entry.title,
            resource_type=entry.resource_type,
            codes=codes.get(entry.key, ()),
            patient_parameter=entry.patient_parameter,
            sort=entry.sort,
            count=entry.count,
            requirement=entry.requirement,
            coded=entry.resource_type == "Observation",
            on_request=entry.on_request,
        )
        for entry in file.need
    )


def _codes_by_need(vocabulary: Vocabulary) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for code, systems in vocabulary.results.items():
        for system, concept in systems.items():
            found.setdefault(concept.need, set()).add(f"{system}|{code}")
    return {need: tuple(sorted(codes)) for need, codes in found.items()}
