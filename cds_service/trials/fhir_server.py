"""Studies that a hospital keeps on its own FHIR server: ResearchStudy with its Groups and Locations.

Read in the background and without a token, so only from servers that are open to us: the token of
a hook call is never used after its answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from urllib.parse import quote, urlencode

import msgspec

from cds_service.fhir_reader.deadline import Deadline
from cds_service.fhir_reader.paging import PagingBlocked, confined_target, next_link
from cds_service.fhir_reader.transport import Failed, Reply, Request, Transport
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.fhir.elements import Link
from fhir_mappings.trials import Origin, StudyList, TrialVocabulary, read_research

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


def read_server_studies(
    transport: Transport, vocabulary: TrialVocabulary, deadline: Deadline, on: date
) -> StudyList:
    """Open studies with their machine-readable criteria.

    Raises ServerUnavailable when the search fails. A Group or Location that cannot be had leaves
    the list incomplete.
    """
    query = urlencode({"status": OPEN_STATES, "_count": "100"}, safe=",")
    pages = list(_search(transport, f"{transport.base.path}/ResearchStudy?{query}", deadline))
    missing = read_research(pages, vocabulary).missing
    try:
        for kind in ("Group", "Location"):
            ids = [key.partition("/")[2] for key in missing if key.startswith(f"{kind}/")]
            for start in range(0, len(ids), IDS_PER_QUERY):
                pages.extend(_by_id(transport, kind, ids[start : start + IDS_PER_QUERY], deadline))
    except ServerUnavailable:
        # What was found still stands; the studies concerned say that a criterion was not read.
        pass
    read = read_research(pages, vocabulary)
    left = read.unreadable + len(read.missing)
    reasons = (vocabulary.phrase("pages_unread", count=str(left)),) if left else ()
    return StudyList(
        key=Origin.FHIR_SERVER.value,
        label=vocabulary.phrases["server_label"],
        as_of=Moment.on(on),
        complete=not left,
        studies=read.studies,
        fresh_days=vocabulary.registry_fresh_days,
        faults=reasons,
    )


def _by_id(transport: Transport, kind: str, ids: Sequence[str], deadline: Deadline) -> Iterator[bytes]:
    wanted = quote(",".join(ids), safe=",")
    return _search(transport, f"{transport.base.path}/{kind}?_id={wanted}&_count={len(ids)}", deadline)


def _search(transport: Transport, target: str, deadline: Deadline) -> Iterator[bytes]:
    seen: set[str] = set()
    for _ in range(MAX_PAGES):
        seen.add(target)
        reply = transport.send(Request(target), "", deadline)
        if isinstance(reply, Failed):
            raise ServerUnavailable(reply.reason)
        links = _links(reply)
        yield reply.body
        url = next_link(links)
        if url is None:
            return
        try:
            target = confined_target(url, transport.base, target)
        except PagingBlocked:
            raise ServerUnavailable("paging-blocked") from None
        if target in seen:
            raise ServerUnavailable("paging-blocked")
    raise ServerUnavailable("truncated")


def _links(reply: Reply) -> list[Link]:
    if reply.status != _OK:
        raise ServerUnavailable("server-error" if reply.status >= 500 else "refused")
    try:
        bundle = msgspec.json.decode(reply.body, type=_Bundle)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ServerUnavailable("malformed") from None
    if bundle.resource_type != "Bundle":
        raise ServerUnavailable("not-fhir")
    return bundle.link or []
