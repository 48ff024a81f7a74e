"""The answer of discovery (CDS Hooks 2.0.1, "Discovery")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cds_service.hooks import HookService
from cds_service.settings.model import Settings
from cds_service.wire.source_attributes import SourceAttributes

SPECIFICATION = "2.0.1"
"""The version of CDS Hooks that this service implements."""

USAGE = (
    "FHIR R4 (4.0.1). Diagnoses in SNOMED CT or ICD-10, results in LOINC with UCUM units. Where a prefetch "
    "key is not honoured, the service reads the FHIR server that fhirServer names, if that belongs to the "
    "caller and fhirAuthorization admits it; otherwise it answers 412. Calls carry a JWT signed with ES384 "
    "or RS384."
)


def discovery(
    services: Iterable[HookService],
    templates: Mapping[str, str],
    settings: Settings,
    attributes: SourceAttributes,
) -> dict[str, Any]:
    """The services with their prefetch templates.

    What came after CDS Hooks 2.0.1 (``version``, ``hookVersion``) and our extension are left out where
    ``discovery_extras`` is off, for clients that refuse members they do not know.
    """
    entries = []
    for service in services:
        entry = _entry(service, templates)
        if settings.discovery_extras:
            entry["version"] = SPECIFICATION
            entry["hookVersion"] = service.hook_version
            entry["extension"] = attributes.announced(settings.public_url, service.id)
        entries.append(entry)
    return {"services": entries}


def _entry(service: HookService, templates: Mapping[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "hook": service.hook,
        "id": service.id,
        "title": service.title,
        "description": service.description,
        "usageRequirements": USAGE,
    }
    return {**entry, "prefetch": dict(templates)} if templates else entry
