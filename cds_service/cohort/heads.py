"""Whose line is it? The head of a resource: its type, its id and the patient it names, and nothing else.

The patient's id is read from the reference as it is written: relative, absolute, with a version, or as a
``urn:uuid``. A reference to anything else names no patient.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.assess import Resource

_PATIENT = "Patient/"
_URN = "urn:uuid:"


class Named(Struct, gc=False):
    """A Reference."""

    reference: str | None = None


class Head(Struct, rename="camel", gc=False):
    """What a line is about."""

    resource_type: str | None = None
    id: str | None = None
    subject: Named | list[Named] | None = None
    patient: Named | None = None
    individual: Named | None = None


class _Joins(Struct, rename="camel"):
    medication_reference: Raw = Raw()
    specimen: Raw = Raw()


class Block(Sequence[bytes]):
    """Whole lines of a file as one piece; they are parted when one of them is asked for."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._lines: list[bytes] | None = None

    @property
    def lines(self) -> list[bytes]:
        """The lines, without their ends."""
        if self._lines is None:
            self._lines = self.data.split(b"\n")
            if not self._lines[-1]:
                self._lines.pop()
        return self._lines

    def __len__(self) -> int:
        return self.data.count(b"\n") + (not self.data.endswith(b"\n") and bool(self.data))

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        return self.lines[index]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.lines)


class _LooseHead(Struct, rename="camel"):
    resource_type: Raw = Raw()
    id: Raw = Raw()
    subject: Raw = Raw()
    patient: Raw = Raw()
    individual: Raw = Raw()


class _Bundle(Struct, rename="camel"):
    entry: list[Raw] = []


class _BundleEntry(Struct, rename="camel"):
    resource: Raw = Raw()


NOT_DECODED = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
_head = msgspec.json.Decoder(Head)
_joins = msgspec.json.Decoder(_Joins)
_loose = msgspec.json.Decoder(_LooseHead)
_text = msgspec.json.Decoder(str)
_named = msgspec.json.Decoder(Named | list[Named] | None)
_bundle = msgspec.json.Decoder(_Bundle)
_entry = msgspec.json.Decoder(_BundleEntry)


def heads_of(lines: Sequence[bytes]) -> Sequence[Head | None]:
    """The head of each line. Of a block, places are right where ``is_misread`` says nothing else."""
    if isinstance(lines, Block):
        try:
            return _head.decode_lines(lines.data)
        except NOT_DECODED:
            pass
    return [head_of(line) for line in lines]


def is_misread(lines: Sequence[bytes], number: int, head: Head) -> bool:
    """Whether a head is not that of the line at its place: two resources stood on one line, or one on two."""
    if not isinstance(lines, Block):
        return False
    own = lines.lines
    return number >= len(own) or head_of(own[number]) != head


def head_of(line: bytes) -> Head | None:
    """The head of a line, as far as it can be read; None where the line is no JSON object."""
    try:
        return _head.decode(line)
    except NOT_DECODED:
        pass
    try:
        found = _loose.decode(line)
    except NOT_DECODED:
        return None
    subject, patient, individual = (
        _one_or_none(raw) for raw in (found.subject, found.patient, found.individual)
    )
    return Head(_string(found.resource_type), _string(found.id), subject or patient or individual)


def patients_of(head: Head | Resource) -> tuple[str, ...]:
    """The ids of the patients that a resource belongs to: one, several (a list of subjects), or none."""
    if head.resource_type == "Patient":
        return (head.id,) if head.id else ()
    reference = head.subject or head.patient or head.individual
    if reference is None:
        return ()
    if isinstance(reference, list):
        return tuple(dict.fromkeys(found for one in reference if (found := patient_id(one.reference))))
    found = patient_id(reference.reference)
    return (found,) if found else ()


def patient_id(reference: str | None) -> str:
    """The id of the patient that a reference names; empty where it names none."""
    if not reference:
        return ""
    if reference.startswith(_PATIENT):
        rest = reference[len(_PATIENT) :]
    else:
        _base, separator, rest = reference.rpartition("/" + _PATIENT)
        if not separator:
            return reference[len(_URN) :] if reference.startswith(_URN) else ""
    return rest.partition("/_history/")[0]


def joined_to(line: bytes) -> Iterator[str]:
    """The resources of nobody in particular that a line names: ``Medication/id`` or ``Specimen/id``."""
    try:
        found = _joins.decode(line)
    except NOT_DECODED:
        return
    for raw, kind in ((found.medication_reference, "Medication"), (found.specimen, "Specimen")):
        named = _one_or_none(raw)
        for one in named if isinstance(named, list) else [named] if named else []:
            if key := resource_key(one.reference, kind):
                yield key


def resource_key(reference: str | None, kind: str) -> str:
    """``Kind/id`` of a reference to a resource of that type, without base and version; else empty."""
    if not reference or reference.startswith("#"):
        return ""
    if reference.startswith(_URN):
        return f"{kind}/{reference[len(_URN) :]}"
    parts = reference.partition("/_history/")[0].rsplit("/", 2)
    return f"{kind}/{parts[-1]}" if len(parts) >= 2 and parts[-2] == kind and parts[-1] else ""


def resources_in(bundle: bytes) -> list[bytes]:
    """The resources of a Bundle, each as a line. Raises ``msgspec.DecodeError``."""
    lines: list[bytes] = []
    for raw in _bundle.decode(bundle).entry:
        try:
            resource = bytes(_entry.decode(raw).resource)
        except NOT_DECODED:
            resource = bytes(raw)
        if resource:
            lines.extend(unfolded(resource))
    return lines


def unfolded(resource: bytes) -> list[bytes]:
    """The lines of one JSON text: itself on one line, or the resources of the Bundle that it is."""
    head = head_of(resource)
    if head is not None and head.resource_type == "Bundle":
        return resources_in(resource)
    # Written over several lines, it would be several lines.
    return [msgspec.json.format(resource, indent=-1) if b"\n" in resource else resource]


def _one_or_none(raw: Raw) -> Named | list[Named] | None:
    if not bytes(raw):
        return None
    try:
        found: Named | list[Named] | None = _named.decode(raw)
    except NOT_DECODED:
        return None
    return found


def _string(raw: Raw) -> str | None:
    try:
        return _text.decode(raw) if bytes(raw) else None
    except NOT_DECODED:
        return None
