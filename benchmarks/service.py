"""The service as it is measured: everything switched on, the store in a SQLite file, a clock that stands."""

from __future__ import annotations

from flask import Flask

from benchmarks.charts import AT
from cds_service.app import create_app
from cds_service.settings.model import Settings, Tenant

MOST_BYTES = 67_108_864
"""Admits 5,000 pretty-printed resources, which the default does not."""


def service_app(fhir_server: str = "") -> Flask:
    """The whole application. ``fhir_server`` is the one tenant's, read without a token."""
    if not fhir_server:
        return create_app(Settings.embedded(max_body_bytes=MOST_BYTES), clock=lambda: AT)
    hospital = Tenant(id="bench", fhir_servers=(fhir_server,), allow_private=True, open_fhir=True)
    return create_app(Settings.embedded(tenants=(hospital,), deadline_ms=5_000), clock=lambda: AT)
