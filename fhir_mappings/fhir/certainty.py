"""How certain a diagnosis is, in every national form: status, extensions, the letter after a German code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from fhir_mappings.clinical.vocabulary import Vocabulary
from fhir_mappings.fhir.codings import codings_of
from fhir_mappings.fhir.decoding import UNREADABLE, is_stated
from fhir_mappings.fhir.elements import CodeableConcept, Coding, Extension

_extensions = msgspec.json.Decoder(list[Extension])
_LETTER = re.compile(r"(?P<code>[A-Z]\d{2}\.?\d{0,2}-?)\s*(?P<letter>[AGVZ])")


def stated_certainties(
    status: CodeableConcept | str | None,
    concept: CodeableConcept | None,
    extensions: Iterable[Extension],
    vocabulary: Vocabulary,
) -> frozenset[str]:
    """Every code, in lower case, that says how certain the diagnosis is."""
    found = set(_codes_of_status(status))
    found.update(_codes_of(extensions, vocabulary))
    for coding in codings_of(concept):
        found.update(_codes_of(_extensions_of(coding), vocabulary))
        lettered = letter_of(coding, vocabulary)
        if lettered is not None:
            found.add(lettered[1].lower())
    return frozenset(found)


def letter_of(coding: Coding, vocabulary: Vocabulary) -> tuple[str, str] | None:
    """A German code and the letter of its certainty, where the letter is written after it (``C91.00 A``)."""
    match = _LETTER.fullmatch((coding.code or "").strip())
    if match is None or coding.system is None:
        return None
    if vocabulary.systems.canonical(coding.system) != vocabulary.certainty.letters:
        return None
    return match["code"], match["letter"]


def _codes_of_status(status: CodeableConcept | str | None) -> Iterator[str]:
    if isinstance(status, str):
        yield status.strip().lower()
        return
    for coding in codings_of(status):
        if coding.code:
            yield coding.code.strip().lower()
    if status is not None and status.text and not status.coding:
        yield status.text.strip().lower()


def _codes_of(extensions: Iterable[Extension], vocabulary: Vocabulary) -> Iterator[str]:
    for extension in extensions:
        if extension.url not in vocabulary.certainty.extensions:
            continue
        codes = [extension.value_code, *(one.code for one in codings_of(extension.value_codeable_concept))]
        if extension.value_coding is not None:
            codes.append(extension.value_coding.code)
        yield from (code.strip().lower() for code in codes if code)


def _extensions_of(coding: Coding) -> list[Extension]:
    if not is_stated(coding.extension):
        return []
    try:
        return _extensions.decode(coding.extension)
    except UNREADABLE:
        return []
