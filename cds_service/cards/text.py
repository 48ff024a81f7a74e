"""Text from a record made harmless to show: one line, nothing invisible, cut where a reader would cut."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from itertools import accumulate

_SPACES = re.compile(r"\s+")
_ELLIPSIS = "…"
_DANGLING = " ,;:.-–(/"


def clean(text: str) -> str:
    """``text`` on one line, in NFC, without control, bidirectional, zero-width and private characters.

    Half surrogates are dropped too, so that the result can always be encoded as UTF-8.
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    kept = "".join(map(_visible, text))
    return _SPACES.sub(" ", unicodedata.normalize("NFC", kept)).strip()


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    category = unicodedata.category(character)
    if character in "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85" or category.startswith("Z"):
        return " "
    return "" if category in {"Cc", "Cf", "Cs", "Co"} or _is_noncharacter(character) else character


def _is_noncharacter(character: str) -> bool:
    point = ord(character)
    return 0xFDD0 <= point <= 0xFDEF or point & 0xFFFE == 0xFFFE


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, which is how JavaScript clients count a summary."""
    return len(text) if text.isascii() else len(text) + sum(character > "\uffff" for character in text)


def shorten(text: str, limit: int) -> str:
    """``text``, or its beginning with an ellipsis, in at most ``limit`` UTF-16 code units.

    Cuts between words unless that loses half of it, never inside a combining sequence.
    """
    if utf16_length(text) <= limit:
        return text
    end = _whole_clusters(text, _fitting(text, limit - 1))
    space = text.rfind(" ", 0, end + 1)
    head = text[:space] if space > end // 2 else text[:end]
    return head.rstrip(_DANGLING) + _ELLIPSIS


def _fitting(text: str, limit: int) -> int:
    """How many characters of ``text`` fit in ``limit`` UTF-16 code units."""
    ends = list(accumulate(2 if character > "\uffff" else 1 for character in text))
    return bisect_right(ends, limit)


def _whole_clusters(text: str, end: int) -> int:
    """The last position at or before ``end`` that does not separate a mark from its base."""
    while 0 < end < len(text) and _extends(text[end]):
        end -= 1
    return end


def _extends(character: str) -> bool:
    return unicodedata.category(character) in {"Mn", "Mc", "Me"} or "\U0001f3fb" <= character <= "\U0001f3ff"
