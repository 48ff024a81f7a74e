"""What every test of the service shares: a fixed clock, one knowledge, an application and its client."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from cds_service.app import create_app
from cds_service.app_state import parts_of
from cds_service.settings.model import Settings, Tenant
from fhir_mappings.assess import Knowledge, load_knowledge
from tests import reference

# How long an example takes says how busy the machine is, nothing else.
hypothesis_settings.register_profile(
    "no-wall-clock", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("no-wall-clock")

AT = datetime(2024, 6, 4, 12, tzinfo=UTC)
FHIR_SERVER = "https://ehr.example.org/fhir"

AppMaker = Callable[..., Flask]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what compares with reference works, where none are named."""
    if not reference.IS_NAMED:
        left_out = [item for item in items if item.get_closest_marker("reference")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("reference")]


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A command that sets up its log within this process leaves no level and no closed stream behind."""
    root, ours, pool = logging.getLogger(), logging.getLogger("relapse_cds"), logging.getLogger("urllib3")
    handlers, own = root.handlers[:], ours.handlers[:]
    levels = [(one, one.level, one.disabled) for one in (root, ours, pool)]
    yield
    root.handlers[:], ours.handlers[:] = handlers, own
    for one, level, disabled in levels:
        one.setLevel(level)
        one.disabled = disabled


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    """The knowledge inside the package."""
    return load_knowledge()


@pytest.fixture
def clock() -> Callable[[], datetime]:
    """Always the same moment."""
    return lambda: AT


@pytest.fixture
def tenant() -> Tenant:
    """A hospital with one FHIR server."""
    return Tenant(id="general", fhir_servers=(FHIR_SERVER,))


@pytest.fixture
def make_app(knowledge: Knowledge, clock: Callable[[], datetime], tenant: Tenant) -> Iterator[AppMaker]:
    """Makes applications with some settings changed, and closes them. ``reader`` may be a stand-in."""
    made: list[Flask] = []

    def make(*, reader: Any = None, knowledge: Knowledge = knowledge, **changes: Any) -> Flask:
        settings = Settings.embedded(**{"tenants": (tenant,), **changes})
        app = create_app(settings, clock=clock, reader=reader, knowledge=knowledge)
        made.append(app)
        return app

    yield make
    for app in made:
        parts_of(app).close()


@pytest.fixture
def app(make_app: AppMaker) -> Flask:
    """An application without authorisation, with one tenant."""
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of ``app``."""
    return app.test_client()
