"""An EHR with charts, the service that may be launched from it, and a browser without a window."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import Cookie, TestResponse

from cds_service.app import create_app
from cds_service.app_state import parts_of
from cds_service.demo.application import LOCAL_CODES
from cds_service.demo.demo_patients import load_patients
from cds_service.settings.model import Settings, Tenant
from fhir_mappings.assess import Knowledge
from tests.conftest import AT
from tests.smart.authorization_server import AuthorizationServer, Behaviour, running_ehr

PUBLIC_URL = "http://localhost"
"""Where the test client is, as far as it knows."""
CALLBACK = f"{PUBLIC_URL}/timeline/callback"


@pytest.fixture(scope="session")
def charts() -> list[dict[str, Any]]:
    """The demonstration's charts, dated to the tests' day."""
    return [resource for patient in load_patients(AT.date()) for resource in patient.resources]


@pytest.fixture(scope="session")
def running(charts: list[dict[str, Any]]) -> Iterator[AuthorizationServer]:
    """One EHR on a socket for all tests."""
    with running_ehr(AuthorizationServer(redirect_uris=frozenset({CALLBACK})), charts) as server:
        yield server


@pytest.fixture
def ehr(running: AuthorizationServer) -> AuthorizationServer:
    """The EHR, well-behaved at the start of each test."""
    running.behaviour = Behaviour()
    running.client_secret = ""
    running.chosen_patient = "early-marrow"
    for memory in (running.authorize_requests, running.token_requests, running.fhir_requests, running.issued):
        memory.clear()
    return running


ServiceMaker = Callable[..., Flask]


@pytest.fixture
def make_service(ehr: AuthorizationServer, knowledge: Knowledge) -> Iterator[ServiceMaker]:
    """Makes services that the EHR may launch; arguments change the tenant."""
    made: list[Flask] = []

    def make(clock: Any = None, **tenant: Any) -> Flask:
        known = {
            "smart_client_id": ehr.client_id,
            "fhir_servers": (ehr.iss,),
            "codes": LOCAL_CODES,
            **tenant,
        }
        settings = Settings.embedded(
            public_url=PUBLIC_URL, tenants=(Tenant(id="general", allow_private=True, **known),)
        )
        app = create_app(settings, clock=clock or (lambda: AT), knowledge=knowledge)
        made.append(app)
        return app

    yield make
    for app in made:
        parts_of(app).close()


@pytest.fixture
def service(make_service: ServiceMaker) -> Flask:
    """A service that the EHR may launch."""
    return make_service()


@dataclass
class Visitor:
    """A person's browser: it keeps cookies and follows what it is told, one step at a time."""

    client: FlaskClient
    ehr: AuthorizationServer

    def launch(self, patient: str = "early-marrow", **changes: str) -> TestResponse:
        """The EHR opens the app."""
        query = {"iss": self.ehr.iss, "launch": self.ehr.launch_for(patient), **changes}
        return self.client.get("/timeline/launch", query_string=query)

    def sign_in(self, sent: TestResponse) -> str:
        """Follow to the authorisation server; the path and query it sends back to."""
        assert sent.status_code == 303, sent.get_data(as_text=True)
        answer = requests.get(sent.headers["Location"], allow_redirects=False, timeout=120)
        assert answer.status_code == 302, answer.text
        back = answer.headers["Location"]
        assert back.startswith(CALLBACK)
        parts = urlsplit(back)
        return f"{parts.path}?{parts.query}"

    def open(self, patient: str = "early-marrow") -> TestResponse:
        """The whole way from the EHR to the chart's page."""
        arrived = self.client.get(self.sign_in(self.launch(patient)))
        assert arrived.status_code == 303, arrived.get_data(as_text=True)
        return self.client.get(arrived.headers["Location"])


@pytest.fixture
def visitor(service: Flask, ehr: AuthorizationServer) -> Visitor:
    """A browser at the service."""
    return Visitor(service.test_client(), ehr)


@pytest.fixture(autouse=True)
def _everything_logged(caplog: pytest.LogCaptureFixture) -> None:
    """So that a test can look at all that was logged."""
    caplog.set_level(logging.DEBUG)


Moving = tuple[list[datetime], Callable[[], datetime]]
DATA = ("lymphoblasts", "picture-data", "early-marrow")


def asked(sent: TestResponse) -> dict[str, str]:
    """The parameters of the authorisation request."""
    return {name: values[0] for name, values in parse_qs(urlsplit(sent.headers["Location"]).query).items()}


def cookies(visitor: Visitor) -> list[Cookie]:
    """All cookies of the visitor's browser."""
    return list((visitor.client._cookies or {}).values())


def refused(answer: TestResponse, status: int, words: str) -> None:
    """A clear page, no data."""
    text = answer.get_data(as_text=True)
    assert answer.status_code == status, text
    assert answer.content_type.startswith("text/html")
    assert words in text
    assert not any(word in text for word in DATA)
