"""Phrases of the knowledge found in a line of tokens, in one pass whatever their number."""

from __future__ import annotations

from collections.abc import Iterable
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


_Phrase = tuple[tuple[str, ...], tuple[str, ...], int, bool, Meaning]
"""Its words, those after the first, how many, whether one of these is open at its end, and what it means."""


class PhraseTable(Generic[Meaning]):
    """All phrases with what they mean; two phrases may be equal and mean different things."""

    def __init__(self, phrases: Iterable[tuple[str, Meaning]]) -> None:
        self._exact: dict[str, list[_Phrase[Meaning]]] = {}
        self._stems: dict[str, list[_Phrase[Meaning]]] = {}
        for phrase, meaning in phrases:
            words = words_of(phrase)
            table, key = (
                (self._stems, words[0][:_STEM]) if words[0].endswith("*") else (self._exact, words[0])
            )
            ends_open = any(len(word) > 1 and word.endswith("*") for word in words[1:])
            table.setdefault(key, []).append((words, words[1:], len(words), ends_open, meaning))
        self._candidates = lru_cache(maxsize=4096)(self._starting)

    def find(self, words: tuple[str, ...]) -> list[Match[Meaning]]:
        """Every phrase at every place, in order of the tokens."""
        found: list[Match[Meaning]] = []
        for place, word in enumerate(words):
            for _phrase, rest, length, ends_open, meaning in self._candidates(word):
                following = words[place + 1 : place + length]
                if following == rest or (ends_open and _fit(rest, following)):
                    found.append(Match(meaning, place, place + length))
        return found

    def _starting(self, word: str) -> tuple[_Phrase[Meaning], ...]:
        stems = [one for one in self._stems.get(word[:_STEM], ()) if word.startswith(one[0][0][:-1])]
        return (*self._exact.get(word, ()), *stems)


def _fit(wanted: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return len(wanted) == len(words) and all(
        word == one or (one.endswith("*") and word.startswith(one[:-1]))
        for one, word in zip(wanted, words, strict=True)
    )
