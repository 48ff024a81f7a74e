"""The sources that criteria, facts and card words cite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt

from fhir_mappings.knowledge.errors import Fault
from fhir_mappings.knowledge.loader import KnowledgeFile, read_toml

Kind = Literal["seed", "trial", "label", "guideline", "review", "terminology", "other"]
Reading = Literal["full", "abstract", "table", "secondary"]


@dataclass(frozen=True, slots=True)
class Source:
    """One citable source.

    ``label`` is short enough for a card, ``url`` is absolute https or empty where none is certain, ``year``
    is None where unknown. ``read`` says how much of it was read: full text, abstract, a table, or only
    another text about it. ``confirmed`` is False while its identity or content rests on general knowledge.
    ``jurisdiction`` is set for product labels. ``note`` says where else it was read.
    """

    key: str
    label: str
    title: str
    kind: Kind
    read: Reading
    confirmed: bool
    url: str = ""
    year: int | None = None
    jurisdiction: str = ""
    note: str = ""


class SourceEntry(KnowledgeFile):
    """One ``[[source]]`` table of ``sources.toml``."""

    id: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$", description="such as PDL or seed-000")
    ]
    label: Annotated[str, Field(min_length=1, max_length=60, description="a short name for a card")]
    title: Annotated[
        str, Field(min_length=1, description="what it is, with journal and volume where it has one")
    ]
    kind: Kind
    read: Reading
    confirmed: StrictBool
    url: Annotated[str, Field(pattern=r"^https://[^\s<>()\[\]\"]+$")] = ""
    year: Annotated[StrictInt, Field(ge=1950, le=2100)] | None = None
    jurisdiction: Literal["", "US", "EU"] = ""
    note: str = ""


class SourcesFile(KnowledgeFile):
    """``sources.toml``."""

    source: tuple[SourceEntry, ...]


def read_sources(path: Path, faults: list[Fault]) -> Mapping[str, Source]:
    """All sources by their key; every mistake is added to ``faults``."""
    file = read_toml(path, SourcesFile, faults)
    entries = file.source if file is not None else ()
    faults.extend(_entry_faults(path, entries))
    return MappingProxyType({entry.id: _source(entry) for entry in entries})


def _entry_faults(path: Path, entries: Iterable[SourceEntry]) -> Iterable[Fault]:
    seen: set[str] = set()
    for entry in entries:
        if entry.id in seen:
            yield Fault(str(path), 0, entry.id, "source listed twice", "keep one table per id")
        seen.add(entry.id)
        if (entry.kind == "label") != bool(entry.jurisdiction):
            remedy = "a label needs its jurisdiction (US or EU), and nothing else has one"
            yield Fault(str(path), 0, entry.id, "jurisdiction does not fit the kind", remedy)


def _source(entry: SourceEntry) -> Source:
    return Source(
        key=entry.id,
        label=entry.label,
        title=entry.title,
        kind=entry.kind,
        read=entry.read,
        confirmed=entry.confirmed,
        url=entry.url,
        year=entry.year,
        jurisdiction=entry.jurisdiction,
        note=entry.note,
    )
