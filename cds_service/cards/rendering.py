"""Statements of an assessment in words: as Markdown for the detail, as plain text for the summary."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from cds_service.cards.markdown import WORD_JOINER, escape
from cds_service.cards.text import clean, shorten
from fhir_mappings.assess import Statement, UnknownWords, Words, filled, parts_of, words_of

__all__ = ["SUMMARY_LIMIT", "UnknownWords", "filled_in_markdown", "in_markdown", "in_plain_text"]

SUMMARY_LIMIT = 139
"""UTF-16 code units: the specification asks for less than 140 characters."""

_GLUE_AFTER = re.compile(r"^[.:@](?=\w|$)")
_GLUE_BEFORE = re.compile(r"(?:(?<=\w)|^)[.:@]$")
_GLUE_SAFE = {".": "&#46;", ":": "&#58;", "@": f"{WORD_JOINER}@{WORD_JOINER}"}
_MARKUP = re.compile(r"[*_`\[\]{}|\\~#]|<(?![ =]?[0-9])|>(?![ =]?[0-9])|(?<=:)/(?=/)")


def in_markdown(statement: Statement, words: Mapping[str, Words], unconfirmed: str) -> str:
    """The statement as inline Markdown; every value is escaped where it is inserted.

    ``unconfirmed`` is added in parentheses where the words carry a figure that is not confirmed.
    Raises UnknownWords.
    """
    found = words_of(statement, words)
    text = filled_in_markdown(found.text, statement.values)
    if not found.unconfirmed:
        return text
    end = "." if text.endswith(".") else ""
    return f"{text.removesuffix('.')} ({unconfirmed}){end}"


def brief_markdown(statement: Statement, words: Mapping[str, Words], unconfirmed: str) -> str:
    """The statement as a brief card says it. Raises UnknownWords."""
    found = words_of(statement, words)
    text = filled_in_markdown(found.brief or found.text, statement.values)
    text = text.removesuffix("; ")
    return f"{text} ({unconfirmed})" if found.unconfirmed else text


def brief_text(statement: Statement, words: Mapping[str, Words]) -> str:
    """The statement as a brief card's summary says it, plain. Raises UnknownWords."""
    found = words_of(statement, words)
    return _plainly(found.brief or found.text, statement)


def filled_in_markdown(template: str, values: Mapping[str, str]) -> str:
    """``template`` with its blanks filled by escaped values. Raises UnknownWords for a blank left empty."""
    return filled(template, values, escape, _parts)


def in_plain_text(statement: Statement, words: Mapping[str, Words]) -> str:
    """The statement as one line of plain text for a summary, without markup and cut to its limit.

    Raises UnknownWords.
    """
    return _plainly(words_of(statement, words).text, statement)


def _plainly(text: str, statement: Statement) -> str:
    return shorten(clean(filled(text, statement.values, _plain)), SUMMARY_LIMIT)


def _plain(value: str) -> str:
    return _MARKUP.sub("", clean(value))


@lru_cache(maxsize=2048)
def _parts(template: str) -> tuple[tuple[str, str], ...]:
    """The parts of a sentence, none of whose literals makes an address with the values it touches."""
    parts = parts_of(" ".join(template.split()))
    return tuple(
        (_unglued(literal, index > 0, index + 1 < len(parts), name), name)
        for index, (literal, name) in enumerate(parts)
    )


def _unglued(literal: str, after_blank: bool, more: bool, name: str) -> str:
    """A literal that cannot make an address together with the values it touches.

    A full stop that ends the sentence touches nothing behind it.
    """
    if after_blank and (len(literal) > 1 or more or name):
        literal = _GLUE_AFTER.sub(_safe, literal)
    return _GLUE_BEFORE.sub(_safe, literal) if name else literal


def _safe(match: re.Match[str]) -> str:
    return _GLUE_SAFE[match[0]]
