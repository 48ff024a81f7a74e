"""Bodies by their media type, coding, length and number of resources."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.cds_service.api.test_hook_calls import QUIET, post
from tests.cds_service.charts import asthma, bundle, request

AppMaker = Callable[..., Flask]


@pytest.mark.req("C6")
@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("application/fhir+json", 200),
        ("application/fhir+json; charset=UTF-8; fhirVersion=4.0", 200),
        ("application/json; charset=utf-16", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/xml", 415),
        ("", 415),
    ],
)
def test_media_types(client: FlaskClient, content_type: str, status: int) -> None:
    assert post(client, request(QUIET), content_type=content_type).status_code == status


@pytest.mark.req("C6")
@pytest.mark.parametrize(("coding", "status"), [("gzip", 415), ("br", 415), ("identity", 200)])
def test_coded_bodies_are_refused(client: FlaskClient, coding: str, status: int) -> None:
    assert post(client, request(QUIET), headers={"Content-Encoding": coding}).status_code == status


@pytest.mark.req("C6")
def test_a_large_body_is_refused_by_its_length(make_app: AppMaker) -> None:
    client = make_app(max_body_bytes=2048).test_client()
    assert post(client, b"{" + b" " * 4096).status_code == 413


@pytest.mark.req("C6")
def test_a_large_body_is_refused_by_count(make_app: AppMaker) -> None:
    client = make_app(max_body_bytes=200_000).test_client()
    chunked = {"wsgi.input_terminated": True, "CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    assert post(client, b"{" + b" " * 300_000, environ_overrides=chunked).status_code == 413
    assert post(client, request(QUIET), environ_overrides=chunked).status_code == 200


def test_a_body_that_ends_too_early_is_refused(client: FlaskClient) -> None:
    assert post(client, b"{}", environ_overrides={"CONTENT_LENGTH": "3"}).status_code == 400


def test_a_body_that_cannot_be_received_is_refused(client: FlaskClient) -> None:
    class Broken:
        def read(self, *_: object) -> bytes:
            raise RuntimeError("bad chunk")

    overrides = {"wsgi.input": Broken(), "CONTENT_LENGTH": "10"}
    assert post(client, b"", environ_overrides=overrides).status_code == 400


def test_too_many_resources_are_refused(make_app: AppMaker) -> None:
    client = make_app(max_resources=3).test_client()
    assert post(client, request({"conditions": bundle(*[asthma()] * 4)})).status_code == 413
