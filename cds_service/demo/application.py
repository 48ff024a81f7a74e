"""The service and the sandbox in one application, as ``relapse-cds demo`` serves it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from flask import Flask

from cds_service.app import create_app, utc_now
from cds_service.demo.demo_patients import load_patients
from cds_service.demo.ehr_page.routes import ehr_page
from cds_service.demo.sandbox.access import AccessTokens
from cds_service.demo.sandbox.repository import Repository
from cds_service.demo.sandbox.routes import sandbox_blueprint
from cds_service.demo.sandbox.server import Sandbox
from cds_service.settings.model import Settings
from cds_service.timeline.demonstration import Demonstration, DemonstrationPatient, admit_without_launch
from fhir_mappings.records import LOCAL_LABS

SANDBOX_PATH = "/demo/fhir"
EHR_PATH = "/demo"
SERVICE_ID = "all-relapse"
LOCAL_CODES = {"mrd": (f"{LOCAL_LABS}|MRD-FLOW",)}
"""What the laboratory of the synthetic charts calls tests that have no LOINC code."""
TRIALS = {"catalogue": "demo", "site_latitude": 42.36, "site_longitude": -71.06, "radius_km": 500}
"""The fictional list of studies, looked at from its fictional hospital."""


@dataclass(frozen=True, slots=True)
class DemoPlace:
    """Where a demonstration runs, on which day, and the secret of its tokens."""

    host: str
    port: int
    today: date
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    @property
    def url(self) -> str:
        """The address of the service."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def fhir_server(self) -> str:
        """The base of the sandbox."""
        return f"{self.url}{SANDBOX_PATH}"

    @property
    def tokens(self) -> AccessTokens:
        """The tokens that the sandbox accepts."""
        return AccessTokens(self.secret)

    def clock(self) -> Callable[[], datetime]:
        """A clock that starts now, but on the day of the demonstration."""
        away = timedelta(days=(self.today - utc_now().date()).days)
        return lambda: utc_now() + away

    def settings(self) -> Settings:
        """The settings of the service: the sandbox is its one tenant."""
        settings = Settings.demo(self.url, self.fhir_server, log_level="warning", trials=TRIALS)
        tenants = [tenant.model_copy(update={"codes": LOCAL_CODES}) for tenant in settings.tenants]
        return settings.model_copy(update={"tenants": tuple(tenants)})


def demo_application(place: DemoPlace) -> Flask:
    """The service with the sandbox mounted and the demonstration patients in it."""
    app = create_app(place.settings(), clock=place.clock())
    patients = load_patients(place.today)
    repository = Repository(resource for patient in patients for resource in patient.resources)
    sandbox = Sandbox(repository, place.tokens, place.fhir_server)
    routes = sandbox_blueprint(sandbox, place.today.isoformat())
    app.register_blueprint(routes, url_prefix=SANDBOX_PATH)
    app.register_blueprint(ehr_page(patients, sandbox, SERVICE_ID), url_prefix=EHR_PATH)
    people = [DemonstrationPatient(one.id, one.name, one.story) for one in patients]
    admit_without_launch(app, Demonstration(place.fhir_server, people, place.tokens.issue))
    return app
