"""One search followed to its end: plainer where the server refuses, page after page, never half."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cds_service.fhir_client.capability import Detail
from cds_service.fhir_client.paging import PagingBlocked, Trail, confined_target
from cds_service.fhir_client.queries import Search, chunked, page_size, request
from cds_service.fhir_client.searching import interpret
from cds_service.fhir_client.server_connection import Door
from cds_service.fhir_client.transport import Failed, Reply, Request
from fhir_mappings.assess import Entry, NeedData, Unreadable

Sender = Callable[[Request], Reply | Failed]
_QUERY_REFUSED = (400, 422, 501)
_POST_REFUSED = (404, 405, 415)


@dataclass(slots=True)
class Found:
    """What a search brought. ``reason`` is empty when that is certainly everything."""

    reason: str = ""
    entries: list[Entry] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)

    def add(self, page: NeedData) -> None:
        """Take the content of a page; its fault, if it has one, stays."""
        self.entries.extend(page.entries)
        self.unreadable.extend(page.unreadable)
        self.reason = self.reason or (page.reason if page.is_faulty else "")

    def join(self, other: Found) -> None:
        """Take everything of another part of the same need."""
        self.entries.extend(other.entries)
        self.unreadable.extend(other.unreadable)
        self.reason = self.reason or other.reason


def pursue(search: Search, door: Door, send: Sender, most: int) -> Found:
    """Everything the server has for a search; at most ``most`` resources."""
    asked, reply = _first_answer(search, door, send)
    if asked.method == "POST" and isinstance(reply, Reply) and reply.status in _POST_REFUSED:
        door.record.refused_post(search.resource_type)
        found = Found()
        for part in chunked(search, door.record):
            found.join(pursue(part, door, send, most))
        return found
    size = page_size(search, door.record) if "_count" in asked.target or asked.body else 0
    return follow(interpret(reply, search, asked.asked_by), asked, search, door, send, most, size)


def follow(
    page: NeedData, asked: Request, search: Search, door: Door, send: Sender, most: int, size: int = 0
) -> Found:
    """``page``, the answer to ``asked``, and all pages after it. ``size`` is the page size asked for."""
    target = asked.target
    found, trail, matches = Found(), Trail(target), 0
    total, first = page.total, page
    while True:
        found.add(page)
        matches += page.matches
        total = page.total if page.total is not None else total
        if len(found.entries) > most:
            found.reason = found.reason or "too-large"
        if found.reason or page.next_url is None:
            break
        if search.limit and matches >= search.limit:
            found.reason = "truncated"
            break
        try:
            target = confined_target(page.next_url, door.base, target)
        except PagingBlocked:
            found.reason = "paging-blocked"
            break
        if not trail.admits(target):
            found.reason = "truncated"
            break
        page = interpret(send(Request(target, about=search.resource_type)), search, asked.asked_by)
    if found.reason or search.is_read or not search.patient_id:
        return found
    if total is None and _is_full(first, matches, size):
        total = _counted(asked.target, search, send)
        found.reason = "truncated" if total is None else ""
    if total is not None and matches < total:
        found.reason = "truncated"
    return found


def _is_full(first: NeedData, matches: int, size: int) -> bool:
    """Whether the only page holds exactly as many results as fit: there may be more."""
    sizes = [value for value in (size, first.page_size) if value]
    return first.next_url is None and bool(sizes) and matches >= min(sizes)


def _counted(asked: str, search: Search, send: Sender) -> int | None:
    """The number of results that the server counts (``_summary=count``); None where it does not say."""
    if "?" not in asked:
        return None
    page = interpret(send(Request(f"{asked}&_summary=count", about=search.resource_type)), search)
    return page.total if not page.is_faulty and not page.matches else None


def _first_answer(search: Search, door: Door, send: Sender) -> tuple[Request, Reply | Failed]:
    """The answer to the fullest query that the server does not refuse."""
    start = door.record.detail(search.resource_type)
    asked = request(search, door.base, door.record, start)
    reply, tried = send(asked), {asked}
    for detail in Detail:
        if detail <= start or search.is_read:
            continue
        if not (isinstance(reply, Reply) and reply.status in _QUERY_REFUSED):
            break
        plainer = request(search, door.base, door.record, detail)
        if plainer in tried:
            continue
        tried.add(plainer)
        asked, reply = plainer, send(plainer)
        if isinstance(reply, Reply) and reply.status == 200:
            door.record.accepted(search.resource_type, detail)
    return asked, reply
