"""Statements of an assessment in words: as Markdown for the detail, as plain text for the summary."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from string import Formatter

from cds_service.cards.content import Words
from cds_service.cards.markdown import WORD_JOINER, escape
from cds_service.cards.text import clean, shorten
from fhir_mappings.assess import Statement

SUMMARY_LIMIT = 139
"""UTF-16 code units: the specification asks for less than 140 characters."""

_GLUE_AFTER = re.compile(r"^[.:@](?=\w|$)")
_GLUE_BEFORE = re.compile(r"(?:(?<=\w)|^)[.:@]$")
_GLUE_SAFE = {".": "&#46;", ":": "&#58;", "@": f"{WORD_JOINER}@{WORD_JOINER}"}
_MARKUP = re.compile(r"[*_`\[\]{}|\\~#]|<(?![ =]?[0-9])|>(?![ =]?[0-9])|(?<=:)/(?=/)")


class UnknownWords(LookupError):
    """A statement asks for words the knowledge does not have, or leaves a blank of them empty."""


def in_markdown(statement: Statement, words: Mapping[str, Words], unconfirmed: str) -> str:
    """The statement as inline Markdown; every value is escaped where it is inserted.

    ``unconfirmed`` is added in parentheses where the words carry a figure that is not confirmed.
    Raises UnknownWords.
    """
    found = _words(statement, words)
    text = filled_in_markdown(found.text, statement.values)
    if not found.unconfirmed:
        return text
    end = "." if text.endswith(".") else ""
    return f"{text.removesuffix('.')} ({unconfirmed}){end}"


def filled_in_markdown(template: str, values: Mapping[str, str]) -> str:
    """``template`` with its blanks filled by escaped values. Raises UnknownWords for a blank left empty."""
    try:
        return "".join(
            [literal + escape(values[name]) if name else literal for literal, name in _parts(template)]
        )
    except KeyError as error:
        raise UnknownWords(f"no value for the blank {error.args[0]!r} of {template!r}") from None


def in_plain_text(statement: Statement, words: Mapping[str, Words]) -> str:
    """The statement as one line of plain text for a summary, without markup and cut to its limit.

    Raises UnknownWords.
    """
    text = _words(statement, words).text
    try:
        filled = text.format_map({name: _plain(value) for name, value in statement.values.items()})
    except (KeyError, IndexError) as error:
        raise UnknownWords(f"no value for the blank {error.args[0]!r} of {text!r}") from None
    return shorten(clean(filled), SUMMARY_LIMIT)


def _words(statement: Statement, words: Mapping[str, Words]) -> Words:
    try:
        return words[statement.words]
    except KeyError:
        raise UnknownWords(f"the knowledge has no words {statement.words!r}") from None


def _plain(value: str) -> str:
    return _MARKUP.sub("", clean(value))


@lru_cache(maxsize=2048)
def _parts(template: str) -> tuple[tuple[str, str], ...]:
    """Literals and the blanks behind them. Only sentences of the knowledge come here, never values."""
    parts = [(literal, name or "") for literal, name, _, _ in Formatter().parse(" ".join(template.split()))]
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
