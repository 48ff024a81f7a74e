"""Whether a study is about relapsed ALL, from the conditions, keywords and title of its entry.

Only these structured fields are read; eligibility text is never turned into a verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fhir_mappings.trials.study import Criterion, OneOf, TrialFact
from fhir_mappings.trials.vocabulary import TrialVocabulary


@dataclass(frozen=True, slots=True)
class Relevance:
    """What the entry says about the disease. ``not_checked`` names what it leaves open."""

    is_relevant: bool
    criteria: tuple[Criterion, ...] = ()
    not_checked: tuple[str, ...] = ()


def read_relevance(
    conditions: Sequence[str], keywords: Sequence[str], titles: Sequence[str], vocabulary: TrialVocabulary
) -> Relevance:
    """Keep studies that name ALL or a wider group, unless they are for first treatment only.

    A lineage or Philadelphia status is a criterion only where every condition that names ALL
    also names it: "B-cell ALL" alone, not "ALL" beside "B-cell lymphoma".
    """
    words = vocabulary.registry
    texts = [*conditions, *keywords, *titles]
    names_all, names_wider = _any(words.disease, texts), _any(words.wider_disease, texts)
    relapsed = _any(words.relapse, texts)
    if not (names_all or names_wider) or (_any(words.first_line, texts) and not relapsed):
        return Relevance(False)
    criteria: list[Criterion] = []
    not_checked: list[str] = []
    if names_all:
        criteria.append(_one_of(TrialFact.DISEASE, "all"))
    else:
        not_checked.append(vocabulary.phrase("wider_disease"))
    if relapsed:
        criteria.append(_one_of(TrialFact.DISEASE_STATE, "relapsed", "refractory", "in-remission"))
    else:
        not_checked.append(vocabulary.phrase("disease_state_unstated"))
    named = [text for text in conditions if words.disease.search(text)]
    criteria.extend(_shared(TrialFact.LINEAGE, named, words.lineages))
    criteria.extend(_shared(TrialFact.BCR_ABL1, named, words.philadelphia))
    return Relevance(True, tuple(criteria), tuple(not_checked))


def _shared(
    fact: TrialFact, texts: Sequence[str], patterns: Mapping[str, re.Pattern[str]]
) -> list[Criterion]:
    """A criterion where every text states the fact."""
    stated = [frozenset(value for value, pattern in patterns.items() if pattern.search(t)) for t in texts]
    if not stated or not all(stated):
        return []
    values = frozenset().union(*stated)
    return [] if values >= patterns.keys() else [Criterion(fact, OneOf(values))]


def _one_of(fact: TrialFact, *values: str) -> Criterion:
    return Criterion(fact, OneOf(frozenset(values)))


def _any(pattern: re.Pattern[str], texts: Iterable[str]) -> bool:
    return any(pattern.search(text) for text in texts)
