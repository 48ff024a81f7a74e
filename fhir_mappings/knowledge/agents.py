"""The drugs and cell products that the rules recognise in medication resources."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field

from fhir_mappings.knowledge.code_rows import Code
from fhir_mappings.knowledge.errors import Fault
from fhir_mappings.knowledge.loader import KnowledgeFile, read_toml

AgentClass = Literal[
    "alkylator",
    "anthracenedione",
    "anthracycline",
    "antimetabolite",
    "asparaginase",
    "bcl2-inhibitor",
    "bcr-abl-tki",
    "car-t",
    "cd19-directed",
    "cd20-directed",
    "cd22-directed",
    "cd38-directed",
    "conditioning",
    "corticosteroid",
    "g-csf",
    "intrathecal-capable",
    "jak-inhibitor",
    "maintenance",
    "menin-inhibitor",
    "proteasome-inhibitor",
    "purine-analogue",
    "topoisomerase-inhibitor",
    "vinca",
]
CLASSES: frozenset[str] = frozenset(get_args(AgentClass))

# The value sets whose every code must lead to an agent or stand in the list of unmapped codes.
MEDICATION_SETS = (
    "rx_ingredients",
    "rx_biosimilar_and_variant_ingredients",
    "rx_products_partial",
    "atc_current_2026",
    "atc_superseded_pre2022",
)

_Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", description="lower case, words joined by -")]
_SystemAndCode = Annotated[str, Field(pattern=r"^https?://[^|\s]+\|[^|\s]+$", description='"system|code"')]
_Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9 /.+-]*$", description="a lower-case name")]


@dataclass(frozen=True, slots=True)
class Agent:
    """One drug or cell product.

    ``codes`` are pairs of system and code. ``names`` are lower-case names to find in text where no code is
    known; ``unless`` are words that veto such a find (a cream is no systemic steroid).
    """

    id: str
    title: str
    classes: frozenset[str]
    codes: tuple[tuple[str, str], ...]
    names: tuple[str, ...]
    unless: tuple[str, ...]


class AgentEntry(KnowledgeFile):
    """One ``[[agent]]`` table of ``agents.toml``."""

    id: _Id
    title: Annotated[str, Field(min_length=1)]
    classes: tuple[AgentClass, ...]
    codes: tuple[_SystemAndCode, ...]
    names: Annotated[tuple[_Name, ...], Field(min_length=1)]
    unless: tuple[_Name, ...] = ()


class UnmappedEntry(KnowledgeFile):
    """One ``[[unmapped]]`` table: a code of the value sets that leads to no agent, and why."""

    code: _SystemAndCode
    reason: Annotated[str, Field(min_length=1)]


class AgentsFile(KnowledgeFile):
    """``agents.toml``."""

    agent: tuple[AgentEntry, ...]
    unmapped: tuple[UnmappedEntry, ...] = ()


def read_agents(
    path: Path, value_sets: Mapping[str, Sequence[Code]], faults: list[Fault]
) -> tuple[Agent, ...]:
    """All agents; a code outside ``value_sets``, without an agent or with two is a fault."""
    file = read_toml(path, AgentsFile, faults)
    if file is None:
        return ()
    faults.extend(Fault(str(path), 0, *problem) for problem in _problems(file, value_sets))
    return tuple(_agent(entry) for entry in file.agent)


def compile_name_patterns(agents: Iterable[Agent]) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Patterns that find an agent's names in text, with the agent's id.

    Longer names come first, so that the first match of ``cytarabine and daunorubicin`` is the fixed
    combination and not one of its parts.
    """
    named = [(name, agent) for agent in agents for name in agent.names]
    named.sort(key=lambda pair: (-len(pair[0]), pair[0]))
    return tuple((_name_pattern(name, agent.unless), agent.id) for name, agent in named)


def _name_pattern(name: str, unless: Iterable[str]) -> re.Pattern[str]:
    vetoes = "|".join(re.escape(word) for word in unless)
    veto = rf"(?!.*(?<![a-z0-9])(?:{vetoes})(?![a-z0-9]))" if vetoes else ""
    return re.compile(rf"\A{veto}.*?(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", re.IGNORECASE | re.DOTALL)


def _problems(file: AgentsFile, value_sets: Mapping[str, Sequence[Code]]) -> Iterator[tuple[str, str, str]]:
    known = {f"{code.system}|{code.code}" for name in MEDICATION_SETS for code in value_sets.get(name, ())}
    codes = [(code, entry.id) for entry in file.agent for code in entry.codes]
    codes += [(entry.code, "unmapped") for entry in file.unmapped]
    yield from _repeated(codes, "code")
    yield from _repeated([(name, entry.id) for entry in file.agent for name in entry.names], "name")
    yield from _repeated([(entry.id, entry.id) for entry in file.agent], "id")
    mapped = {code for code, _ in codes}
    for code in sorted(mapped - known):
        yield code, "code is in no medication value set", "add it to a value set with its source first"
    for code in sorted(known - mapped):
        yield code, "code leads to no agent", "give it to an agent, or list it under unmapped with a reason"


def _repeated(pairs: Iterable[tuple[str, str]], what: str) -> Iterator[tuple[str, str, str]]:
    owners: dict[str, str] = {}
    for key, owner in pairs:
        if key in owners:
            yield key, f"{what} given to both {owners[key]} and {owner}", "keep it in one place"
        owners[key] = owner


def _agent(entry: AgentEntry) -> Agent:
    codes = (code.rpartition("|") for code in entry.codes)
    return Agent(
        id=entry.id,
        title=entry.title,
        classes=frozenset(entry.classes),
        codes=tuple((system, code) for system, _, code in codes),
        names=entry.names,
        unless=entry.unless,
    )
