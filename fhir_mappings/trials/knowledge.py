"""``trials.toml``: what studies may ask for, how lists are read, and the words of the trial section."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, Field

from fhir_mappings.knowledge.agents import AgentsFile
from fhir_mappings.knowledge.errors import Fault, KnowledgeError
from fhir_mappings.knowledge.loader import KnowledgeFile, read_codes, read_toml
from fhir_mappings.knowledge.words import Words, WordsEntry, words_of
from fhir_mappings.trials.study import Accrual, Span, TrialFact
from fhir_mappings.trials.vocabulary import FactKind, FactWords, RegistryWords, TrialVocabulary

DEFAULT_DIRECTORY = Path(__file__).parents[1] / "knowledge" / "relapsed_all"
CRITERION_SYSTEM = "https://relapse-cds.org/CodeSystem/trial-criterion"
"""Code system of the fact and value keys of ``trials.toml``, for ``Group.characteristic``."""


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"write a valid regular expression: {error}") from None
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]


class _Review(KnowledgeFile):
    state: str = Field(pattern="^(draft|approved)$")
    unconfirmed: tuple[str, ...] = ()


class _Limits(KnowledgeFile):
    max_studies: int = Field(ge=1, le=20)
    max_not_listed: int = Field(ge=0, le=50)
    max_criteria_shown: int = Field(ge=1, le=50)
    registry_fresh_days: int = Field(ge=1)
    catalogue_fresh_days: int = Field(ge=1)
    cites: tuple[str, ...]


class _Registry(KnowledgeFile):
    query: str = Field(min_length=1)
    disease: Pattern
    wider_disease: Pattern
    relapse: Pattern
    first_line: Pattern
    usually_unchecked: tuple[str, ...]
    lineages: dict[str, Pattern]
    philadelphia: dict[str, Pattern]
    cites: tuple[str, ...]


class _Accrual(KnowledgeFile):
    open: tuple[str, ...] = Field(min_length=1)
    opening: tuple[str, ...]
    closed: tuple[str, ...]


class _Bounds(KnowledgeFile):
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    above: Decimal | None = None
    below: Decimal | None = None


class _Fact(KnowledgeFile):
    kind: FactKind
    title: str = Field(min_length=1)
    unit: str = ""
    test: str = ""
    codes: tuple[str, ...] = ()
    value_sets: tuple[str, ...] = ()
    concepts: tuple[str, ...] = ()
    max_age_days: int | None = Field(default=None, ge=1)
    values: dict[str, str] = Field(default_factory=dict)
    value_codes: dict[str, str] = Field(default_factory=dict)
    spans: dict[str, _Bounds] = Field(default_factory=dict)
    units: dict[str, Decimal] = Field(default_factory=dict)
    cites: tuple[str, ...] = ()


class _TrialsFile(KnowledgeFile):
    review: _Review
    limits: _Limits
    registry: _Registry
    accrual: _Accrual
    statuses: dict[str, str]
    phases: dict[str, str]
    facts: dict[TrialFact, _Fact]
    phrases: dict[str, str]
    words: dict[str, WordsEntry]


@dataclass(frozen=True, slots=True)
class TrialKnowledge:
    """The content of ``trials.toml``."""

    vocabulary: TrialVocabulary
    words: Mapping[str, Words]
    review: str


def load_trial_knowledge(directory: Path | None = None) -> TrialKnowledge:
    """Read ``trials.toml`` and the value sets it names.

    Raises KnowledgeError with every fault of the file.
    """
    base = directory or DEFAULT_DIRECTORY
    faults: list[Fault] = []
    path = base / "trials.toml"
    content = read_toml(path, _TrialsFile, faults)
    if content is None:
        raise KnowledgeError(faults)
    faults.extend(_inconsistencies(str(path), content))
    classes = _add_agents(content, base, faults)
    facts = {fact: _fact_words(fact, entry, base, faults) for fact, entry in content.facts.items()}
    words = words_of(content.words, path, faults)
    if faults:
        raise KnowledgeError(faults)
    return TrialKnowledge(_vocabulary(content, facts, classes), MappingProxyType(words), content.review.state)


def _inconsistencies(path: str, content: _TrialsFile) -> Iterator[Fault]:
    for fact in TrialFact:
        if fact not in content.facts:
            yield Fault(path, 0, f"facts.{fact.value}", "missing", "describe every fact that can be matched")
    for fact, entry in content.facts.items():
        needs_values = entry.kind in (FactKind.CODED, FactKind.THERAPIES)
        if needs_values != bool(entry.values):
            remedy = "list the values" if needs_values else "a fact that is no code has no values"
            yield Fault(path, 0, f"facts.{fact.value}.values", "do not fit the kind", remedy)
        for code, value in entry.value_codes.items():
            if value not in entry.values:
                key = f"facts.{fact.value}.value_codes.{code}"
                yield Fault(path, 0, key, "names an unlisted value", "use one of the fact's values")


def _add_agents(content: _TrialsFile, base: Path, faults: list[Fault]) -> dict[str, frozenset[str]]:
    """Make every drug of ``agents.toml`` a value of prior therapy; returns each class with its drugs."""
    path = base / "agents.toml"
    agents = read_toml(path, AgentsFile, faults)
    therapies = content.facts.get(TrialFact.PRIOR_THERAPIES)
    if agents is None or therapies is None:
        return {}
    classes: dict[str, set[str]] = {name: set() for name in therapies.values}
    for agent in agents.agent:
        for name in classes.keys() & set(agent.classes):
            classes[name].add(agent.id)
    for name in sorted(name for name, members in classes.items() if not members):
        key = f"facts.prior-therapies.values.{name}"
        faults.append(Fault(str(base / "trials.toml"), 0, key, "no drug has this class", f"see {path.name}"))
    therapies.values.update({agent.id: agent.title for agent in agents.agent})
    return {name: frozenset(members) for name, members in classes.items()}


def _fact_words(fact: TrialFact, entry: _Fact, base: Path, faults: list[Fault]) -> FactWords:
    codes = {f"{CRITERION_SYSTEM}|{fact.value}", *entry.codes}
    for name in entry.value_sets:
        rows = read_codes(base / "value_sets" / f"{name}.csv", faults)
        codes.update(f"{row.system}|{row.code}" for row in rows)
    own = {f"{CRITERION_SYSTEM}|{value}": value for value in (*entry.values, *entry.spans)}
    return FactWords(
        fact=fact,
        kind=entry.kind,
        title=entry.title,
        unit=entry.unit,
        values=MappingProxyType(dict(entry.values)),
        spans=MappingProxyType({value: _span(bounds) for value, bounds in entry.spans.items()}),
        codes=frozenset(codes),
        value_codes=MappingProxyType({**own, **entry.value_codes}),
        units=MappingProxyType(dict(entry.units)),
        test=entry.test,
        concepts=frozenset(entry.concepts),
        max_age_days=entry.max_age_days,
    )


def _span(bounds: _Bounds) -> Span:
    return Span(
        low=bounds.at_least if bounds.above is None else bounds.above,
        high=bounds.at_most if bounds.below is None else bounds.below,
        low_open=bounds.above is not None,
        high_open=bounds.below is not None,
    )


def _vocabulary(
    content: _TrialsFile, facts: dict[TrialFact, FactWords], classes: dict[str, frozenset[str]]
) -> TrialVocabulary:
    accruals = {
        Accrual.OPEN: content.accrual.open,
        Accrual.OPENING: content.accrual.opening,
        Accrual.CLOSED: content.accrual.closed,
    }
    return TrialVocabulary(
        facts=MappingProxyType(facts),
        fact_of_code=MappingProxyType({code: fact for fact, words in facts.items() for code in words.codes}),
        phrases=MappingProxyType(content.phrases),
        phases=MappingProxyType(content.phases),
        statuses=MappingProxyType(content.statuses),
        accruals=MappingProxyType({word: kind for kind, words in accruals.items() for word in words}),
        classes=MappingProxyType(classes),
        registry=_registry_words(content.registry),
        usually_unchecked=content.registry.usually_unchecked,
        registry_fresh_days=content.limits.registry_fresh_days,
        catalogue_fresh_days=content.limits.catalogue_fresh_days,
        max_studies=content.limits.max_studies,
        max_not_listed=content.limits.max_not_listed,
        max_criteria_shown=content.limits.max_criteria_shown,
    )


def _registry_words(entry: _Registry) -> RegistryWords:
    return RegistryWords(
        query=entry.query,
        disease=_compiled(entry.disease),
        wider_disease=_compiled(entry.wider_disease),
        relapse=_compiled(entry.relapse),
        first_line=_compiled(entry.first_line),
        lineages=MappingProxyType({key: _compiled(text) for key, text in entry.lineages.items()}),
        philadelphia=MappingProxyType({key: _compiled(text) for key, text in entry.philadelphia.items()}),
    )


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
