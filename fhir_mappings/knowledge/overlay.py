"""A site's own numbers and words: a folder with only what differs from the packaged knowledge.

    site-knowledge/thresholds.toml      [suspect_marrow_at_least]
    site-knowledge/criteria_sets.toml   [seed-000.marrow_single.percent]
    site-knowledge/words.toml           ["hsct.summary"]
    site-knowledge/reviews.toml         what the site signed, written by `relapse-cds knowledge sign`

Every entry has its ``value`` (a sentence its ``text``), and says why, who, when, and which cases it changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast, get_args

from pydantic import Field, RootModel, ValidationError

from fhir_mappings.clinical.criteria_sets import CriteriaSet
from fhir_mappings.clinical.quantities import plain
from fhir_mappings.knowledge.criterion import CriterionParameters
from fhir_mappings.knowledge.digests import content_digest
from fhir_mappings.knowledge.errors import Fault, KnowledgeError
from fhir_mappings.knowledge.loader import KnowledgeFile, read_toml
from fhir_mappings.knowledge.model import Knowledge, SiteChange, SiteVersion
from fhir_mappings.knowledge.review.signatures import DRAFT
from fhir_mappings.knowledge.thresholds import ThresholdName, misfits
from fhir_mappings.knowledge.words import Words, WordsEntry, blanks_of, words_of

FILES = ("thresholds.toml", "criteria_sets.toml", "words.toml", "reviews.toml")
_SHOWN = 12
_DigestedText = Annotated[str, Field(min_length=1)]


class _Change(KnowledgeFile):
    reason: Annotated[str, Field(min_length=10, description="why the site differs, with its source")]
    name: Annotated[str, Field(min_length=2, max_length=100, description="who decided it")]
    date: date
    cases: tuple[str, ...] = Field(description="ids of the clinical cases whose answer it changes")


class NumberChange(_Change):
    """One number of ``thresholds.toml`` or ``criteria_sets.toml``; of a criterion also ``mode``."""

    value: Decimal | str


class WordsChange(_Change):
    """One sentence of ``words.toml``."""

    text: _DigestedText


class _Numbers(RootModel[dict[str, NumberChange]]):
    pass


class _Criteria(RootModel[dict[str, dict[str, dict[str, NumberChange]]]]):
    pass


class _Sentences(RootModel[dict[str, WordsChange]]):
    pass


_File = TypeVar("_File", bound=RootModel[Any])


@dataclass(frozen=True, slots=True)
class _Read:
    """One file of the folder while it is laid over, with what was changed and what is wrong."""

    path: Path
    changes: list[SiteChange]
    faults: list[Fault]

    def fault(self, key: str, problem: str, remedy: str) -> None:
        self.faults.append(Fault(str(self.path), 0, key, problem, remedy))

    def change(self, key: str, was: str, value: str, entry: _Change) -> None:
        """Notes a change; one that changes nothing is a fault."""
        if was == value:
            self.fault(key, "is what the packaged knowledge says", "remove the entry")
        self.changes.append(SiteChange(key, was, value, entry.reason, entry.name, entry.date, entry.cases))


def laid_over(knowledge: Knowledge, folder: Path, known_cases: Iterable[str] | None = None) -> Knowledge:
    """The packaged knowledge with what the site's folder changes, a draft of a version of its own.

    ``known_cases`` are the ids of the clinical cases where they are at hand. Raises KnowledgeError naming
    every fault of the folder.
    """
    faults = list(_strangers(folder))
    changes: list[SiteChange] = []
    thresholds = _thresholds(knowledge, _Read(folder / "thresholds.toml", changes, faults))
    sets = _Read(folder / "criteria_sets.toml", changes, faults)
    criteria_sets = _criteria_sets(knowledge.criteria_sets, sets)
    words = _words(knowledge.words, _Read(folder / "words.toml", changes, faults))
    if not changes and not faults:
        faults.append(
            Fault(str(folder), 0, "folder", "changes nothing", "add an entry, or remove the setting")
        )
    if known_cases is not None:
        faults.extend(_unknown_cases(folder, changes, frozenset(known_cases)))
    if faults:
        raise KnowledgeError(faults)
    digest = content_digest(folder)
    whole = hashlib.sha256(f"{knowledge.digest} {digest}".encode()).hexdigest()
    return replace(
        knowledge,
        thresholds=thresholds,
        criteria_sets=criteria_sets,
        words=words,
        version=f"{knowledge.version}, site version {digest.rpartition(':')[2][:_SHOWN]}",
        digest=f"sha256:{whole}",
        review=DRAFT,
        site=SiteVersion(digest, tuple(changes)),
    )


def _strangers(folder: Path) -> Iterator[Fault]:
    if not folder.is_dir():
        yield Fault(str(folder), 0, "folder", "is no folder", "name the folder with the site's changes")
        return
    for path in sorted(folder.iterdir()):
        if path.suffix in (".toml", ".csv", ".py") and path.name not in FILES:
            yield Fault(str(path), 0, "file", "cannot be overlaid", f"use one of: {', '.join(FILES)}")


def _entries(read: _Read, model: type[_File]) -> Any:
    if not read.path.exists():
        return {}
    file = read_toml(read.path, model, read.faults)
    return file.root if file is not None else {}


def _thresholds(knowledge: Knowledge, read: _Read) -> Mapping[ThresholdName, Any]:
    found = dict(knowledge.thresholds)
    entries: Mapping[str, NumberChange] = _entries(read, _Numbers)
    for key, entry in entries.items():
        if key not in get_args(ThresholdName):
            read.fault(key, "no rule uses this threshold", "take a name of the packaged thresholds.toml")
            continue
        name = cast("ThresholdName", key)
        number = _number(entry.value)
        if number is None:
            read.fault(f"{key}.value", "is no number", "write a number")
            continue
        packaged = found[name]
        for problem, remedy in misfits(key, packaged.unit, number):
            read.fault(key, problem, remedy)
        read.change(key, plain(packaged.value), plain(number), entry)
        found[name] = replace(packaged, value=number)
    return found


def _criteria_sets(sets: tuple[CriteriaSet, ...], read: _Read) -> tuple[CriteriaSet, ...]:
    by_id = {one.id: one for one in sets}
    entries: Mapping[str, Mapping[str, Mapping[str, NumberChange]]] = _entries(read, _Criteria)
    for set_id, criteria in entries.items():
        for key, numbers in criteria.items():
            part = by_id[set_id].parts.get(key) if set_id in by_id else None
            if not isinstance(part, CriterionParameters):
                read.fault(f"{set_id}.{key}", "no such criterion in that set", "see criteria_sets.toml")
                continue
            changed = _parameters(f"{set_id}.{key}", part, numbers, read)
            by_id[set_id] = by_id[set_id].with_part(key, changed)
    return tuple(by_id[one.id] for one in sets)


def _parameters(
    where: str, part: CriterionParameters, numbers: Mapping[str, NumberChange], read: _Read
) -> CriterionParameters:
    values = part.model_dump()
    own = sorted(values.keys() - {"cites"})
    for name, entry in numbers.items():
        if name not in own:
            read.fault(f"{where}.{name}", "no such number", f"use one of: {', '.join(own)}")
            continue
        value = _as_whole(entry.value) if isinstance(values[name], int) else entry.value
        read.change(f"{where}.{name}", _shown(values[name]), _shown(value), entry)
        values[name] = value
    try:
        return type(part).model_validate(values)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            read.fault(f"{where}.{'.'.join(map(str, detail['loc']))}", "wrong value", detail["msg"])
        return part


def _words(packaged: Mapping[str, Words], read: _Read) -> Mapping[str, Words]:
    found = dict(packaged)
    entries: Mapping[str, WordsChange] = _entries(read, _Sentences)
    for key, entry in entries.items():
        if key not in packaged:
            read.fault(key, "no such sentence", "take a key of the packaged words.toml")
            continue
        old = packaged[key]
        strange = sorted(blanks_of(entry.text) - blanks_of(old.text))
        if strange:
            fills = ", ".join(sorted(blanks_of(old.text))) or "none"
            read.fault(key, f"nothing fills the blank {strange[0]}", f"use: {fills}")
        read.change(key, old.text, entry.text, entry)
        changed = WordsEntry(text=entry.text, cites=old.cites, unconfirmed=True, rank=old.rank)
        found.update(words_of({key: changed}, read.path, read.faults))
    return found


def _unknown_cases(folder: Path, changes: Iterable[SiteChange], known: frozenset[str]) -> Iterator[Fault]:
    for change in changes:
        for case in sorted(set(change.cases) - known):
            yield Fault(str(folder), 0, change.key, f"no case {case}", "name cases of the checkout")


def _number(value: Decimal | str) -> Decimal | None:
    return value if isinstance(value, Decimal) else None


def _as_whole(value: Decimal | str) -> object:
    return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else value


def _shown(value: object) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)
