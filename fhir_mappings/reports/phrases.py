"""Phrases of the knowledge found in a line of tokens, in one pass whatever their number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from fhir_mappings.reports.text import words_of

Meaning = TypeVar("Meaning")
_STEM = 3
"""Letters that every word ending in ``*`` has at least."""


@dataclass(frozen=True, slots=True)
class Match(Generic[Meaning]):
    """A phrase at the tokens ``first`` to ``last`` (excluded)."""

    meaning: Meaning
    first: int
    last: int


class PhraseTable(Generic[Meaning]):
    """All phrases with what they mean; two phrases may be equal and mean different things."""

    def __init__(self, phrases: Iterable[tuple[str, Meaning]]) -> None:
        self._exact: dict[str, list[tuple[tuple[str, ...], Meaning]]] = {}
        self._stems: dict[str, list[tuple[tuple[str, ...], Meaning]]] = {}
        for phrase, meaning in phrases:
            words = words_of(phrase)
            table, key = (
                (self._stems, words[0][:_STEM]) if words[0].endswith("*") else (self._exact, words[0])
            )
            table.setdefault(key, []).append((words, meaning))
        self._candidates = lru_cache(maxsize=4096)(self._starting)

    def find(self, words: Sequence[str]) -> list[Match[Meaning]]:
        """Every phrase at every place, in order of the tokens."""
        found: list[Match[Meaning]] = []
        count = len(words)
        for place, word in enumerate(words):
            for phrase, meaning in self._candidates(word):
                last = place + len(phrase)
                if last <= count and all(map(_fits, phrase[1:], words[place + 1 : last])):
                    found.append(Match(meaning, place, last))
        return found

    def _starting(self, word: str) -> tuple[tuple[tuple[str, ...], Meaning], ...]:
        stems = [one for one in self._stems.get(word[:_STEM], ()) if word.startswith(one[0][0][:-1])]
        return (*self._exact.get(word, ()), *stems)


def _fits(wanted: str, word: str) -> bool:
    return word == wanted or (wanted.endswith("*") and len(wanted) > 1 and word.startswith(wanted[:-1]))
