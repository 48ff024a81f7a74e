"""A CDS Hooks request body, decoded in one typed pass and read strictly at its envelope.

A large body is decoded once: every envelope member and every prefetch key is counted as it passes, so a
member that is written twice shows although the last one wins (unless the first was empty, which takes
nothing away). Anything unusual, and any small body, is split into its members first, each read on its
own: slower, and exact.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Any, Never

import msgspec
from msgspec import Raw, Struct

from cds_service.http.problem import Problem, Refusal
from cds_service.http.strict_json import AmbiguousJson, read_object
from fhir_mappings.assess import Decoded, Malformed, Resource, Unreadable, decode

SMALL_BODY = 65_536
"""Below this many bytes, splitting first costs next to nothing."""

ENVELOPE = ("hook", "hookInstance", "fhirServer", "fhirAuthorization", "context")
"""Members of a request beside the prefetch (CDS Hooks, "Calling a CDS Service")."""

_UNREADABLE = Decoded(Resource(), (Unreadable("", "", ()),))


@dataclass(frozen=True, slots=True)
class Body:
    """The members of a request: the envelope as plain values, the prefetch as typed resources by key."""

    envelope: dict[str, Any]
    prefetch: dict[str, Decoded | None]

    @property
    def resources(self) -> int:
        """How many resources the prefetch holds."""
        return sum(
            len(value.resource.entry or ()) + len(value.unreadable) or 1
            for value in self.prefetch.values()
            if value is not None
        )


class _Counted:
    """A value that is seen each time it is decoded, overwritten or not. Equal to nothing but itself."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class _Texts(Struct):
    prefetch: dict[str, Raw] | None = None


_prefetch = msgspec.json.Decoder(_Texts)


class _Whole(Struct, rename="camel"):
    hook: _Counted | None = None
    hook_instance: _Counted | None = None
    fhir_server: _Counted | None = None
    fhir_authorization: dict[_Counted, _Counted] | None = None
    context: dict[_Counted, _Counted] | None = None
    prefetch: dict[_Counted, Resource | None] | None = None


def read_body(body: bytes) -> Body:
    """Read a request body.

    Raises Refusal (malformed-body) for anything but one JSON object in strict UTF-8, for a member of the
    envelope, its context or its prefetch that stands twice, and for numbers that are none.
    """
    _check_utf8(body)
    if len(body) > SMALL_BODY:
        whole = _read_at_once(body)
        if whole is not None:
            return whole
    return _read_by_member(body)


def _read_at_once(body: bytes) -> Body | None:
    """The body in one pass; None when it must be looked at more closely."""
    seen: list[_Counted] = []

    def count(_: type, value: Any) -> _Counted:
        counted = _Counted(value)
        seen.append(counted)
        return counted

    try:
        whole = msgspec.json.Decoder(_Whole, dec_hook=count).decode(body)
    except msgspec.ValidationError:
        return None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        _refuse(_position(error))
    groups = (whole.fhir_authorization, whole.context)
    if any(group and not _is_flat_and_unique(group) for group in groups):
        return None
    single = [value for value in (whole.hook, whole.hook_instance, whole.fhir_server) if value is not None]
    pairs = [item for group in groups if group for pair in group.items() for item in pair]
    if len(seen) != len(single) + len(pairs) + len(whole.prefetch or ()):
        return None
    envelope = {
        "hook": _value(whole.hook),
        "hookInstance": _value(whole.hook_instance),
        "fhirServer": _value(whole.fhir_server),
        "fhirAuthorization": _table(whole.fhir_authorization),
        "context": _table(whole.context),
    }
    named = [(key.value, resource) for key, resource in (whole.prefetch or {}).items()]
    if _has_repetition([key for key, _ in named]):
        return None
    texts = _prefetch.decode(body).prefetch or {}
    prefetch = {
        key: None if resource is None else Decoded(resource, unchecked=texts[key]) for key, resource in named
    }
    return Body({key: value for key, value in envelope.items() if value is not None}, prefetch)


def _read_by_member(body: bytes) -> Body:
    members = _members(body, "the top level")
    envelope = _read_strictly({name: members[name] for name in ENVELOPE if name in members})
    prefetch: dict[str, Decoded | None] = {}
    raw = members.get("prefetch", Raw(b"null"))
    if bytes(raw) != b"null":
        for key, value in _members(raw, "prefetch").items():
            prefetch[key] = _read_supplied(value)
    return Body({key: value for key, value in envelope.items() if value is not None}, prefetch)


def _read_supplied(raw: Raw) -> Decoded | None:
    if bytes(raw) == b"null":
        return None
    try:
        return decode(raw)
    except Malformed:
        return _UNREADABLE


_object = msgspec.json.Decoder(dict[_Counted, Raw], dec_hook=lambda _, value: _Counted(value))


def _members(data: bytes | Raw, where: str) -> dict[str, Raw]:
    """The members of an object, none twice. Raises Refusal."""
    try:
        pairs = _object.decode(data)
    except msgspec.ValidationError:
        _refuse(f"{where} is not an object")
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        _refuse(_position(error))
    members = {key.value: raw for key, raw in pairs.items()}
    if len(members) != len(pairs):
        _refuse(f"{where} has a member that stands twice")
    return members


def _read_strictly(members: dict[str, Raw]) -> dict[str, Any]:
    """The envelope, which must have one possible reading at every depth."""
    text = b",".join(b'"%s":%s' % (name.encode(), bytes(value)) for name, value in members.items())
    try:
        return read_object(b"{%s}" % text)
    except AmbiguousJson:
        _refuse("the envelope has a member that stands twice, or a number that is none")


def _has_repetition(keys: list[str]) -> bool:
    return len(set(keys)) != len(keys)


def _is_flat_and_unique(pairs: dict[_Counted, _Counted]) -> bool:
    nested = any(isinstance(item.value, dict | list) for item in pairs.values())
    return not nested and not _has_repetition([key.value for key in pairs])


def _value(counted: _Counted | None) -> Any:
    return None if counted is None else counted.value


def _table(pairs: dict[_Counted, _Counted] | None) -> dict[str, Any] | None:
    if pairs is None:
        return None
    return {key.value: value.value for key, value in pairs.items()}


def _check_utf8(body: bytes) -> None:
    """Skipped members are not decoded by anyone else, so their bytes are checked here, without a copy."""
    if body.isascii():
        return
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(body)
    try:
        for start in range(0, len(view), SMALL_BODY):
            decoder.decode(view[start : start + SMALL_BODY])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        _refuse("not valid UTF-8")


def _position(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    text = str(error)
    return text if text.startswith(("JSON is malformed", "Input data was truncated")) else "not valid JSON"


def _refuse(why: str) -> Never:
    raise Refusal(Problem.MALFORMED_BODY, why)
