"""Reading the criteria sets: thresholds of each definition of relapse, with their sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, StrictBool, create_model

from fhir_mappings.clinical.criteria_sets import CriteriaSet
from fhir_mappings.knowledge.criterion import Criterion, CriterionParameters
from fhir_mappings.knowledge.errors import Fault
from fhir_mappings.knowledge.loader import KnowledgeFile, read_toml
from fhir_mappings.knowledge.relapsed_all.criteria import CRITERIA
from fhir_mappings.knowledge.sources import Source
from fhir_mappings.knowledge.words import Words, WordsEntry, blanks_of, words_of


class SetHeader(KnowledgeFile):
    """One ``[[criteria_set]]`` without its criteria.

    A set that is ``off`` is evaluated only where a site chooses it as the deciding one.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    label: Annotated[str, Field(min_length=1)]
    source: str
    default: StrictBool
    complete: StrictBool
    off: StrictBool = False
    incomplete_note: str = ""


_TABLES: dict[str, Any] = {one.key: (one.parameters | None, None) for one in CRITERIA}

if TYPE_CHECKING:
    CriteriaSetEntry = SetHeader
else:
    CriteriaSetEntry = create_model("CriteriaSetEntry", __base__=SetHeader, **_TABLES)
    CriteriaSetEntry.__doc__ = "One ``[[criteria_set]]`` with one table for each criterion it has."


class CriteriaSetsFile(KnowledgeFile):
    """``criteria_sets.toml``: the numbers of every set, and the sentences of the criteria."""

    criteria_set: Annotated[tuple[CriteriaSetEntry, ...], Field(min_length=1)]
    words: dict[str, WordsEntry] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CriteriaSets:
    """The sets that are evaluated, the default one first; those that are off; the criteria's sentences."""

    on: tuple[CriteriaSet, ...] = ()
    off: tuple[CriteriaSet, ...] = ()
    words: Mapping[str, Words] = field(default_factory=dict)


def read_criteria_sets(path: Path, sources: Mapping[str, Source], faults: list[Fault]) -> CriteriaSets:
    """All criteria sets with the sentences of their criteria."""
    file = read_toml(path, CriteriaSetsFile, faults)
    if file is None:
        return CriteriaSets()
    for entry in file.criteria_set:
        if entry.source not in sources:
            faults.append(
                Fault(str(path), 0, f"{entry.id}.source", "unknown source", "add it to sources.toml")
            )
        if not entry.complete and not entry.incomplete_note:
            faults.append(
                Fault(str(path), 0, entry.id, "says nothing of what is incomplete", "add incomplete_note")
            )
    if sum(entry.default and not entry.off for entry in file.criteria_set) != 1:
        faults.append(
            Fault(str(path), 0, "default", "not exactly one default set", "set default = true on one")
        )
    on = [_criteria_set(entry) for entry in file.criteria_set if not entry.off]
    off = tuple(_criteria_set(entry) for entry in file.criteria_set if entry.off)
    on.sort(key=lambda criteria: not criteria.default)
    return CriteriaSets(tuple(on), off, words_of(file.words, path, faults))


def _criteria_set(entry: SetHeader) -> CriteriaSet:
    parts = {one.key: part for one in CRITERIA if (part := getattr(entry, one.key)) is not None}
    header = entry.model_dump(include={"id", "label", "source", "default", "complete", "incomplete_note"})
    return CriteriaSet(**header, parts=parts)


def unspoken(path: Path, sets: CriteriaSets, words: Mapping[str, Words]) -> Iterator[Fault]:
    """Criteria without their sentences, and sentences with a blank that the numbers do not fill."""
    for criteria in (*sets.on, *sets.off):
        for criterion in CRITERIA:
            parameters = criterion.of(criteria)
            if parameters is not None:
                yield from _unfilled(path, criterion, parameters, words)


def _unfilled(
    path: Path, criterion: Criterion, parameters: CriterionParameters, words: Mapping[str, Words]
) -> Iterator[Fault]:
    asks, met = criterion.asks(parameters).words, f"criterion.{criterion.letter}"
    for key in (f"{met}.name", asks, met):
        if key not in words:
            yield Fault(str(path), 0, f"words.{key}", "missing sentence", "add its text and cites")
        elif key != met:
            for blank in sorted(blanks_of(words[key].text) - parameters.numbers().keys()):
                remedy = f"use: {', '.join(parameters.numbers()) or 'none'}"
                yield Fault(str(path), 0, f"words.{key}", f"nothing fills the blank {blank}", remedy)
