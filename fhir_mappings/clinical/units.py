"""Units of measure by every spelling that means one, and numbers without the noise of binary fractions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal

_POWER = re.compile(r"(?<![\d/.])10(?:\^|\*\*?|e|exp)?(-?\d{1,2})(?=/|$)")
_NOISY_DIGITS = 12
_STEADY = Context(prec=10)


@dataclass(frozen=True, slots=True)
class UnitMeaning:
    """Factor to the canonical unit; ``trap`` names why the unit is not trusted, where it is not."""

    factor: Decimal
    trap: str = ""


class UnitTable(Mapping[str, UnitMeaning]):
    """Units of one dimension. ``find`` reads what differs in spelling only.

    ``annotation`` is what may stand in braces beside a unit without changing it (``%{nucleated cells}``).
    """

    def __init__(
        self, rows: Mapping[str, UnitMeaning] | None = None, annotation: re.Pattern[str] | None = None
    ) -> None:
        self._rows = dict(rows or {})
        self._annotation = annotation
        self._plain = {plain_unit(text): meaning for text, meaning in reversed(self._rows.items())}

    def __getitem__(self, text: str) -> UnitMeaning:
        return self._rows[text]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, text: str) -> UnitMeaning | None:
        """The meaning of a unit as written; None where it is none of these."""
        found = self._rows.get(text)
        if found is not None:
            return found
        plain = plain_unit(text)
        found = self._plain.get(plain)
        if found is None and self._annotation is not None and "{" in plain:
            bare = self._annotation.sub("", plain)
            found = self._plain.get(bare) if bare else None
        return found


def plain_unit(text: str) -> str:
    """A unit without differences that mean nothing: blanks, case, both mu signs, raised digits, ``x10^3``."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\u03bc", "u")
    folded = re.sub(r"\s+", "", folded).lstrip("x\u00d7*")
    return _POWER.sub(r"10*\1", folded).replace("^", "")


def steady(number: Decimal) -> Decimal:
    """The number that was meant, where binary arithmetic left noise: 66.39999999999999 is 66.4."""
    if len(number.as_tuple().digits) <= _NOISY_DIGITS:
        return number
    return _STEADY.plus(number).normalize(_STEADY)
