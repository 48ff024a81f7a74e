"""The answer of discovery (CDS Hooks 2.0.1, "Discovery")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cds_service.hooks import HookService

SPECIFICATION = "2.0.1"
"""The version of CDS Hooks that this service implements."""

USAGE = (
    "FHIR R4 (4.0.1). Diagnoses in SNOMED CT or ICD-10, results in LOINC with UCUM units. Where a prefetch "
    "key is not honoured, the service reads the FHIR server that fhirServer names, if that belongs to the "
    "caller and fhirAuthorization admits it; otherwise it answers 412. Calls carry a JWT signed with ES384 "
    "or RS384."
)


def discovery(services: Iterable[HookService], templates: Mapping[str, str]) -> dict[str, Any]:
    """The services with their prefetch templates."""
    return {"services": [_entry(service, templates) for service in services]}


def _entry(service: HookService, templates: Mapping[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "hook": service.hook,
        "id": service.id,
        "title": service.title,
        "description": service.description,
        "usageRequirements": USAGE,
        "version": SPECIFICATION,
        "hookVersion": service.hook_version,
    }
    return {**entry, "prefetch": dict(templates)} if templates else entry
