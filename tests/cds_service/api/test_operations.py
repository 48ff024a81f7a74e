"""What an operator asks of a running service: whether it lives, is ready, what it runs and what it counts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from cds_service.app_state import parts_of
from cds_service.store import StoreUnavailable
from tests.cds_service.api.test_hook_calls import QUIET, assert_nothing_null_or_empty, post
from tests.cds_service.charts import request

AppMaker = Callable[..., Flask]


def test_operators_routes(client: FlaskClient, app: Flask) -> None:
    assert client.get("/livez").json == {"status": "alive"}
    assert client.get("/readyz").json == {"status": "ready"}
    version = client.get("/version").json
    knowledge = parts_of(app).knowledge
    assert version["knowledge"]["digest"] == knowledge.digest  # type: ignore[index]
    assert version["knowledge"]["review"] == knowledge.review  # type: ignore[index]
    assert_nothing_null_or_empty(version)


def test_a_store_that_cannot_be_written_is_not_ready(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise StoreUnavailable("testing", "down")

    monkeypatch.setattr(parts_of(app).store, "check_writable", fail)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "store" in response.json["issue"][0]["diagnostics"]  # type: ignore[index]
    assert client.get("/livez").status_code == 200


def test_metrics_have_a_bounded_number_of_series(client: FlaskClient) -> None:
    def series() -> int:
        text = client.get("/metrics").text
        return sum(len(family.samples) for family in text_string_to_metric_families(text))

    client.get("/one")
    post(client, request(QUIET))
    before = series()
    for number in range(50):
        client.get(f"/path-{number}")
        post(client, request(QUIET), f"/cds-services/{number}")
        post(client, request(QUIET, fhirServer=f"https://host{number}.example.org/fhir"))
    assert series() <= before + 20


def test_metrics_with_a_port_of_their_own_have_no_route(make_app: AppMaker) -> None:
    assert make_app(metrics_port=9100).test_client().get("/metrics").status_code == 404
