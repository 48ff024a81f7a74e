"""JSON with one possible reading, for tokens and key sets.

Python's own parser lets the last of two equal names win, takes NaN and half surrogates, and overflows its
stack on deep nesting. Two readers of one token could then see two issuers.
"""

from __future__ import annotations

import json
import math
from typing import Any

from pydantic_core import from_json

MAX_DIGITS = 32


class AmbiguousJson(ValueError):
    """Not JSON, or JSON that two parsers may read differently. Quotes nothing of the text."""


def read_object(data: bytes) -> dict[str, Any]:
    """One JSON object of UTF-8 text: no duplicate names, NaN, infinity, surrogate halves or numbers of
    more than 32 digits.

    :raises AmbiguousJson: it is anything else.
    """
    try:
        from_json(data, allow_inf_nan=False)
        value = json.loads(
            data.decode(),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_short,
        )
    except (ValueError, RecursionError):
        raise AmbiguousJson("not a JSON object with one possible reading") from None
    if not isinstance(value, dict):
        raise AmbiguousJson("not a JSON object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise AmbiguousJson("a name appears twice")
    return found


def _no_constant(_name: str) -> Any:
    raise AmbiguousJson("NaN or infinity")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise AmbiguousJson("a number too large")
    return number


def _short(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise AmbiguousJson("a number too long")
    return int(text)
