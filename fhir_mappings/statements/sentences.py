"""The one place where a sentence of the knowledge gets its blanks filled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from string import Formatter

from fhir_mappings.assessment import Statement
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.knowledge.words import Words

Parts = tuple[tuple[str, str], ...]
"""A sentence as its literals, each with the name of the blank behind it, empty behind the last."""


class UnknownWords(LookupError):
    """A statement asks for words the knowledge does not have, or leaves a blank of them empty."""


def words_of(statement: Statement, words: Mapping[str, Words]) -> Words:
    """The words of a statement. Raises UnknownWords."""
    try:
        return words[statement.words]
    except KeyError:
        raise UnknownWords(f"the knowledge has no words {statement.words!r}") from None


def sentence(statement: Statement, words: Mapping[str, Words], written: Callable[[str], str] = str) -> str:
    """The statement in words; ``written`` makes each value fit for where it is shown. Raises UnknownWords."""
    return filled(words_of(statement, words).text, statement.values, written)


@lru_cache(maxsize=2048)
def parts_of(template: str) -> Parts:
    """Literals and blanks of a sentence. Only sentences of the knowledge come here, never values."""
    return tuple((literal, name or "") for literal, name, _, _ in Formatter().parse(template))


def filled(
    template: str,
    values: Mapping[str, str],
    written: Callable[[str], str] = str,
    parts: Callable[[str], Parts] = parts_of,
) -> str:
    """``template`` with its blanks filled. ``parts`` may make its literals fit as well.

    Raises UnknownWords for a blank left empty.
    """
    try:
        return "".join(
            [literal + written(values[name]) if name else literal for literal, name in parts(template)]
        )
    except KeyError as error:
        raise UnknownWords(f"no value for the blank {error.args[0]!r} of {template!r}") from None


def phrase(knowledge: Knowledge, key: str, **values: str) -> str:
    """A piece of a sentence, from the words ``phrase.KEY``: what fills a blank where the record is silent."""
    return filled(knowledge.words[f"phrase.{key}"].text, values)


def dated(day: Moment | None, knowledge: Knowledge, otherwise: str = "unknown-date") -> str:
    """A date as it is shown, or the phrase for one that is not on record."""
    return day.text if day is not None else phrase(knowledge, otherwise)
