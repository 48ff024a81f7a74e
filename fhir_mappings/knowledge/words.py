"""The sentences a user can see: text with named blanks, citations, and whether they are confirmed."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field, RootModel, StrictBool

from fhir_mappings.knowledge.errors import Fault
from fhir_mappings.knowledge.loader import KnowledgeFile, read_toml

# Gray is no dose of a drug: the dispute about 18 and 12 Gy is shown with its reason (S-000-20).
Line = Literal["timing", "site", "open", "outside", "mrd", "undone", "study"]
"""The lines of a card that several sentences share."""

_DOSE = re.compile(r"\b\d[\d.,]* ?(mg|mcg|ug|µg|g/m2?|IU|units?|mg/kg|mL)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Words:
    """One sentence. ``unconfirmed`` marks general knowledge without a source that was read.

    ``rank`` is its place on a card: 0 for what no budget may drop (a doubt, a warning, what is missing),
    then 1 for the most important; None for what stands on the evidence page only. ``brief`` is what the
    card says in its place; it may use further values of the statement. Sentences that share a ``line``
    stand together on that line of the card.
    """

    text: str
    cites: tuple[str, ...]
    unconfirmed: bool = False
    rank: int | None = None
    brief: str = ""
    line: str = ""


class WordsEntry(KnowledgeFile):
    """One table of ``words.toml``."""

    text: Annotated[str, Field(min_length=1)]
    cites: Annotated[tuple[str, ...], Field(min_length=1)]
    unconfirmed: StrictBool = False
    rank: int | None = Field(default=None, ge=0, le=9)
    brief: Annotated[str, Field(min_length=1)] | None = None
    line: Line | None = None


class WordsFile(RootModel[dict[str, WordsEntry]]):
    """``words.toml``: every table is one sentence."""


def read_words(path: Path, faults: list[Fault]) -> Mapping[str, Words]:
    """All sentences by key; a blank that is not a plain name is a fault."""
    file = read_toml(path, WordsFile, faults)
    return words_of(file.root if file is not None else {}, path, faults)


def words_of(entries: Mapping[str, WordsEntry], path: Path, faults: list[Fault]) -> Mapping[str, Words]:
    """The sentences of some tables of the file ``path``."""
    for key, entry in entries.items():
        for problem, remedy in _problems(entry):
            faults.append(Fault(str(path), 0, key, problem, remedy))
    return MappingProxyType({key: _words(entry) for key, entry in entries.items()})


def _words(entry: WordsEntry) -> Words:
    return Words(entry.text, entry.cites, entry.unconfirmed, entry.rank, entry.brief or "", entry.line or "")


def _problems(entry: WordsEntry) -> Iterator[tuple[str, str]]:
    for text in (entry.text, entry.brief or ""):
        if _DOSE.search(text):
            yield "names a dose", "leave doses to pharmacy and the protocol"
        for _text, name, spec, conversion in _fields(text):
            if name is not None and (not name.replace("_", "").isalnum() or spec or conversion):
                yield "a blank is not a plain name", "write {name}"
    if entry.line and (entry.rank is None or not entry.brief):
        yield "a part of a line without rank or brief words", "add them, or remove line"


def blanks_of(text: str) -> frozenset[str]:
    """The names of the blanks of a sentence."""
    return frozenset(name for _text, name, _spec, _conversion in _fields(text) if name)


def _fields(text: str) -> list[tuple[str, str | None, str | None, str | None]]:
    try:
        return list(string.Formatter().parse(text))
    except ValueError:
        return [("", "{", None, None)]
