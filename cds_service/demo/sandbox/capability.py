"""The CapabilityStatement of the sandbox, made from the table of search parameters."""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.demo.sandbox.outcomes import JsonObject
from cds_service.demo.sandbox.parameters import PARAMETERS, SearchParameter

FHIR_VERSION = "4.0.1"
_RESULT_PARAMETERS = "_sort, _count, _total and _format are supported on every type."


def capability_statement(base: str, date: str) -> JsonObject:
    """What the server at ``base`` can do. ``date`` is when that was last changed (ISO date)."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "experimental": True,
        "date": date,
        "kind": "instance",
        "software": {"name": "relapse-cds demo sandbox"},
        "implementation": {"description": "Synthetic patients only, kept in memory.", "url": base},
        "fhirVersion": FHIR_VERSION,
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "documentation": _RESULT_PARAMETERS,
                "security": {"description": "A bearer token issued by the demonstration for one hook call."},
                "resource": [_of_type(name, known.values()) for name, known in PARAMETERS.items()],
                "interaction": [{"code": "batch"}, {"code": "transaction"}],
            }
        ],
    }


def _of_type(name: str, parameters: Iterable[SearchParameter]) -> JsonObject:
    return {
        "type": name,
        "interaction": [{"code": code} for code in ("read", "search-type", "create", "update")],
        "versioning": "versioned",
        "readHistory": False,
        "updateCreate": True,
        "searchParam": [{"name": parameter.name, "type": parameter.kind.value} for parameter in parameters],
    }
