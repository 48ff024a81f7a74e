"""Reports in words at one site: how they are read, and the attachments that only name their content."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import entry_points

from cds_service.fhir_client.access import Reading
from cds_service.fhir_client.paging import PagingBlocked, confined_target
from cds_service.fhir_client.transport import Failed, Reply
from cds_service.http.fhir_base import FhirBase
from cds_service.settings.model import Tenant
from fhir_mappings.assess import (
    MAX_ATTACHMENT_BYTES,
    Entry,
    Facts,
    Malformed,
    ReportPolicy,
    WrittenReport,
    decode,
    report_reader,
)

READERS = "relapse_cds.report_reader"
"""The group of entry points of a site's own readers."""

MOST_ATTACHMENTS = 12
"""Attachments that are fetched for one call, the newest first."""

MOST_BYTES = 12_000_000
"""Of all attachments of one call together."""

_BINARY = re.compile(r"Binary/[A-Za-z0-9\-._]{1,128}(/_history/[A-Za-z0-9\-._]{1,128})?")


class NoSuchReader(LookupError):
    """The configuration names a report reader that is not installed."""


def policy_of(tenant: Tenant) -> ReportPolicy:
    """How reports are read for a tenant. Raises NoSuchReader."""
    return _policy(tenant.report_text, tenant.report_reader)


@lru_cache(maxsize=64)
def _policy(mode: str, name: str) -> ReportPolicy:
    reader = report_reader
    if name:
        found = [point for point in entry_points(group=READERS) if point.name == name]
        if not found:
            raise NoSuchReader(f"report_reader = {name!r}: no installed package offers it under {READERS}")
        reader = found[0].load()
    return ReportPolicy(mode, reader)  # type: ignore[arg-type]


def unfetched(facts: Facts, tenant: Tenant) -> list[WrittenReport]:
    """Reports whose text stands in a Binary that is not at hand, newest first; none where none is read."""
    if tenant.report_text != "read":
        return []
    found = {report.url: report for report in facts.reports if report.url and not report.content}
    return sorted(found.values(), key=_newest_first)


def _newest_first(report: WrittenReport) -> tuple[int, str]:
    day = report.collected.last.toordinal() if report.collected is not None else 0
    return (-day, report.url)


def fetched(reports: Sequence[WrittenReport], reading: Reading) -> list[Entry]:
    """The Binaries of reports, read at the same server with the same token; what fails is left out.

    An address on another server, or of anything but a Binary, is never followed.
    """
    entries: list[Entry] = []
    left = MOST_BYTES
    for report in reports[:MOST_ATTACHMENTS]:
        target = _target(report.url, reading.base)
        answer = reading.get(target) if target and left > 0 else Failed("refused")
        if isinstance(answer, Failed) or answer.status != 200:
            continue
        left -= len(answer.body)
        entry = _entry(report.url, answer)
        if entry is not None and left >= 0:
            entries.append(entry)
    return entries


def _target(url: str, base: FhirBase) -> str:
    """Where a Binary is read; empty for another server and any odd spelling."""
    try:
        target = confined_target(url, base, base.path)
    except PagingBlocked:
        return ""
    path = target.removeprefix(base.path).lstrip("/")
    return target if _BINARY.fullmatch(path) else ""


def _entry(url: str, answer: Reply) -> Entry | None:
    """The Binary of an answer: as FHIR JSON, or the bytes themselves with their type."""
    kind = next((value for name, value in answer.headers.items() if name.lower() == "content-type"), "")
    if "json" in kind or answer.body[:1] == b"{":
        try:
            resource = decode(answer.body).resource
        except Malformed:
            return None
        if resource.resource_type == "Binary":
            return Entry(full_url=url, resource=resource)
        return None
    if len(answer.body) > MAX_ATTACHMENT_BYTES:
        return None
    made = {
        "resourceType": "Binary",
        "contentType": kind or "application/octet-stream",
        "data": base64.b64encode(answer.body).decode("ascii"),
    }
    return Entry(full_url=url, resource=decode(json.dumps(made).encode()).resource)
