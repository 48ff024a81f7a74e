"""Versions of a resource: which is the newest, and which resources were deleted (FHIR R4, "History").

Versions are compared as instants: offsets and fractions of a second differ between servers. A version that
changed its meaning replaces the older one whole, so that what is no longer true states nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from fhir_mappings.fhir.elements import Entry, Meta, Resource

_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:\.(\d{1,12}))?)?\s*(Z|z|[+-]\d\d:?\d\d)?"
)
_DELETED = "DELETE"
Key = tuple[str, str]
VersionOf = Callable[[Resource], str]


def version_key(meta: Meta | None) -> str:
    """A text that sorts the versions of one resource, newest last; empty where none is stated."""
    if meta is None:
        return ""
    return f"{instant_key(meta.last_updated or '')}#{meta.version_id or '':0>12}"


def instant_key(text: str) -> str:
    """An instant as a text that sorts by time, in UTC with nine digits of a second; others as they are."""
    match = _INSTANT.fullmatch(text.strip())
    if match is None:
        return text
    offset = (match[5] or "Z").upper().replace("Z", "+00:00")
    try:
        moment = datetime.fromisoformat(f"{match[1]}T{match[2] or '00:00'}{match[3] or ':00'}{offset}")
    except ValueError:
        return text
    fraction = (match[4] or "")[:9]
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{fraction:0<9}Z"


def newest(entries: Sequence[Entry], version_of_resource: VersionOf) -> Sequence[Entry]:
    """The entries without older versions and without deleted resources; nearly every set has neither."""
    ids = [entry.resource.id if entry.resource is not None else None for entry in entries]
    if len(set(ids)) == len(ids) and None not in ids:
        return entries
    keys = [_key(entry.resource) for entry in entries]
    named = [key for key in keys if key is not None]
    gone = [number for number, entry in enumerate(entries) if entry.resource is None and _is_deletion(entry)]
    if len(set(named)) == len(named) and not gone:
        return entries
    versions = [
        version_of_resource(entry.resource) if entry.resource is not None else "" for entry in entries
    ]
    latest: dict[Key, str] = {}
    for key, version in zip(keys, versions, strict=True):
        if key is not None:
            latest[key] = max(version, latest.get(key, ""))
    deleted = {key: place for place in gone if (key := _deleted_key(entries[place])) is not None}
    return [
        entry
        for place, (entry, key, version) in enumerate(zip(entries, keys, versions, strict=True))
        if key is None or (version == latest[key] and not _is_gone(place, version, deleted.get(key), entries))
    ]


def _key(resource: Resource | None) -> Key | None:
    if resource is None or not resource.id or not resource.resource_type:
        return None
    return (resource.resource_type, resource.id)


def _is_deletion(entry: Entry) -> bool:
    return entry.request is not None and (entry.request.method or "").strip().upper() == _DELETED


def _deleted_key(entry: Entry) -> Key | None:
    url = (entry.request.url if entry.request is not None else None) or entry.full_url or ""
    parts = url.split("/_history", 1)[0].rstrip("/").rsplit("/", 2)
    return (parts[-2], parts[-1]) if len(parts) >= 2 else None


def _is_gone(place: int, version: str, deletion: int | None, entries: Sequence[Entry]) -> bool:
    """Whether a resource was deleted after this version; without a time the history's order decides."""
    if deletion is None:
        return False
    response = entries[deletion].response
    moment = instant_key(response.last_modified or "") if response is not None else ""
    updated = version.partition("#")[0]
    if moment and updated:
        return moment >= updated
    return deletion < place
