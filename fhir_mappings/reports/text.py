"""A text in the one spelling it is compared in, of the same length, and its tokens."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_SPELLED = {
    "µ": "u", "μ": "u", "·": "x", "×": "x", "∙": "x",
    "–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-", "‒": "-", "⁻": "-",  # noqa: RUF001
    "’": "'", "‘": "'", "´": "'", "“": '"', "”": '"', "„": '"',  # noqa: RUF001
    "≦": "≤", "≧": "≥", "⩽": "≤", "⩾": "≥", "\uff05": "%", "\u00ad": " ", "\u200b": " ", "\ufeff": " ",
    "•": "*", "…": ".",
}  # fmt: skip
_TOKEN = re.compile(r"[a-zß][a-z0-9ß]*|\d+(?:[.,]\d+)*|<=|>=|\S")


@lru_cache(maxsize=1024)
def _spelling(char: str) -> str:
    if char in _SPELLED:
        return _SPELLED[char]
    if char.isspace() and char not in "\n\t\r":
        return " "
    base = unicodedata.normalize("NFKD", char)[:1].lower()
    return _SPELLED.get(base, base) if len(base) == 1 else char


def fold(text: str) -> str:
    """The text in lower case without accents and with one kind of dash, space and quote; same length."""
    if text.isascii():
        return text.lower()
    return "".join(char.lower() if char.isascii() else _spelling(char) for char in text)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Words, figures and signs of a folded text, with where each begins and ends."""

    words: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def index_at(self, offset: int) -> int:
        """The first token that ends after ``offset``."""
        low, high = 0, len(self.ends)
        while low < high:
            middle = (low + high) // 2
            if self.ends[middle] <= offset:
                low = middle + 1
            else:
                high = middle
        return low


def tokens_of(folded: str, start: int = 0, end: int | None = None) -> Tokens:
    """The tokens between two offsets of a folded text; offsets stay those of the text."""
    found = list(_TOKEN.finditer(folded, start, len(folded) if end is None else end))
    return Tokens(
        tuple([one.group() for one in found]),
        tuple([one.start() for one in found]),
        tuple([one.end() for one in found]),
    )


def words_of(phrase: str) -> tuple[str, ...]:
    """The tokens of a phrase of the knowledge; a word may end in ``*``."""
    words = list(tokens_of(fold(phrase)).words)
    joined: list[str] = []
    for word in words:
        if word == "*" and joined and joined[-1].isalnum():
            joined[-1] += "*"
        else:
            joined.append(word)
    return tuple(joined)
