"""Codings and their texts, looked up in the vocabulary by system and code together."""

from __future__ import annotations

from typing import TypeVar

from fhir_mappings.clinical.code_systems import CodeTable
from fhir_mappings.fhir.elements import CodeableConcept, Coding

Meaning = TypeVar("Meaning")
Default = TypeVar("Default")

LOINC = "http://loinc.org"
# Characters that render as nothing and are found in display texts in the field.
_INVISIBLE = dict.fromkeys((0x200B, 0x200C, 0x200D, 0xFEFF), None) | {0xA0: " "}


def codings_of(concept: CodeableConcept | None) -> list[Coding]:
    """All codings, an absent concept having none."""
    return (concept.coding or []) if concept is not None else []


def meanings(concept: CodeableConcept | None, table: CodeTable[Meaning]) -> list[tuple[Coding, Meaning]]:
    """Every coding whose system and code are both in ``table``, however they are spelt, with its meaning."""
    found: list[tuple[Coding, Meaning]] = []
    if concept is None or concept.coding is None:
        return found
    for coding in concept.coding:
        if coding.code is None:
            continue
        meaning = table.find(coding.system, coding.code)
        if meaning is not None:
            found.append((coding, meaning))
    return found


def first_meaning(
    concept: CodeableConcept | None, table: CodeTable[Meaning], default: Default
) -> Meaning | Default:
    """The meaning of the first coding found in ``table``, else ``default``."""
    for _coding, meaning in meanings(concept, table):
        return meaning
    return default


def texts_of(concept: CodeableConcept | None) -> str:
    """Text and displays of a concept as one lower-case string without invisible characters."""
    if concept is None:
        return ""
    parts = [concept.text or ""]
    parts.extend([coding.display or "" for coding in concept.coding or ()])
    text = " | ".join([part for part in parts if part])
    return (text if text.isascii() else text.translate(_INVISIBLE)).lower()


def words_of(concept: CodeableConcept | None) -> str:
    """Text and displays of a concept as they are written, one after another with ``|`` between."""
    if concept is None:
        return ""
    parts = [concept.text or "", *(coding.display or "" for coding in concept.coding or ())]
    text = " | ".join(dict.fromkeys(part for part in parts if part))
    return text if text.isascii() else text.translate(_INVISIBLE)


def label_of(concept: CodeableConcept | None) -> str:
    """The text an EHR shows for a concept: its text, else the first display."""
    if concept is None:
        return ""
    if concept.text:
        return concept.text
    return next((coding.display for coding in concept.coding or [] if coding.display), "")
