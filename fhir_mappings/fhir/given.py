"""Resources as a caller has them: JSON text or bytes, dicts, models of a FHIR library, or our own values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import msgspec

from fhir_mappings.fhir.decoding import Decoded, Malformed, Unreadable, decode
from fhir_mappings.fhir.elements import Entry, Resource

_TO_JSON = msgspec.json.Encoder(decimal_format="number")
_WANTED = (
    "give a Bundle or resources, each as a dict, as JSON text or bytes, as a model of fhir.resources, "
    "or as this package reads them"
)


@runtime_checkable
class FhirModel(Protocol):
    """A resource as a model of fhir.resources (R4B or R4), or any model that writes FHIR JSON alike."""

    def model_dump_json(self, *, exclude_none: bool = ...) -> str: ...


Given = Resource | Entry | Decoded | Unreadable | Mapping[str, Any] | str | bytes | FhirModel
"""One resource, or a Bundle of them, in any form a caller may have, or what is known of an unreadable one."""


@dataclass(slots=True)
class GivenResources:
    """The entries of what was given, and the resources that could not be understood."""

    entries: list[Entry] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)

    def add(self, decoded: Decoded) -> None:
        """One decoded resource, or the entries of a Bundle."""
        self.unreadable.extend(decoded.unreadable)
        self.entries.extend(_flat(Entry(resource=decoded.resource)))


def given_resources(given: Given | Iterable[Given]) -> GivenResources:
    """Everything that was given, in its order.

    Raises Malformed where a text is no JSON object, TypeError for what is no resource at all.
    """
    found = GivenResources()
    for one in _each(given):
        if isinstance(one, Entry):
            found.entries.extend(_flat(one))
        elif isinstance(one, Unreadable):
            found.unreadable.append(one)
        elif isinstance(one, Resource):
            found.entries.extend(_flat(Entry(resource=one)))
        else:
            found.add(_decoded(one))
    return found


def _each(given: Given | Iterable[Given]) -> Iterator[Given]:
    if isinstance(given, (str, bytes, Mapping, Resource, Entry, Decoded, Unreadable, FhirModel)):
        yield given
    elif isinstance(given, Iterable):
        yield from given
    else:
        raise TypeError(f"{type(given).__name__} is no resource: {_WANTED}")


def _decoded(one: object) -> Decoded:
    if isinstance(one, Decoded):
        return one
    if isinstance(one, str):
        return decode(one.encode())
    if isinstance(one, bytes):
        return decode(one)
    if isinstance(one, Mapping):
        return decode(_as_json(one))
    if isinstance(one, FhirModel):
        return decode(one.model_dump_json(exclude_none=True).encode())
    raise TypeError(f"{type(one).__name__} is no resource: {_WANTED}")


def _as_json(mapping: Mapping[str, Any]) -> bytes:
    try:
        return _TO_JSON.encode(mapping)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Malformed(f"a dict that is no JSON: {type(error).__name__}") from None


def _flat(entry: Entry) -> Iterator[Entry]:
    resource = entry.resource
    if resource is not None and resource.resource_type == "Bundle":
        for inner in resource.entry or ():
            yield from _flat(inner)
    else:
        yield entry
