"""Settings, tenants and readings for the tests of the FHIR door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cds_service.fhir_client import Deadline, FhirReader, Reading
from cds_service.settings.model import Settings, Tenant

CANARY = "CANARY-7f3a9c-token"


@dataclass(frozen=True)
class Authorization:
    """What a hook request carries to read FHIR."""

    access_token: str = CANARY
    token_type: str = "Bearer"
    expires_in: int = 300


def tenant_of(url: str, **changes: Any) -> Tenant:
    """A tenant whose one FHIR server is at ``url``."""
    values: dict[str, Any] = {"id": "general", "fhir_servers": (url,), "allow_private": True, **changes}
    return Tenant(**values)


def reader_of(**changes: Any) -> FhirReader:
    """A reader of a development service that asks no server for its CapabilityStatement."""
    return FhirReader(Settings.embedded(**changes), learns=False)


@contextmanager
def reading(
    url: str, seconds: float = 60.0, tenant: Tenant | None = None, reader: FhirReader | None = None
) -> Iterator[Reading]:
    """A reading of the server at ``url`` with the canary token."""
    own = reader or reader_of()
    try:
        with own.open(tenant or tenant_of(url), url, Authorization(), Deadline.after(seconds)) as opened:
            yield opened
    finally:
        if reader is None:
            own.close()
