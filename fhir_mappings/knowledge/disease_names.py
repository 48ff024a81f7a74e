"""``disease_names.toml`` as it is written: words, names, lineages and cues."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StrictInt

from fhir_mappings.clinical.disease_names import Cue, DiseaseName, DiseaseNames, Stance, one_after_another
from fhir_mappings.knowledge.errors import Fault
from fhir_mappings.knowledge.loader import KnowledgeFile, read_toml


class NameEntry(KnowledgeFile):
    """One ``[[name]]``: the orders in which its words may stand."""

    means: str
    orders: Annotated[tuple[tuple[str, ...], ...], Field(min_length=1)]
    unless: str = ""


class ShortEntry(KnowledgeFile):
    """One ``[[short]]``: a name in capitals; ``shout`` replaces the pattern where all is in capitals."""

    means: str
    pattern: str
    shout: str = ""


class CueEntry(KnowledgeFile):
    """One ``[[cue]]``."""

    means: Literal["other-person", "denied", "suspected", "history"]
    side: Literal["before", "after"]
    pattern: str


class CueRules(KnowledgeFile):
    """``[cues]``: how many words a cue reaches over, and which words stop it."""

    reach: Annotated[StrictInt, Field(ge=0, le=8)]
    breakers: str


class NamesFile(KnowledgeFile):
    """``disease_names.toml``."""

    hint: str
    words: dict[str, str]
    name: tuple[NameEntry, ...]
    short: tuple[ShortEntry, ...]
    lineage: dict[Literal["B", "T"], str]
    cues: CueRules
    cue: tuple[CueEntry, ...]


def read_disease_names(path: Path, diagnoses: Collection[str], faults: list[Fault]) -> DiseaseNames | None:
    """The names; a word or a diagnosis that does not exist is a fault."""
    file = read_toml(path, NamesFile, faults)
    if file is None:
        return None
    known = len(faults)
    for means in (*(entry.means for entry in file.name), *(entry.means for entry in file.short)):
        if means not in diagnoses:
            faults.append(Fault(str(path), 0, means, "no such diagnosis", "use an id of concepts.toml"))
    for entry in file.name:
        for word in {word for order in entry.orders for word in order} | ({entry.unless} - {""}):
            if word not in file.words:
                faults.append(Fault(str(path), 0, word, "no such word", "add it to [words]"))
    if len(faults) > known:
        return None
    try:
        return _compiled(file)
    except re.error as error:
        faults.append(Fault(str(path), 0, "pattern", f"is no regular expression: {error}", "correct it"))
        return None


def _compiled(file: NamesFile) -> DiseaseNames:
    return DiseaseNames(
        hint=re.compile(file.hint),
        short=tuple(
            DiseaseName(
                entry.means,
                re.compile(entry.pattern),
                shout=re.compile(entry.shout) if entry.shout else None,
            )
            for entry in file.short
        ),
        names=tuple(_name(entry, file.words) for entry in file.name),
        lineage=tuple((lineage, re.compile(pattern)) for lineage, pattern in file.lineage.items()),
        cues=tuple(
            Cue(Stance(entry.means), re.compile(entry.pattern), entry.side == "before") for entry in file.cue
        ),
        breakers=re.compile(file.cues.breakers),
        reach=file.cues.reach,
    )


def _name(entry: NameEntry, words: dict[str, str]) -> DiseaseName:
    orders = (one_after_another([words[word] for word in order]) for order in entry.orders)
    unless = re.compile(rf"\b(?:{words[entry.unless]})\b") if entry.unless else None
    return DiseaseName(entry.means, re.compile("|".join(orders)), unless)
