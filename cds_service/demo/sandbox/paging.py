"""Pages of a search: a snapshot kept on the server, reached by an opaque token (FHIR R4 http, 3.1.0.7)."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from cds_service.demo.sandbox.outcomes import FhirError
from cds_service.demo.sandbox.query import Query
from cds_service.demo.sandbox.repository import Stored

PAGE_PARAMETER = "_page"
_KEPT_SNAPSHOTS = 256


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search. ``next`` is the token of the following page, empty on the last."""

    query: Query
    patient_id: str
    entries: tuple[Stored, ...]
    total: int
    next: str


@dataclass(frozen=True, slots=True)
class _Snapshot:
    query: Query
    patient_id: str
    found: tuple[Stored, ...]


class Pages:
    """The snapshots of searches that have more than one page; the oldest are given up first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._snapshots: OrderedDict[str, _Snapshot] = OrderedDict()

    def first(self, query: Query, patient_id: str, found: tuple[Stored, ...]) -> Page:
        """The first page of a result that was found with a token bound to ``patient_id``."""
        snapshot = _Snapshot(query, patient_id, found)
        if not 0 < query.count < len(found):
            return Page(query, patient_id, found[: query.count], len(found), "")
        name = secrets.token_urlsafe(16)
        with self._lock:
            self._snapshots[name] = snapshot
            while len(self._snapshots) > _KEPT_SNAPSHOTS:
                self._snapshots.popitem(last=False)
        return _page(name, snapshot, 0)

    def following(self, token: str, resource_type: str, patient_id: str) -> Page:
        """The page a ``next`` link points to.

        Raises:
            FhirError: 410 when the token is unknown or given up, or belongs to another search or bearer.
        """
        name, _, number = token.rpartition(".")
        with self._lock:
            snapshot = self._snapshots.get(name)
        fits = (
            snapshot is not None
            and snapshot.patient_id == patient_id
            and snapshot.query.resource_type == resource_type
            and number.isascii()
            and number.isdigit()
            and len(number) < 10
        )
        if snapshot is None or not fits or int(number) >= len(snapshot.found):
            raise FhirError(410, "expired", "This page is not kept any more. Repeat the search.")
        return _page(name, snapshot, int(number))


def _page(name: str, snapshot: _Snapshot, start: int) -> Page:
    end = start + snapshot.query.count
    more = f"{name}.{end}" if end < len(snapshot.found) else ""
    return Page(snapshot.query, snapshot.patient_id, snapshot.found[start:end], len(snapshot.found), more)
