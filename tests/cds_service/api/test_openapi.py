"""The API document: it describes every route, every answer fits it, and nothing drawn from it breaks us."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import orjson
import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cds_service.api.openapi import document
from cds_service.api.problems import TABLE
from cds_service.hooks import HOOKS
from cds_service.wire.described import Discovery, OperationOutcome, SourceAttributesDocument, Version

AppMaker = Callable[..., Flask]
Json = dict[str, Any]

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "20"))
"""For each operation; ``make schemathesis-long`` asks for many more."""

WHOLE = document(HOOKS.values(), "https://cds.example.org")
OPERATIONS = [(path, method) for path, item in WHOLE["paths"].items() for method in item]
DRAWN = [
    (path, method, mode)
    for path, method in OPERATIONS
    if not path.startswith(("/cds-services/all-relapse-encounter", "/cds-services/all-relapse-order-sign"))
    for mode in (GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if method == "post" else []))
]
"""What has no parameter and no body has no wrong request. Two services stand for those of the same shape."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture
def whole_app(make_app: AppMaker) -> Flask:
    return make_app(hooks=tuple(HOOKS))


def test_the_document_is_served_and_fits_this_installation(make_app: AppMaker) -> None:
    client = make_app(public_url="https://cds.example.org").test_client()
    response = client.get("/openapi.json")
    assert response.status_code == 200
    served: Json = response.json  # type: ignore[assignment]
    assert served["openapi"].startswith("3.1")
    assert served["servers"] == [{"url": "https://cds.example.org"}]
    assert "/cds-services/all-relapse/feedback" in served["paths"]
    assert "/cds-services/all-relapse-order-sign" not in served["paths"]


def test_every_route_of_the_protocol_is_described(whole_app: Flask) -> None:
    described = {(path, method.upper()) for path, method in OPERATIONS}
    for rule in whole_app.url_map.iter_rules():
        if not rule.rule.startswith("/cds-services") or "//" in rule.rule:
            continue
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            path = rule.rule.replace("<service_id>", "all-relapse")
            assert (path, method) in described


def test_every_problem_is_described_somewhere() -> None:
    told = {
        (status, row.words)
        for item in WHOLE["paths"].values()
        for operation in item.values()
        for status, answer in operation["responses"].items()
        for row in TABLE.values()
        if row.words in answer["description"]
    }
    # Nothing of the described routes is forbidden to a caller who is known.
    unused = {row.words for row in TABLE.values()} - {words for _, words in told}
    assert unused == {"The caller may not do this."}


def test_no_schema_admits_null() -> None:
    assert b'"null"' not in orjson.dumps(WHOLE)


def test_what_is_not_checked_on_the_way_fits_its_description(client: FlaskClient) -> None:
    Discovery.model_validate(client.get("/cds-services").json)
    Version.model_validate(client.get("/version").json)
    SourceAttributesDocument.model_validate(client.get("/cds-services/all-relapse/source-attributes").json)
    OperationOutcome.model_validate(client.get("/nothing").json)


@pytest.mark.req("A1")
@pytest.mark.req("G6")
@pytest.mark.parametrize(("path", "method", "mode"), DRAWN)
def test_anything_drawn_from_the_document_gets_a_described_answer(
    whole_app: Flask, path: str, method: str, mode: GenerationMode
) -> None:
    operation = schemathesis.openapi.from_wsgi("/openapi.json", whole_app)[path][method.upper()]
    strategy = operation.as_strategy(generation_mode=mode)

    @given(case=strategy)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def answered(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(checks=CHECKS)

    answered()
