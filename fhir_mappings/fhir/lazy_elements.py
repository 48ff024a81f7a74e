"""Elements that every resource has and few rules read: decoded when they are asked for.

The codes and values of a chart are half of its elements. Left as bytes, the many that no rule reads cost
neither time nor memory, and a code that stands in a hundred results is understood once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec
from msgspec import Raw

from fhir_mappings.fhir.decoding import UNREADABLE, Unreadable, named_codes
from fhir_mappings.fhir.elements import CodeableConcept, Entry, Quantity, Resource

Element = TypeVar("Element")

_NOTHING = Resource()
_concept = msgspec.json.Decoder(CodeableConcept | None)
_status = msgspec.json.Decoder(CodeableConcept | str | None)
_quantity = msgspec.json.Decoder(Quantity | None)


class UnreadableElement(ValueError):
    """An element does not have its R4 type, so that its resource cannot be understood."""


def concept_of(raw: Raw | bytes) -> CodeableConcept | None:
    """A CodeableConcept. Raises UnreadableElement."""
    return _decoded(_concept, raw)


def status_of(raw: Raw) -> CodeableConcept | str | None:
    """A state of a Condition, which was plain text before R4. Raises UnreadableElement."""
    return _decoded(_status, raw)


def is_plain_text(raw: Raw) -> bool:
    """Whether the element is a text, where R4 wants a CodeableConcept."""
    return bytes(raw).startswith(b'"')


def quantity_of(raw: Raw) -> Quantity | None:
    """A Quantity with its exact number. Raises UnreadableElement."""
    return _decoded(_quantity, raw)


def understood(entries: Iterable[Entry]) -> tuple[list[Entry], list[Unreadable]]:
    """The entries whose late elements can be read, and what can be said of the others."""
    found: list[Entry] = []
    lost: list[Unreadable] = []
    for entry in entries:
        resource = entry.resource or _NOTHING
        try:
            _read_all(resource)
            found.append(entry)
        except UnreadableElement:
            lost.append(remains_of(resource))
    return found, lost


def remains_of(resource: Resource) -> Unreadable:
    """What can still be said of a resource with an element of the wrong type."""
    return Unreadable(resource.resource_type or "", resource.id or "", named_codes(resource.code))


def _read_all(resource: Resource) -> None:
    concept_of(resource.code)
    concept_of(resource.medication_codeable_concept)
    quantity_of(resource.value_quantity)
    status_of(resource.clinical_status)
    status_of(resource.verification_status)


def _decoded(decoder: msgspec.json.Decoder[Element | None], raw: Raw | bytes) -> Element | None:
    if not bytes(raw):
        return None
    try:
        return decoder.decode(raw)
    except UNREADABLE:
        raise UnreadableElement from None
