"""The numbered statements of the product-defining documents, and what every other citation means."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import RootModel, StringConstraints

from fhir_mappings.knowledge.errors import Fault
from fhir_mappings.knowledge.loader import KnowledgeFile, read_toml
from fhir_mappings.knowledge.toml_lines import KeyLines

STATEMENTS = (
    *(f"S-000-{number:02}" for number in range(1, 30)),
    *(f"S-003-{number:02}" for number in range(1, 55)),
)
"""Every number of the two documents; the file must treat each of them."""

GROUPS = ("model", "ambiguities", "confounders", "resolutions", "decisions")
"""The groups of references, in reading order."""

Treatment = Literal["computed", "shown", "not-shown"]
_Text = Annotated[str, StringConstraints(min_length=10, max_length=300)]
_RuleName = Annotated[
    str, StringConstraints(pattern=r"^(fhir_mappings(\.[a-z_0-9]+)+|criterion-[A-Z]+|[A-Z0-9-]+)$")
]
_CaseId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$")]


@dataclass(frozen=True, slots=True)
class SeedStatement:
    """One numbered statement and what becomes of it.

    ``rule`` names functions (dotted), criteria (``criterion-A``) and sections, ``words`` the sentences that
    show it, ``cases`` the clinical cases that pin it; ``reason`` says why it is not shown.
    """

    number: str
    says: str
    treatment: Treatment
    rule: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class References:
    """What short references mean, by group in the order of the file; ``cases`` pin them, ``tests`` are
    files of tests that pin what a clinical case cannot show."""

    groups: Mapping[str, Mapping[str, str]]
    cases: Mapping[str, tuple[str, ...]]
    tests: Mapping[str, str]

    @property
    def known(self) -> frozenset[str]:
        """Every reference that may be cited."""
        return frozenset(key for group in self.groups.values() for key in group)


class StatementEntry(KnowledgeFile):
    """One table of ``statements.toml``."""

    says: _Text
    treatment: Treatment
    rule: tuple[_RuleName, ...] = ()
    words: tuple[str, ...] = ()
    cases: tuple[_CaseId, ...] = ()
    reason: str = ""


class StatementsFile(RootModel[dict[str, StatementEntry]]):
    """``statements.toml``: every table is one statement."""


_Meanings = dict[str, _Text]


class ReferencesFile(KnowledgeFile):
    """``references.toml``."""

    model: _Meanings
    ambiguities: _Meanings
    confounders: _Meanings
    resolutions: _Meanings
    decisions: _Meanings
    cases: dict[str, tuple[_CaseId, ...]]
    tests: dict[str, Annotated[str, StringConstraints(pattern=r"^tests/[a-z_/]+\.py$")]]


def read_statements(path: Path, faults: list[Fault]) -> Mapping[str, SeedStatement]:
    """All statements by number; one that is missing, unknown or half-told is a fault."""
    file = read_toml(path, StatementsFile, faults)
    if file is None:
        return MappingProxyType({})
    for number in STATEMENTS:
        if number not in file.root:
            faults.append(Fault(str(path), 0, number, "statement is missing", "add its table"))
    for number, entry in file.root.items():
        if number not in STATEMENTS:
            faults.append(Fault(str(path), 0, number, "no such statement", "correct the number"))
        faults.extend(_half_told(str(path), number, entry))
    return MappingProxyType(
        {number: SeedStatement(number, **entry.model_dump()) for number, entry in sorted(file.root.items())}
    )


def _half_told(path: str, number: str, entry: StatementEntry) -> Iterator[Fault]:
    if entry.treatment == "not-shown":
        if not entry.reason:
            yield Fault(path, 0, f"{number}.reason", "not shown without a reason", "say why it is not shown")
        if entry.rule or entry.words:
            yield Fault(
                path, 0, number, "not shown, but has a rule or words", "remove them or correct treatment"
            )
        return
    for key in ("rule", "words", "cases"):
        if not getattr(entry, key):
            yield Fault(path, 0, f"{number}.{key}", f"{entry.treatment} without {key}", "name at least one")


def read_references(path: Path, faults: list[Fault]) -> References:
    """The meaning of every short reference."""
    file = read_toml(path, ReferencesFile, faults)
    if file is None:
        return References({}, {}, {})
    groups = {name: getattr(file, name) for name in GROUPS}
    found = References(MappingProxyType(groups), MappingProxyType(file.cases), MappingProxyType(file.tests))
    for table, keys in (("cases", file.cases), ("tests", file.tests)):
        for key in sorted(keys.keys() - found.known):
            faults.append(Fault(str(path), 0, f"{table}.{key}", "no such reference", "correct the reference"))
    return found


def words_of_cards(path: Path) -> frozenset[str]:
    """The keys under which ``cards.toml`` can be named: cards.lines.*, cards.links.*, cards.suggestions.*."""
    raw = _raw(path)
    keys = {f"cards.lines.{key}" for key in raw.get("lines", {})}
    for table in ("links", "suggestions"):
        keys |= {f"cards.{table}.{entry.get('key')}" for entry in raw.get(table, ())}
    return frozenset(keys)


def words_of_trials(path: Path) -> frozenset[str]:
    """The keys of the sentences of ``trials.toml``."""
    return frozenset(_raw(path).get("words", {}))


def unknown_words(path: Path, statements: Iterable[SeedStatement], known: frozenset[str]) -> Iterator[Fault]:
    """Words that a statement names and nobody has."""
    for statement in statements:
        for key in statement.words:
            if key not in known:
                remedy = "use a key of words.toml or trials.toml, or cards.lines/links/suggestions.KEY"
                yield Fault(str(path), 0, f"{statement.number}.words", f"no such words: {key}", remedy)


def citation_faults(
    directory: Path, statements: Mapping[str, SeedStatement], known: frozenset[str]
) -> Iterator[Fault]:
    """Citations that mean nothing, and computed statements that nothing cites, in all files of a disease."""
    cited: set[str] = set()
    for path in sorted(directory.glob("*.toml")):
        lines: KeyLines | None = None
        for place, keys in _citations(_raw(path), ()):
            cited.update(keys)
            unknown = [key for key in keys if key not in known and key not in statements]
            if unknown or not keys:
                lines = lines or KeyLines(path.read_text(encoding="utf-8"))
                problem = f"unknown citation: {', '.join(unknown)}" if unknown else "no citation"
                remedy = "cite a statement, a key of references.toml or the id of a source"
                yield Fault(str(path), lines.find(place), ".".join(map(str, place)), problem, remedy)
    for statement in statements.values():
        if statement.treatment == "computed" and statement.number not in cited:
            remedy = "cite it where it is computed: a criterion, a threshold, an option or a sentence"
            yield Fault(
                str(directory / "statements.toml"), 0, statement.number, "computed, but cited nowhere", remedy
            )


def _citations(
    node: Any, place: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Sequence[str]]]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "cites" and isinstance(value, list):
                yield (*place, key), [str(item) for item in value]
            else:
                yield from _citations(value, (*place, key))
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from _citations(item, (*place, index))


def _raw(path: Path) -> dict[str, Any]:
    """The file as it is; one that cannot be read has its fault from the strict reading."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return {}
