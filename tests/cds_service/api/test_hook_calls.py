"""The service over HTTP: discovery, calls, what an operator asks for, and every error answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.app_state import parts_of
from cds_service.observability import log, metrics
from cds_service.settings.model import Tenant
from fhir_mappings.assess import Knowledge
from tests.cds_service.charts import (
    EMPTY,
    FHIR_SERVER,
    TOKEN,
    TableReader,
    asthma,
    bundle,
    failed,
    leukaemia,
    marrow,
    patient,
    request,
    with_server,
)

CALL = "/cds-services/all-relapse"
QUIET = {"conditions": bundle(asthma())}
AppMaker = Callable[..., Flask]


def post(client: FlaskClient, body: Any, path: str = CALL, **more: Any) -> Any:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return client.post(path, data=data, **{"content_type": "application/json", **more})


def assert_nothing_null_or_empty(value: Any, path: str = "") -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            assert item not in (None, "", [], {}) or (path == "" and key in ("cards", "services")), (
                f"{path}/{key}"
            )
            assert_nothing_null_or_empty(item, f"{path}/{key}")
    elif isinstance(value, list):
        for item in value:
            assert item not in (None, "", [], {}), path
            assert_nothing_null_or_empty(item, path)


@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/"])
def test_discovery(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response.content_type.startswith("application/json")
    services = response.json["services"]  # type: ignore[index]
    assert [(one["id"], one["hook"]) for one in services] == [
        ("all-relapse", "patient-view"),
        ("all-relapse-encounter-start", "encounter-start"),
    ]
    assert_nothing_null_or_empty(response.json)
    for service in services:
        assert service.keys() >= {
            "title",
            "description",
            "usageRequirements",
            "version",
            "hookVersion",
            "prefetch",
        }


def test_prefetch_templates_are_lint_free(client: FlaskClient) -> None:
    templates = client.get("/cds-services").json["services"][0]["prefetch"]  # type: ignore[index]
    assert {"patient", "conditions", "marrow", "blood", "csf"} <= templates.keys()
    for key, template in templates.items():
        assert key.replace("-", "").isalnum()
        assert len(template) <= 1500
        assert template.count("{{context.patientId}}") == 1
        assert template.count("{{") == 1
        names = [part.partition("=")[0] for part in template.partition("?")[2].split("&") if part]
        assert len(names) == len(set(names)), key
        assert set(names) <= {"patient", "subject", "individual", "_id", "code", "_sort", "_count"}, key


def test_only_configured_hooks_are_offered(make_app: AppMaker) -> None:
    client = make_app(hooks=()).test_client()
    assert client.get("/cds-services").json == {"services": []}
    assert post(client, request(QUIET)).status_code == 404


@pytest.mark.req("B1")
@pytest.mark.parametrize("method", ["head", "options"])
@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/"])
def test_discovery_answers_head_and_options(client: FlaskClient, method: str, path: str) -> None:
    response = getattr(client, method)(path)
    assert response.status_code == 200
    assert response.data == b""


@pytest.mark.parametrize("path", [CALL, f"{CALL}/", "/cds-services//all-relapse"])
def test_a_chart_without_leukaemia_gets_no_cards(client: FlaskClient, path: str) -> None:
    response = post(client, request(QUIET), path)
    assert response.status_code == 200
    assert response.json == {"cards": []}


def test_the_second_hook_is_the_same_evaluation(client: FlaskClient) -> None:
    context = {"userId": "Practitioner/1", "patientId": "p1", "encounterId": "e1"}
    body = request(QUIET, hook="encounter-start", context=context)
    assert post(client, body, f"{CALL}-encounter-start").json == {"cards": []}


def test_missing_data_are_412_and_named(client: FlaskClient) -> None:
    response = post(client, request())
    assert response.status_code == 412
    assert response.json["issue"][0]["code"] == "incomplete"
    assert "conditions (not-supplied)" in response.json["issue"][0]["diagnostics"]


@pytest.fixture
def wordy(knowledge: Knowledge) -> Knowledge:
    """The knowledge with words for the card about missing data, whatever words it has of its own."""
    told = {
        "incomplete.summary": "The check could not be completed",
        "incomplete.need": "{what}: {why}",
        "incomplete.meaning": "Not a negative result",
    }
    (some,) = list(knowledge.words.values())[:1]
    words = {
        **knowledge.words,
        **{key: replace(some, text=text, rank=0, brief="", line="") for key, text in told.items()},
    }
    return replace(knowledge, words=words)


@pytest.mark.req("E6")
def test_missing_data_may_be_told_in_a_card(make_app: AppMaker, wordy: Knowledge) -> None:
    client = make_app(on_incomplete="info-card", knowledge=wordy).test_client()
    response = post(client, request())
    assert response.status_code == 200
    (card,) = response.json["cards"]
    assert card["indicator"] == "info"
    assert card["source"]["topic"]["code"] == "allData"
    assert card["summary"] == "The check could not be completed"
    assert "problem list" in card["detail"]
    assert "Not a negative result" in card["detail"]


def test_without_words_for_the_card_missing_data_stay_412(make_app: AppMaker, knowledge: Knowledge) -> None:
    words = {key: text for key, text in knowledge.words.items() if not key.startswith("incomplete.")}
    bare = replace(knowledge, words=words)
    client = make_app(on_incomplete="info-card", knowledge=bare).test_client()
    assert post(client, request()).status_code == 412


@pytest.mark.req("E7")
@pytest.mark.req("G5")
def test_a_foreign_patient_is_412_and_counted(client: FlaskClient) -> None:
    def mismatches() -> float:
        return metrics.REGISTRY.get_sample_value("patient_mismatch_total", {"tenant": "general"}) or 0.0

    before = mismatches()
    response = post(client, request({"conditions": bundle(asthma("p2"))}, fhirServer=FHIR_SERVER))
    assert response.status_code == 412
    assert response.json["issue"][0]["code"] == "conflict"
    assert "p2" not in response.text
    assert mismatches() == before + 1


def test_a_call_whose_time_was_over_is_counted_once(make_app: AppMaker) -> None:
    def overruns() -> float:
        return metrics.REGISTRY.get_sample_value("deadline_exceeded_total", {"tenant": "general"}) or 0.0

    late = {key: failed("timed-out") for key in ("marrow", "blood")}
    client = make_app(reader=TableReader(answers=late)).test_client()
    before = overruns()
    response = post(client, request({"conditions": bundle(leukaemia())}, **with_server()))
    assert response.status_code == 412
    assert "marrow (timed-out)" in response.json["issue"][0]["diagnostics"]
    assert overruns() == before + 1
    assert post(client, request(QUIET)).status_code == 200
    assert overruns() == before + 1


def test_an_explained_answer_holds_the_assessment(make_app: AppMaker) -> None:
    chart = {"conditions": bundle(leukaemia()), "marrow": bundle(marrow()), "blood": EMPTY, "csf": EMPTY}
    client = make_app(explain=True).test_client()
    response = post(client, request({"patient": patient(), **chart}))
    assert response.status_code == 200
    assessment = response.json["extension"]["org.relapse-cds.assessment"]
    assert assessment["patient"] == "p1"
    assert assessment["at"] == "2024-06-04T12:00:00Z"
    assert_nothing_null_or_empty(response.json)


def test_draft_content_makes_no_cards_where_that_is_configured(make_app: AppMaker) -> None:
    app = make_app(require_approved_content=True)
    if parts_of(app).knowledge.review == "approved":
        pytest.skip("the knowledge is approved")
    client = app.test_client()
    chart = {"conditions": bundle(leukaemia()), "marrow": EMPTY, "blood": EMPTY, "csf": EMPTY}
    for seen in (chart, {"conditions": bundle(leukaemia())}):
        refused = post(client, request(seen))
        assert refused.status_code == 412
        assert refused.json["issue"][0]["code"] == "business-rule"
    assert client.get("/readyz").status_code == 503
    assert post(client, request({"conditions": bundle(asthma())})).json == {"cards": []}


def test_draft_content_is_told_in_a_card_where_that_is_configured(make_app: AppMaker) -> None:
    app = make_app(require_approved_content=True, on_incomplete="info-card", explain=True)
    if parts_of(app).knowledge.review == "approved":
        pytest.skip("the knowledge is approved")
    chart = {"conditions": bundle(leukaemia()), "marrow": EMPTY, "blood": EMPTY, "csf": EMPTY}
    response = post(app.test_client(), request({"patient": patient(), **chart})).json
    (card,) = response["cards"]
    assert card["indicator"] == "info"
    assert card["summary"] == "Relapse check gives no answer: its content is not yet approved."
    assert "This is not a negative result." in card["detail"]
    told = response["extension"]["org.relapse-cds.assessment"]
    assert told["status"] == "not-evaluable"
    assert not {"criteria", "site", "timing", "options"} & told.keys()


def test_a_call_may_be_repeated(make_app: AppMaker, wordy: Knowledge) -> None:
    client = make_app(on_incomplete="info-card", knowledge=wordy).test_client()
    one, other = post(client, request()), post(client, request())
    assert one.json["cards"]
    assert one.data == other.data


@pytest.mark.req("F2")
@pytest.mark.req("E1")
def test_data_are_fetched_where_the_request_admits_it(make_app: AppMaker) -> None:
    reader = TableReader()
    client = make_app(reader=reader).test_client()
    assert post(client, request(**with_server())).json == {"cards": []}
    (opened,) = reader.opened
    assert opened[:2] == ("general", FHIR_SERVER)


HOSTILE: dict[str, tuple[bytes, int]] = {
    "empty": (b"", 400),
    "no json": (b"hello", 400),
    "array": (b"[]", 400),
    "null": (b"null", 400),
    "number": (b"1", 400),
    "trailing": (orjson.dumps(request(QUIET)) + b"x", 400),
    "byte order mark": (b"\xef\xbb\xbf" + orjson.dumps(request(QUIET)), 400),
    "utf-16": (json.dumps(request(QUIET)).encode("utf-16"), 400),
    "invalid utf-8": (b'{"hook":"\xff"}', 400),
    "overlong utf-8": (b'{"x":"\xc0\xaf"}', 400),
    "nan": (b'{"hook":NaN}', 400),
    "depth": (b'{"a":' + b"[" * 200_000, 400),
    "depth in prefetch": (
        orjson.dumps(request({"x": {"a": 0}})).replace(b'{"a":0}', b'{"a":' * 2000 + b"1" + b"}" * 2000), 400,
    ),
    "surrogate": (b'{"hook":"\\ud800"}', 400),
    "twice": (
        orjson.dumps(request(QUIET)).replace(b'"patientId":"p1"', b'"patientId":"p1","patientId":"p2"'), 400,
    ),
    "digits": (b'{"hook":' + b"1" * 5000 + b"}", 400),
    "empty object": (b"{}", 400),
    "prefetch array": (orjson.dumps({**request(), "prefetch": []}), 400),
    "patient id": (orjson.dumps(request(QUIET, context={"userId": "P/1", "patientId": "1\n"})), 400),
    "authorization without server": (
        orjson.dumps({**request(QUIET), "fhirAuthorization": with_server()["fhirAuthorization"]}), 400,
    ),
}  # fmt: skip


@pytest.mark.req("A1")
@pytest.mark.req("G6")
@pytest.mark.parametrize(("body", "status"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_bodies(client: FlaskClient, body: bytes, status: int) -> None:
    response = post(client, body)
    assert response.status_code == status
    assert response.json["resourceType"] == "OperationOutcome"
    assert TOKEN not in response.text


ODD: list[Any] = [7, "x", [], {}, True, [[]], {"resourceType": 7}, {"resourceType": "Bundle", "entry": 7}]
ODD_ENTRIES: list[Any] = [7, None, {}, [], {"resource": 7}]


@pytest.mark.parametrize(
    "value", ODD + [{"resourceType": "Bundle", "entry": [entry]} for entry in ODD_ENTRIES]
)
@pytest.mark.parametrize("key", ["conditions", "patient", "unheard-of"])
def test_any_prefetch_gets_a_valid_answer(client: FlaskClient, key: str, value: object) -> None:
    response = post(client, request({key: value}))
    assert response.status_code == 412
    assert response.json["resourceType"] == "OperationOutcome"


def test_every_answer_has_the_headers(client: FlaskClient) -> None:
    answers = [
        client.get("/cds-services"),
        post(client, request(QUIET)),
        post(client, b""),
        client.get("/nothing"),
    ]
    for response in answers:
        assert response.headers["X-Request-Id"]
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "Server" not in response.headers
    assert len({response.headers["X-Request-Id"] for response in answers}) == len(answers)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", True),
        ("d1577c69dfbe44adba6d3e05e953b2ea", True),
        ("MRN-00412345", False),
        ("doe.jane.1961", False),
        ("d1577c69-dfbe-44ad-ba6d-3e05e953b2ea-00412345", False),
        ("d1577c69-dfbe-44ad-ba6d-3e05e953b2e", False),
        ("a\u00e9", False),
        ("", False),
    ],
)
def test_a_request_id_is_kept_where_it_can_name_no_patient(
    client: FlaskClient, sent: str, kept: bool
) -> None:
    response = client.get("/nothing", headers={"X-Request-Id": sent})
    assert (response.headers["X-Request-Id"] == sent) is kept
    assert response.json["id"] == response.headers["X-Request-Id"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", CALL, 405),
        ("PUT", CALL, 405),
        ("TRACE", CALL, 405),
        ("DELETE", "/cds-services", 405),
        ("POST", "/cds-services", 405),
        ("POST", "/cds-services/unknown", 404),
        ("GET", "/.well-known/cds-services", 404),
        ("GET", "/cds-services/../etc/passwd", 404),
    ],
)
def test_wrong_methods_and_paths(client: FlaskClient, method: str, path: str, status: int) -> None:
    response = client.open(path, method=method)
    assert response.status_code == status
    assert response.json["resourceType"] == "OperationOutcome"  # type: ignore[index]
    assert ("Allow" in response.headers) is (status == 405)


@pytest.mark.req("P12")
def test_without_token_the_401_says_nothing(make_app: AppMaker) -> None:
    ehr = Tenant(id="general", iss="https://ehr.example.org", fhir_servers=(FHIR_SERVER,))
    client = make_app(auth="required", discovery_auth="required", tenants=(ehr,)).test_client()
    answers = [
        post(client, request(QUIET)),
        post(client, request(QUIET), headers={"Authorization": "Bearer x.y.z"}),
        post(client, b"", headers={"Authorization": "Basic eDp5"}),
        client.get("/cds-services"),
        post(client, {"feedback": []}, f"{CALL}/feedback"),
    ]
    assert {response.status_code for response in answers} == {401}
    assert len({response.data for response in answers}) == 1


@pytest.mark.req("F6")
@pytest.mark.req("P13")
def test_no_secret_and_no_patient_reaches_the_log(
    make_app: AppMaker, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_app(reader=TableReader()).test_client()
    caplog.set_level("DEBUG")
    caplog.set_level("DEBUG", logger=log.LOGGER.name)
    canary = {**asthma(), "note": [{"text": "CANARY-note"}]}
    post(client, request({"conditions": bundle(canary)}, **with_server()))
    post(client, request({"conditions": bundle(asthma("CANARY-other"))}, **with_server()))
    post(
        client, request(context={"userId": "CANARY-user", "patientId": "Patient/CANARY-id"}, **with_server())
    )
    post(client, request(context={"userId": "CANARY-user", "patientId": "CANARY id"}))
    assert caplog.records
    assert "CANARY" not in caplog.text
