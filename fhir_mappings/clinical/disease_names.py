"""Leukaemias named in words: which one, and whether the words state, suspect, deny or remember it (D-01)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

_CLAUSE = re.compile(r"[|;\n\r]|(?<=[a-z\d)]{2})\.(?:\s|$)")
_LETTERS = str.maketrans(
    {"ß": "ss", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae", "œ": "oe", "\u0131": "i"}
)
_LINEAGE_BESIDE = 32
"""How many characters beside a name its lineage may stand."""
_MAX_TEXT = 400


class Stance(Enum):
    """What words say about the disease they name."""

    STATED = "stated"
    HISTORY = "history"
    SUSPECTED = "suspected"
    DENIED = "denied"
    OTHER_PERSON = "other-person"


@dataclass(frozen=True, slots=True)
class DiseaseName:
    """Patterns of one name; ``unless`` must not stand in the clause; ``shout`` replaces it in capitals."""

    means: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None = None
    shout: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class Cue:
    """Words that change what a name states, on the side of it where they stand."""

    means: Stance
    pattern: re.Pattern[str]
    before: bool


@dataclass(frozen=True, slots=True)
class Named:
    """One name found: the diagnosis it means, its lineage (``B``, ``T`` or empty), and the stance."""

    means: str
    lineage: str
    stance: Stance


@dataclass(frozen=True, slots=True)
class DiseaseNames:
    """The names of leukaemias in words, longest and most exact first.

    ``hint`` tells cheaply that a text names none.
    """

    hint: re.Pattern[str]
    short: tuple[DiseaseName, ...]
    names: tuple[DiseaseName, ...]
    lineage: tuple[tuple[str, re.Pattern[str]], ...]
    cues: tuple[Cue, ...]
    breakers: re.Pattern[str]
    reach: int

    def find(self, text: str) -> list[Named]:
        """Every disease that ``text`` names, in capitals as written, clause by clause."""
        if not self.hint.search(text):
            return []
        folded = fold(text[:_MAX_TEXT])
        return [
            named for clause in _CLAUSE.split(folded) if clause.strip() for named in self._named_in(clause)
        ]

    def _named_in(self, clause: str) -> Iterator[Named]:
        lower = clause.lower()
        rest, shouted = clause, clause == clause.upper()
        for name in self.short:
            pattern = name.shout if shouted and name.shout is not None else name.pattern
            for match in pattern.finditer(rest):
                yield self._read(name.means, match, lower)
            rest = pattern.sub(_blank, rest)
        rest = rest.lower()
        for name in self.names:
            if name.unless is not None and name.unless.search(lower):
                continue
            for match in name.pattern.finditer(rest):
                yield self._read(name.means, match, lower)
            rest = name.pattern.sub(_blank, rest)

    def _read(self, means: str, match: re.Match[str], clause: str) -> Named:
        beside = clause[max(0, match.start() - _LINEAGE_BESIDE) : match.end() + _LINEAGE_BESIDE]
        lineages = [lineage for lineage, pattern in self.lineage if pattern.search(beside)]
        stance = self.stance(clause[: match.start()], clause[match.end() :])
        return Named(means, lineages[0] if len(lineages) == 1 else "", stance)

    def stance(self, before: str, after: str) -> Stance:
        """What the words on both sides of a name, in lower case, make of it."""
        for cue in self.cues:
            if cue.before:
                if any(self._governs(before[match.end() :]) for match in cue.pattern.finditer(before)):
                    return cue.means
            elif cue.pattern.search(after):
                return cue.means
        return Stance.STATED

    def _governs(self, between: str) -> bool:
        """Whether a cue reaches over the words between it and the name."""
        words = re.findall(r"[\w/+]+", between)
        return len(words) <= self.reach and not any(self.breakers.fullmatch(word) for word in words)


def fold(text: str) -> str:
    """The text without accents and without characters that show as nothing; capitals are kept."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return "".join(
        " " if unicodedata.category(char) == "Zs" else char
        for char in decomposed
        if not unicodedata.combining(char) and unicodedata.category(char) != "Cf"
    )


def one_after_another(words: Sequence[str]) -> str:
    """A pattern for words in this order with at most two others between."""
    return r"(?:[^\w|;]+[\w+-]+){0,2}?[^\w|;]+".join(rf"\b(?:{word})\b" for word in words)


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])
