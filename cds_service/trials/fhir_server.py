"""Studies that a hospital keeps on its own FHIR server: ResearchStudy with its Groups and Locations.

A server that is open to us is read in the background. One that wants a token is read within the hook
call that brought it: a token is never used after the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from urllib.parse import quote, urlencode

import msgspec

from cds_service.fhir_client.deadline import Deadline
from cds_service.fhir_client.paging import PagingBlocked, confined_target
from cds_service.fhir_client.transport import Failed, Reply, Request, Transport
from cds_service.http.fhir_base import FhirBase
from fhir_mappings.assess import Link, Moment, has_repeated_member, next_url
from fhir_mappings.trials import Origin, Study, StudyList, TrialVocabulary, read_research

MAX_PAGES = 20
IDS_PER_QUERY = 40
OPEN_STATES = "active,approved,in-review"
_OK = 200


class ServerUnavailable(Exception):
    """The server gave no usable answer. ``reason`` is one of the reader's fixed words."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"studies on the FHIR server: {reason}")


class _Bundle(msgspec.Struct, rename="camel"):
    resource_type: str
    link: list[Link] | None = None


Get = Callable[[str], Reply | Failed]
"""Asks the server for a target (path and query)."""


def read_server_studies(
    transport: Transport, vocabulary: TrialVocabulary, deadline: Deadline, on: date
) -> StudyList:
    """Open studies of a server that wants no token. Raises ServerUnavailable; see ``read_studies``."""

    def get(target: str) -> Reply | Failed:
        return transport.send(Request(target), "", deadline)

    return read_studies(get, transport.base, vocabulary, on)


def read_studies(get: Get, base: FhirBase, vocabulary: TrialVocabulary, on: date) -> StudyList:
    """Open studies with their machine-readable criteria.

    Raises ServerUnavailable when the search fails. A Group or Location that cannot be had leaves
    the list incomplete.
    """
    query = urlencode({"status": OPEN_STATES, "_count": "100"}, safe=",")
    pages = list(_search(get, base, f"{base.path}/ResearchStudy?{query}"))
    missing = read_research(pages, vocabulary).missing
    try:
        for kind in ("Group", "Location"):
            ids = [key.partition("/")[2] for key in missing if key.startswith(f"{kind}/")]
            for start in range(0, len(ids), IDS_PER_QUERY):
                pages.extend(_by_id(get, base, kind, ids[start : start + IDS_PER_QUERY]))
    except ServerUnavailable:
        # What was found still stands; the studies concerned say that a criterion was not read.
        pass
    read = read_research(pages, vocabulary)
    left = read.unreadable + len(read.missing)
    reasons = (vocabulary.phrase("pages_unread", count=str(left)),) if left else ()
    return _list(vocabulary, on, read.studies, reasons)


def unread_list(vocabulary: TrialVocabulary, on: date) -> StudyList:
    """The list of a server that could not be read: empty, and said to be incomplete."""
    return _list(vocabulary, on, (), (vocabulary.phrases["server_unread"],))


def _list(
    vocabulary: TrialVocabulary, on: date, studies: tuple[Study, ...], faults: tuple[str, ...]
) -> StudyList:
    return StudyList(
        key=Origin.FHIR_SERVER.value,
        label=vocabulary.phrases["server_label"],
        as_of=Moment.on(on),
        complete=not faults,
        studies=studies,
        fresh_days=vocabulary.registry_fresh_days,
        faults=faults,
    )


def _by_id(get: Get, base: FhirBase, kind: str, ids: Sequence[str]) -> Iterator[bytes]:
    wanted = quote(",".join(ids), safe=",")
    return _search(get, base, f"{base.path}/{kind}?_id={wanted}&_count={len(ids)}")


def _search(get: Get, base: FhirBase, target: str) -> Iterator[bytes]:
    seen: set[str] = set()
    for _ in range(MAX_PAGES):
        seen.add(target)
        reply = get(target)
        if isinstance(reply, Failed):
            raise ServerUnavailable(reply.reason)
        links = _links(reply)
        yield reply.body
        url = next_url(links)
        if url is None:
            return
        try:
            target = confined_target(url, base, target)
        except PagingBlocked:
            raise ServerUnavailable("paging-blocked") from None
        if target in seen:
            raise ServerUnavailable("paging-blocked")
    raise ServerUnavailable("truncated")


def _links(reply: Reply) -> list[Link]:
    if reply.status != _OK:
        raise ServerUnavailable("server-error" if reply.status >= 500 else "refused")
    if has_repeated_member(reply.body):
        raise ServerUnavailable("malformed")
    try:
        bundle = msgspec.json.decode(reply.body, type=_Bundle)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ServerUnavailable("malformed") from None
    if bundle.resource_type != "Bundle":
        raise ServerUnavailable("not-fhir")
    return bundle.link or []
