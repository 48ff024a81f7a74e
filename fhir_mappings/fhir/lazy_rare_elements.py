"""Elements that matter in few resources, decoded only when a rule asks for them.

Most of a chart is results and diagnoses that no rule reads. Building their notes, extensions and
interpretations would be a third of the cost of the whole chart.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec import Raw

from fhir_mappings.fhir.decoding import UNREADABLE
from fhir_mappings.fhir.elements import (
    Annotation,
    Attachment,
    CodeableConcept,
    DocumentContent,
    Extension,
    Meta,
    Narrative,
    Reference,
    Resource,
)
from fhir_mappings.fhir.versions import version_key

Element = TypeVar("Element")

_meta = msgspec.json.Decoder(Meta)
_extensions = msgspec.json.Decoder(list[Extension])
_notes = msgspec.json.Decoder(list[Annotation])
_interpretations = msgspec.json.Decoder(list[CodeableConcept])
_interpretation = msgspec.json.Decoder(CodeableConcept)
_attachments = msgspec.json.Decoder(list[Attachment])
_contents = msgspec.json.Decoder(list[DocumentContent])
_references = msgspec.json.Decoder(list[Reference])
_narrative = msgspec.json.Decoder(Narrative)
_string = msgspec.json.Decoder(str)
_NOTHING = (b"", b"null", b"[]")


def version_of(resource: Resource) -> str:
    """A text that sorts the versions of one resource, newest last; empty where none is stated."""
    return version_key(_decoded(_meta, resource.meta))


def has_modifier(resource: Resource) -> bool:
    """Whether a modifierExtension stands in the resource, of whatever shape: it may mean anything."""
    return _stated(resource.modifier_extension)


def extensions_of(resource: Resource) -> list[Extension] | None:
    """The extensions; None when they cannot be understood."""
    return _decoded(_extensions, resource.extension) if _stated(resource.extension) else []


def notes_of(resource: Resource) -> list[str]:
    """The texts of the notes; those that cannot be understood are none."""
    return [note.text or "" for note in _decoded(_notes, resource.note) or ()]


def interpretations_of(resource: Resource) -> list[CodeableConcept]:
    """The interpretations, one of them also without its list (before R4)."""
    raw = resource.interpretation
    if bytes(raw).startswith(b"{"):
        single = _decoded(_interpretation, raw)
        return [single] if single is not None else []
    return _decoded(_interpretations, raw) or []


def attachments_of(raw: Raw) -> list[Attachment] | None:
    """Attachments of a report, or within the content of a document; None when they are not understood."""
    if not _stated(raw):
        return []
    found = _decoded(_attachments, raw)
    if found is not None and any(one.data or one.url or one.content_type for one in found):
        return found
    contents = _decoded(_contents, raw)
    if contents is None:
        return found
    return [one.attachment for one in contents if one.attachment is not None]


def concepts_of(raw: Raw) -> list[CodeableConcept]:
    """CodeableConcepts of a list that cannot make their resource unreadable."""
    return _decoded(_interpretations, raw) or []


def references_of(raw: Raw) -> list[Reference]:
    """References of a list that cannot make their resource unreadable."""
    return _decoded(_references, raw) or []


def narrative_of(raw: Raw) -> str:
    """The XHTML of Resource.text; empty where there is none."""
    found = _decoded(_narrative, raw)
    return (found.div or "") if found is not None else ""


def string_of(raw: Raw) -> str:
    """A text element; empty where it is none."""
    return _decoded(_string, raw) or ""


def _decoded(decoder: msgspec.json.Decoder[Element], raw: Raw) -> Element | None:
    if not _stated(raw):
        return None
    try:
        return decoder.decode(raw)
    except UNREADABLE:
        return None


def _stated(raw: Raw) -> bool:
    return bytes(raw) not in _NOTHING
