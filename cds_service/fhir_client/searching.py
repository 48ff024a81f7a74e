"""What a FHIR server's answer means: entries, the next page, or the reason why it means nothing.

Nothing here guesses in favour of "no data": every answer that is not a readable R4 searchset without
errors becomes a reason (FHIR R4, "Search", "Managing Returned Resources" and "OperationOutcome").
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import parse_qs

from cds_service.fhir_client.paging import next_link
from cds_service.fhir_client.queries import Search, asked_for
from cds_service.fhir_client.transport import Failed, Reply
from fhir_mappings.assess import (
    Decoded,
    Entry,
    Issue,
    Malformed,
    Resource,
    Unreadable,
    decode,
    is_plain_text,
    understood,
)

_BOM = b"\xef\xbb\xbf"
_REASONS = {401: "unauthorised", 403: "forbidden", 404: "not-found", 410: "not-found", 413: "too-large"}
_LOSES_DATA = {"incomplete", "timeout", "too-costly", "throttled", "exception", "transient", "no-store"}
"""Issue types that say, even as a warning, that results are missing."""
_MAY_BE_PARTIAL = "4119"
"""Epic's standing notice on almost every answer; it says nothing about this one."""
_VERSION = re.compile(r"fhirversion\s*=\s*\"?([0-9.]+)", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]{1,9}")
_R4 = ("4.0", "4.1", "4.3")


@dataclass(frozen=True, slots=True)
class Page:
    """One answer. ``reason`` is empty when all of it is usable; ``matches`` counts what was found."""

    reason: str = ""
    entries: tuple[Entry, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    next: str | None = None
    matches: int = 0
    total: int | None = None
    clamp: int | None = None
    """The page size that the server says it used."""


def interpret(reply: Reply | Failed, search: Search) -> Page:
    """The page of a reply to ``search``."""
    if isinstance(reply, Failed):
        return Page(reply.reason)
    if reply.status != 200:
        return Page(status_reason(reply.status))
    return read_answer(reply.body, search, reply.headers.get("content-type", ""))


def status_reason(status: int) -> str:
    """The reason that stands for an HTTP status other than 200."""
    if status == 204:
        return "not-fhir"
    if 300 <= status < 400:
        return "refused"
    return _REASONS.get(status, "server-error")


def read_answer(body: bytes, search: Search, content_type: str = "") -> Page:
    """The page in a body, whatever its media type is called, if it is FHIR R4 JSON."""
    version = _VERSION.search(content_type)
    if version and not version[1].startswith(_R4):
        return Page("wrong-version")
    data = body.removeprefix(_BOM)
    if not data.lstrip()[:1] == b"{":
        return Page("not-fhir" if b"<" in data[:512] or not data.strip() else "malformed")
    try:
        decoded = decode(data)
    except Malformed:
        return Page("malformed")
    return _of_resource(decoded, search)


def _of_resource(decoded: Decoded, search: Search) -> Page:
    resource = decoded.resource
    if resource.resource_type == "OperationOutcome":
        return Page("outcome-error")
    if search.is_read and resource.resource_type == search.resource_type:
        return Page(entries=(Entry(resource=resource),), matches=1)
    if resource.resource_type != "Bundle":
        named = any(item.resource_type for item in decoded.unreadable)
        return Page("unreadable" if named else "not-fhir", unreadable=decoded.unreadable)
    return _of_bundle(resource, decoded.unreadable, search)


def _of_bundle(bundle: Resource, unreadable: tuple[Unreadable, ...], search: Search) -> Page:
    if isinstance(bundle.type, str) and bundle.type not in ("searchset", "collection"):
        return Page("not-fhir")
    # A result that cannot be understood is known as such now, while there is still somebody to ask.
    entries, lost = understood(bundle.entry or ())
    unreadable = (*unreadable, *lost)
    page = Page(
        entries=tuple(entry for entry in entries if _is_match(entry, search)),
        unreadable=tuple(item for item in unreadable if _of_type(item, search)),
        next=next_link(bundle.link),
        matches=len(unreadable) + sum(1 for entry in entries if _counts(entry)),
        total=_total(bundle),
        clamp=_clamp(bundle),
    )
    return replace(page, reason=_fault(entries, page, search))


def _fault(entries: Iterable[Entry], page: Page, search: Search) -> str:
    resources = [entry.resource for entry in entries if entry.resource is not None]
    if any(_reports_loss(resource) for resource in resources):
        return "outcome-error"
    if any(_is_older_version(resource) for resource in resources):
        return "wrong-version"
    if any(_concerns(item, search) for item in page.unreadable):
        return "unreadable"
    return ""


def _is_match(entry: Entry, search: Search) -> bool:
    resource = entry.resource
    if resource is None or search.resource_type not in ("", resource.resource_type):
        return False
    return _counts(entry) and asked_for(search, resource)


def _counts(entry: Entry) -> bool:
    """Whether an entry is one of the results that ``total`` counts."""
    resource = entry.resource
    if resource is None or resource.resource_type == "OperationOutcome":
        return False
    return entry.search is None or entry.search.mode in (None, "match")


def _reports_loss(resource: Resource) -> bool:
    return resource.resource_type == "OperationOutcome" and any(map(_loses_data, resource.issue or ()))


def _loses_data(issue: Issue) -> bool:
    if issue.severity in ("error", "fatal") or issue.code in _LOSES_DATA:
        return True
    if issue.code != "suppressed":
        return False
    codings = issue.details.coding if issue.details else None
    return not any(coding.code == _MAY_BE_PARTIAL for coding in codings or ())


def _is_older_version(resource: Resource) -> bool:
    """DSTU2 and STU3 write a Condition's states as plain codes; DSTU2 names its patient otherwise."""
    if resource.resource_type in ("MedicationOrder", "DiagnosticOrder", "Conformance"):
        return True
    if resource.resource_type != "Condition":
        return False
    states = (resource.clinical_status, resource.verification_status)
    return any(is_plain_text(state) for state in states) or (
        resource.subject is None and resource.patient is not None
    )


def _of_type(item: Unreadable, search: Search) -> bool:
    return not item.resource_type or search.resource_type in ("", item.resource_type)


def _concerns(item: Unreadable, search: Search) -> bool:
    """An unreadable resource may be the very one that was looked for, unless its codes say otherwise."""
    return not item.codes or not search.codes or any(code in search.codes for code in item.codes)


def _total(bundle: Resource) -> int | None:
    text = bytes(bundle.total or b"").decode("ascii", "replace").strip()
    return int(text) if _DIGITS.fullmatch(text) else None


def _clamp(bundle: Resource) -> int | None:
    for link in bundle.link or ():
        if link.relation == "self" and link.url:
            counts = parse_qs(link.url.partition("?")[2]).get("_count", [])
            if counts and _DIGITS.fullmatch(counts[0]):
                return int(counts[0])
    return None
