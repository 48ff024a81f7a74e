"""All knowledge files of a disease to one checked Knowledge; every fault of every file comes at once."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from pydantic import Field

from fhir_mappings.knowledge.agents import read_agents
from fhir_mappings.knowledge.card_topics import read_card_topics
from fhir_mappings.knowledge.criteria_sets import read_criteria_sets, unspoken
from fhir_mappings.knowledge.errors import Fault, KnowledgeError
from fhir_mappings.knowledge.loader import KnowledgeFile, content_digest, read_toml, read_value_sets
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.knowledge.needs import read_needs
from fhir_mappings.knowledge.options import read_options
from fhir_mappings.knowledge.reports import read_report_language, with_report_kinds
from fhir_mappings.knowledge.review.signatures import DRAFT
from fhir_mappings.knowledge.sources import read_sources
from fhir_mappings.knowledge.statements import (
    References,
    SeedStatement,
    citation_faults,
    read_references,
    read_statements,
    unknown_words,
    words_of_cards,
    words_of_trials,
)
from fhir_mappings.knowledge.thresholds import read_thresholds
from fhir_mappings.knowledge.vocabulary import read_vocabulary
from fhir_mappings.knowledge.words import Words, read_words

PACKAGED_KNOWLEDGE = Path(__file__).parent / "relapsed_all"
"""The knowledge inside the package."""


class DiseaseFile(KnowledgeFile):
    """``disease.toml``."""

    id: Annotated[str, Field(pattern=r"^[a-z]+$")]
    title: Annotated[str, Field(min_length=1)]
    version: Annotated[str, Field(pattern=r"^\d{4}\.\d{2}\.\d+$")]


def load_knowledge(directory: Path | None = None) -> Knowledge:
    """The knowledge in ``directory`` (by default the packaged one for ALL), a draft until it is reviewed.

    Raises KnowledgeError listing every fault of every file with file, line, key and remedy.
    """
    return _load(directory or PACKAGED_KNOWLEDGE)


@functools.cache
def _load(directory: Path) -> Knowledge:
    faults: list[Fault] = []
    knowledge = _read(directory, faults)
    if faults or knowledge is None:
        raise KnowledgeError(faults)
    return knowledge


def _read(directory: Path, faults: list[Fault]) -> Knowledge | None:
    disease = read_toml(directory / "disease.toml", DiseaseFile, faults)
    value_sets = read_value_sets(directory / "value_sets", faults)
    sources = read_sources(directory / "sources.toml", faults)
    agents = read_agents(directory / "agents.toml", value_sets, faults)
    vocabulary = read_vocabulary(directory / "concepts.toml", value_sets, agents, faults)
    words = read_words(directory / "words.toml", faults)
    thresholds = read_thresholds(directory / "thresholds.toml", faults)
    sets = read_criteria_sets(directory / "criteria_sets.toml", sources, faults)
    faults.extend(_told_twice(directory / "criteria_sets.toml", sets.words, words))
    words = MappingProxyType({**words, **sets.words})
    faults.extend(unspoken(directory / "criteria_sets.toml", sets, words))
    language = read_report_language(directory / "reports", faults)
    options = read_options(directory / "options.toml", frozenset(agent.id for agent in agents), faults)
    topics = read_card_topics(directory, faults)
    if disease is None or vocabulary is None or language is None:
        return None
    vocabulary = with_report_kinds(vocabulary, directory / "reports" / "kinds.toml", faults)
    needs = read_needs(directory / "needs.toml", vocabulary, faults)
    asked = [rule.facts for rule in options] + [rule.safety for rule in options if rule.safety]
    faults.extend(_missing_words(directory / "options.toml", asked, frozenset(words)))
    statements = read_statements(directory / "statements.toml", faults)
    references = read_references(directory / "references.toml", faults)
    faults.extend(_disconnected(directory, statements, references, frozenset(words), frozenset(sources)))
    return Knowledge(
        disease=disease.id,
        title=disease.title,
        version=disease.version,
        digest=content_digest(directory),
        review=DRAFT,
        sources=sources,
        words=words,
        thresholds=thresholds,
        criteria_sets=sets.on,
        sets_off=sets.off,
        options=options,
        needs=needs,
        card_topics=topics,
        agents={agent.id: agent for agent in agents},
        vocabulary=vocabulary,
        report_language=language,
        value_sets=value_sets,
        titles={concept.id: concept.title for concept in vocabulary.result_concepts.values()},
        statements=statements,
        references=references,
    )


def _disconnected(
    directory: Path,
    statements: Mapping[str, SeedStatement],
    references: References,
    words: frozenset[str],
    sources: frozenset[str],
) -> Iterable[Fault]:
    """Statements without words, and citations without meaning."""
    known = words | words_of_cards(directory / "cards.toml") | words_of_trials(directory / "trials.toml")
    yield from unknown_words(directory / "statements.toml", statements.values(), known)
    yield from citation_faults(directory, statements, references.known | sources)


def _told_twice(path: Path, own: Iterable[str], others: Mapping[str, Words]) -> Iterable[Fault]:
    for key in own:
        if key in others:
            yield Fault(str(path), 0, f"words.{key}", "stands in words.toml too", "keep one")


def _missing_words(path: Path, asked: Iterable[str], known: frozenset[str]) -> Iterable[Fault]:
    for key in sorted(set(asked) - known):
        yield Fault(str(path), 0, key, "no such words", "add the sentence to words.toml")
