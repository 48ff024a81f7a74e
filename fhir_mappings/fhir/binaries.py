"""Binary: what an attachment holds that only names it by its address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from fhir_mappings.clinical.facts import WrittenReport
from fhir_mappings.fhir.elements import Entry
from fhir_mappings.fhir.lazy_rare_elements import string_of


@dataclass(frozen=True, slots=True)
class Held:
    """Base64 content and its type."""

    data: str
    content_type: str


def binaries_by_reference(entries: Iterable[Entry]) -> dict[str, Held]:
    """Each Binary by ``Binary/id`` and by its fullUrl."""
    found: dict[str, Held] = {}
    for entry in entries:
        resource = entry.resource
        data = string_of(resource.data) if resource is not None else ""
        if resource is None or not data:
            continue
        held = Held(data, string_of(resource.content_type))
        if resource.id:
            found[f"Binary/{resource.id}"] = held
        if entry.full_url:
            found[entry.full_url] = held
    return found


def with_binary(report: WrittenReport, held: Mapping[str, Held]) -> WrittenReport:
    """The report with the content of the Binary that it names, where that is at hand."""
    if not report.url or report.content:
        return report
    binary = held.get(report.url) or held.get(binary_reference(report.url))
    if binary is None:
        return report
    stated = report.media if report.media != "application/octet-stream" else binary.content_type
    return replace(report, content=binary.data, media=stated or "application/octet-stream")


def binary_reference(url: str) -> str:
    """``Binary/id`` of an address that names a Binary; empty for any other."""
    parts = url.split("?", 1)[0].split("/_history/", 1)[0].rstrip("/").rsplit("/", 2)
    return "/".join(parts[-2:]) if len(parts) >= 2 and parts[-2] == "Binary" else ""
