"""Whether a member stands twice in an object of a JSON text: two readers may then see two values.

JSON leaves open which of two equal members counts (RFC 8259, section 4). Parsers keep one of them, so that
a text with a repetition holds more strings than what was parsed from it: counting quotes finds it, at the
cost of one untyped pass and without a look at each member.
"""

from __future__ import annotations

import json
import re
from typing import Any, Never

import msgspec
from msgspec import Raw

_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


class _Name:
    """The name of a member, equal to nothing but itself, so that the second of two is kept."""

    __slots__ = ("text",)

    def __init__(self, text: Any) -> None:
        self.text = text


_members = msgspec.json.Decoder(dict[_Name, Raw], dec_hook=lambda _, text: _Name(text))


class _Repeated(ValueError):
    """A member stands twice."""


def has_repeated_member(data: bytes) -> bool:
    """True where an object at any depth has a member twice, however its name is escaped.

    True also where that cannot be said: the text is no JSON, or nested too deeply.
    """
    try:
        kept = _encoder.encode(_decoder.decode(data))
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError, OverflowError):
        return _is_repeated_by_the_slow_reader(data)
    return _strings(kept) != _strings(data)


def has_repeated_name(data: bytes | Raw) -> bool:
    """True where the object itself, whatever its members hold, has a member twice; no object has none."""
    try:
        names = [name.text for name in _members.decode(data)]
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False
    return len(set(names)) != len(names)


def _strings(data: bytes) -> int:
    """Twice the number of strings in a JSON text: its quotes without the escaped ones."""
    return data.count(b'"') - _ESCAPED.findall(data).count(b'"')


def _is_repeated_by_the_slow_reader(data: bytes) -> bool:
    """For numbers that are too large to be read: they are skipped here, not computed."""
    try:
        json.loads(
            data, object_pairs_hook=_unique, parse_float=len, parse_int=len, parse_constant=_no_constant
        )
    except (ValueError, RecursionError):
        return True
    return False


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise _Repeated


def _no_constant(_: str) -> Never:
    raise _Repeated
