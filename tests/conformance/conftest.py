"""One service for all requirements, and everything it says about the demonstration patients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.app_state import parts_of
from fhir_mappings.assess import Knowledge
from tests.conformance.answering import Asked, ask_everything, make_service


@pytest.fixture(scope="session")
def service(knowledge: Knowledge) -> Iterator[Flask]:
    """A service with one tenant for each kind of client and every hook switched on."""
    app = make_service(knowledge)
    yield app
    parts_of(app).close()


@pytest.fixture
def caller(service: Flask) -> FlaskClient:
    """A client of it."""
    return service.test_client()


@pytest.fixture(scope="session")
def asked(service: Flask) -> list[Asked]:
    """Every demonstration patient as every kind of client."""
    return list(ask_everything(service.test_client()))


@pytest.fixture(scope="session")
def cards(asked: list[Asked]) -> list[dict[str, Any]]:
    """All cards of all answers."""
    return [card for one in asked for card in one.body.get("cards", [])]
