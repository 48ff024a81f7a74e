"""JSON bytes to typed FHIR elements: one pass, and one bad entry costs only itself."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.fhir.elements import (
    CodeableConcept,
    Entry,
    EntryRequest,
    EntryResponse,
    Link,
    Resource,
    Search,
)
from fhir_mappings.fhir.repeated_members import has_repeated_member, has_repeated_name

MAX_NAMED_CODES = 16
UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
"""What decoding raises for bytes that are not the element: left as bytes, they were not looked at before."""


class Malformed(ValueError):
    """The bytes are not JSON, or not a JSON object. The message names a position, never content."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A resource whose elements do not have the types of R4: what can still be said about it."""

    resource_type: str
    id: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A resource (or Bundle) and the entries of it that could not be understood.

    ``unchecked`` are its bytes where nobody has looked yet for members that stand twice.
    """

    resource: Resource
    unreadable: tuple[Unreadable, ...] = ()
    unchecked: Raw | bytes = b""


class _LooseEntry(Struct, rename="camel"):
    full_url: Raw = Raw()
    resource: Raw = Raw()
    search: Raw = Raw()
    request: Raw = Raw()
    response: Raw = Raw()


class _LooseBundle(Struct, rename="camel"):
    resource_type: str | None = None
    id: Raw = Raw()
    entry: list[Raw] | None = None
    link: list[Raw] | None = None
    total: Raw = Raw()
    type: Raw = Raw()


class _Stub(Struct, rename="camel"):
    resource_type: Raw = Raw()
    id: Raw = Raw()
    code: Raw = Raw()


_resource = msgspec.json.Decoder(Resource)
_loose_bundle = msgspec.json.Decoder(_LooseBundle)
_loose_entry = msgspec.json.Decoder(_LooseEntry)
_stub = msgspec.json.Decoder(_Stub)
_text = msgspec.json.Decoder(str)
_concept = msgspec.json.Decoder(CodeableConcept)
_link = msgspec.json.Decoder(Link)
_search = msgspec.json.Decoder(Search)
_request = msgspec.json.Decoder(EntryRequest)
_response = msgspec.json.Decoder(EntryResponse)


def decode(data: bytes | Raw) -> Decoded:
    """Decode one resource or Bundle.

    Elements of the wrong type, and members that stand twice, make only their own entry unreadable.
    Raises Malformed when the bytes are not JSON or not an object.
    """
    try:
        resource = _resource.decode(data)
    except msgspec.ValidationError:
        return _decode_loosely(data)
    except UNREADABLE as error:
        raise Malformed(_position(error)) from None
    return _decode_loosely(data) if has_repeated_member(bytes(data)) else Decoded(resource)


def checked(decoded: Decoded) -> Decoded:
    """The same without the entries in which a member stands twice."""
    if not bytes(decoded.unchecked):
        return decoded
    if has_repeated_member(bytes(decoded.unchecked)):
        return _decode_loosely(decoded.unchecked)
    return Decoded(decoded.resource, decoded.unreadable)


def decode_lines(data: bytes) -> list[Resource] | None:
    """The resources of some lines of NDJSON at once; None where one of them must be decoded by itself."""
    try:
        return _resource.decode_lines(data)
    except UNREADABLE:
        return None


def _decode_loosely(data: bytes | Raw) -> Decoded:
    try:
        bundle = _loose_bundle.decode(data)
    except msgspec.ValidationError:
        if not bytes(data).lstrip().startswith(b"{"):
            raise Malformed("the top level is not an object") from None
        return _unreadable_resource(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Malformed(_position(error)) from None
    if bundle.resource_type != "Bundle":
        return _unreadable_resource(data)
    if has_repeated_name(data):
        return Decoded(Resource(), (Unreadable("", "", ()),))
    entries: list[Entry] = []
    unreadable: list[Unreadable] = []
    for raw in bundle.entry or []:
        _add_entry(raw, entries, unreadable)
    links = [link for link in map(_read_link, bundle.link or []) if link is not None]
    resource = Resource(
        resource_type="Bundle",
        id=_read_text(bundle.id),
        type=_read_text(bundle.type),
        entry=entries,
        link=links,
        total=bundle.total,
    )
    return Decoded(resource, tuple(unreadable))


def _add_entry(raw: Raw, entries: list[Entry], unreadable: list[Unreadable]) -> None:
    if has_repeated_name(raw):
        unreadable.append(Unreadable("", "", ()))
        return
    try:
        loose = _loose_entry.decode(raw)
    except UNREADABLE:
        unreadable.append(Unreadable("", "", ()))
        return
    if not is_stated(loose.resource):
        entries.append(_empty_entry(loose))
        return
    decoded = decode(loose.resource) if bytes(loose.resource).lstrip().startswith(b"{") else None
    if decoded is None:
        unreadable.append(Unreadable("", "", ()))
        return
    unreadable.extend(decoded.unreadable)
    if decoded.resource.resource_type is not None:
        mode = None
        if is_stated(loose.search):
            try:
                mode = _search.decode(loose.search)
            except UNREADABLE:
                mode = None
        entries.append(Entry(full_url=_read_text(loose.full_url), resource=decoded.resource, search=mode))


def _empty_entry(loose: _LooseEntry) -> Entry:
    """An entry without a resource; in a history it says that something was deleted."""
    entry = Entry(full_url=_read_text(loose.full_url))
    try:
        entry.request = _request.decode(loose.request) if is_stated(loose.request) else None
        entry.response = _response.decode(loose.response) if is_stated(loose.response) else None
    except UNREADABLE:
        entry.response = None
    return entry


def _unreadable_resource(data: bytes | Raw) -> Decoded:
    if has_repeated_member(bytes(data)):
        # Any of its members may be the one that stands twice, so that its code says nothing.
        return Decoded(Resource(), (Unreadable("" if has_repeated_name(data) else _type_of(data), "", ()),))
    try:
        stub = _stub.decode(data)
    except UNREADABLE:
        return Decoded(Resource(), (Unreadable("", "", ()),))
    resource_type, identifier = _read_text(stub.resource_type) or "", _read_text(stub.id) or ""
    return Decoded(Resource(), (Unreadable(resource_type, identifier, named_codes(stub.code)),))


def _type_of(data: bytes | Raw) -> str:
    try:
        return _read_text(_stub.decode(data).resource_type) or ""
    except UNREADABLE:
        return ""


def is_stated(raw: Raw) -> bool:
    """Whether the element stands in the resource and is not null."""
    return bytes(raw) not in (b"", b"null")


def named_codes(raw: Raw) -> tuple[str, ...]:
    """The codes of a CodeableConcept as ``system|code``; none where it cannot be understood."""
    if not is_stated(raw):
        return ()
    try:
        concept = _concept.decode(raw)
    except UNREADABLE:
        return ()
    codings = (concept.coding or [])[:MAX_NAMED_CODES]
    return tuple(f"{coding.system}|{coding.code}" for coding in codings if coding.code)


def _read_text(raw: Raw) -> str | None:
    if not is_stated(raw):
        return None
    try:
        return _text.decode(raw)
    except UNREADABLE:
        return None


def _read_link(raw: Raw) -> Link | None:
    try:
        return _link.decode(raw)
    except UNREADABLE:
        # A next link of an odd shape must not read as "no further page".
        return Link(relation="next", url="")


def _position(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "not valid UTF-8"
    text = str(error)
    return text if text.startswith(("JSON is malformed", "Input data was truncated")) else "not valid JSON"
