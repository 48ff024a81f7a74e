"""Results that no rule knows and that read like one the rules ask for (``look_alikes.toml``)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_PERCENT = frozenset({"%", "1", "10*-2", "{percent}", "percent", "prozent", "/100"})
_COUNT = re.compile(r"/\s*([unmµ]?l|mm3|mm\^3|mikrol)|\*\s*6/l|\*\s*9/l|g/l$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _LookAlike:
    concept: str
    every: tuple[re.Pattern[str], ...]
    none: re.Pattern[str] | None
    kinds: frozenset[str]

    def matches(self, words: str, kind: str) -> bool:
        if self.kinds and kind not in self.kinds:
            return False
        if self.none is not None and self.none.search(words):
            return False
        return all(pattern.search(words) for pattern in self.every)


def resembling(text: str, unit: str) -> str:
    """The concept that a result's text reads like, by the words of a laboratory; empty: none.

    ``unit`` tells a share from a count. Nothing is decided by it: it proposes what somebody reviews.
    """
    words = f" {' '.join(_WORD.findall(text.lower()))} "
    kind = _kind(unit)
    return next((one.concept for one in _look_alikes() if one.matches(words, kind)), "")


def _kind(unit: str) -> str:
    plain = unit.strip().lower()
    if not plain:
        return ""
    if plain in _PERCENT or plain.startswith(("%", "/100")):
        return "percent"
    return "count" if _COUNT.search(plain) else "other"


@cache
def _look_alikes() -> tuple[_LookAlike, ...]:
    text = (files("fhir_mappings.knowledge") / "look_alikes.toml").read_text("utf-8")
    return tuple(
        _LookAlike(
            row["concept"],
            tuple(_any_of(words) for words in row["all"]),
            _any_of(row["none"]) if row.get("none") else None,
            frozenset(row.get("kinds", ())),
        )
        for row in tomllib.loads(text)["look_alike"]
    )


def _any_of(words: list[str]) -> re.Pattern[str]:
    """One of some words, whole; a star stands for any ending."""
    parts = (re.escape(word.removesuffix("*")) + (r"[\w-]*" if word.endswith("*") else "") for word in words)
    return re.compile(rf"(?<![\w]) ?(?:{'|'.join(parts)})(?![\w-])")
