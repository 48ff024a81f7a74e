"""Calling a service: bodies, contexts, media types (A, C, F4)."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from tests.cds_service.charts import with_server
from tests.conformance.answering import (
    CALL,
    HEALTHY,
    PATIENTS,
    RELAPSED,
    Asked,
    request_of,
    send,
    server_of,
    values_of,
)

Json = dict[str, Any]
STRICT = {**with_server(), "fhirServer": server_of("strict")}


def without(body: Json, path: str) -> Json:
    """A copy without one member."""
    copy: Json = orjson.loads(orjson.dumps(body))
    *parents, name = path.split("/")
    place = copy
    for parent in parents:
        place = place[parent]
    del place[name]
    return copy


@pytest.mark.req("C1")
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_a_service_is_called_by_post_alone(caller: FlaskClient, method: str) -> None:
    response = caller.open(CALL, method=method)
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]
    assert send(caller, request_of(HEALTHY)).status_code == 200
    assert send(caller, request_of(HEALTHY), "/cds-services/unknown").status_code == 404


@pytest.mark.req("C2")
@pytest.mark.parametrize("path", ["hook", "hookInstance", "context", "context/userId", "context/patientId"])
def test_a_required_member_that_is_missing_is_named(caller: FlaskClient, path: str) -> None:
    response = send(caller, without(request_of(HEALTHY), path))
    assert response.status_code == 400
    assert path.replace("/", ".") in response.json["issue"][0]["diagnostics"]


@pytest.mark.req("C2")
@pytest.mark.parametrize(
    "change",
    [
        {"hook": 7},
        {"hook": "patient-View"},
        {"hookInstance": "1"},
        {"context": []},
        {"context": {"userId": 7, "patientId": "p"}},
        {"fhirServer": 7},
        {"fhirServer": ""},
        {"prefetch": []},
        {"fhirAuthorization": "Bearer x"},
        {"fhirAuthorization": {}},
    ],
    ids=str,
)
def test_a_member_of_another_type_is_refused(caller: FlaskClient, change: Json) -> None:
    response = send(caller, request_of(HEALTHY, **change))
    assert response.status_code == 400
    assert response.json["resourceType"] == "OperationOutcome"


@pytest.mark.req("C2")
@pytest.mark.req("S1")
def test_what_is_not_known_is_ignored(caller: FlaskClient) -> None:
    context = {**request_of(HEALTHY)["context"], "more": {"a": [None]}}
    body = request_of(HEALTHY, extension={"x": 1}, more=[None], context=context)
    assert send(caller, body).json == {"cards": []}


@pytest.mark.req("C3")
@pytest.mark.parametrize("version", range(1, 9))
@pytest.mark.parametrize("capitals", [False, True])
def test_a_hook_instance_is_any_uuid(caller: FlaskClient, version: int, capitals: bool) -> None:
    instance = f"d1577c69-dfbe-{version}1ee-ba6d-3e05e953b2ea"
    body = request_of(HEALTHY, hookInstance=instance.upper() if capitals else instance)
    assert [send(caller, body).status_code for _ in range(2)] == [200, 200]


@pytest.mark.req("C4")
@pytest.mark.parametrize("user", ["Practitioner", "PractitionerRole", "Patient", "RelatedPerson"])
@pytest.mark.parametrize("encounter", [{}, {"encounterId": "e.1"}])
def test_users_and_encounters_of_every_kind(caller: FlaskClient, user: str, encounter: Json) -> None:
    context = {**request_of(HEALTHY)["context"], "userId": f"{user}/1", **encounter}
    assert send(caller, request_of(HEALTHY, context=context)).json == {"cards": []}


@pytest.mark.req("C4")
@pytest.mark.parametrize(
    "patient",
    [
        "",
        " ",
        "Patient/",
        "a b",
        "x" * 129,
        "1\n",
        "../1",
        "1/2",
        "1%2F2",
        "1?2",
        "1,2",
        "1&_id=2",
        "\u00e9",
        7,
        None,
    ],
)
def test_a_patient_id_is_a_fhir_id(caller: FlaskClient, patient: object) -> None:
    assert (
        send(caller, request_of(HEALTHY, context={"userId": "P/1", "patientId": patient})).status_code == 400
    )


@pytest.mark.req("C4")
@pytest.mark.parametrize("patient", ["eq_081-VQEgP8drUUqCWzHfw3", "_", "x" * 65, "x" * 127 + "_", "A.b-c_9"])
def test_a_patient_id_is_opaque(caller: FlaskClient, patient: str) -> None:
    """Found as it is written: with a relapse in a prefetch of that patient there is a card."""
    named = RELAPSED.resources[0]["id"]
    text = orjson.dumps(request_of(RELAPSED)).decode()
    for before, after in (("Patient/", ""), ('"id":"', '"'), ('"patientId":"', '"')):
        text = text.replace(f"{before}{named}{after}", f"{before}{patient}{after}")
    own = orjson.loads(text)
    assert own["context"]["patientId"] == patient
    answer = send(caller, own)
    assert answer.status_code == 200
    assert answer.json["cards"]


@pytest.mark.req("C4")
def test_a_patient_id_written_as_reference_is_understood(caller: FlaskClient) -> None:
    context = {"userId": "Practitioner/1", "patientId": f"Patient/{HEALTHY.resources[0]['id']}"}
    assert send(caller, request_of(HEALTHY, context=context)).json == {"cards": []}


@pytest.mark.req("C5")
@pytest.mark.req("R3")
def test_a_call_can_be_repeated(caller: FlaskClient) -> None:
    first, second = (send(caller, request_of(RELAPSED)) for _ in range(2))
    assert first.json["cards"]
    assert first.data == second.data


@pytest.mark.req("C6")
@pytest.mark.parametrize(
    "kind", ["application/json", "application/json;charset=UTF-8", "application/fhir+json; fhirVersion=4.0"]
)
@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/html"])
def test_json_is_taken_under_its_usual_names(caller: FlaskClient, kind: str, accept: str | None) -> None:
    headers = {"Accept": accept} if accept else {}
    response = send(caller, request_of(HEALTHY), content_type=kind, headers=headers)
    assert response.status_code == 200
    assert response.mimetype == "application/json"


@pytest.mark.req("A6")
@pytest.mark.parametrize("text", [b'{"hook": "patient-view",}', b'{/* a */ "hook": "x"}', b"{'hook': 'x'}"])
def test_comments_and_trailing_commas_are_no_json(caller: FlaskClient, text: bytes) -> None:
    assert send(caller, text).status_code == 400


@pytest.mark.req("A1")
@pytest.mark.req("A4")
@pytest.mark.req("A6")
@pytest.mark.req("A3")
def test_every_answer_is_strict_json_without_anything_null_or_empty(asked: list[Asked]) -> None:
    assert {one.status for one in asked} == {200}
    for one in asked:
        for path, value in values_of(one.body):
            assert value not in (None, "", [], {}) or path == "/cards", path
            assert not isinstance(value, str) or value.strip(), path


@pytest.mark.req("F4")
@pytest.mark.parametrize("name", ["access_token", "token_type", "expires_in", "scope", "subject"])
def test_an_authorization_without_a_member_is_refused(caller: FlaskClient, name: str) -> None:
    body = request_of(HEALTHY, **STRICT)
    response = send(caller, without(body, f"fhirAuthorization/{name}"))
    assert response.status_code == 400
    assert f"fhirAuthorization.{name}" in response.json["issue"][0]["diagnostics"]


@pytest.mark.req("F4")
def test_authorization_belongs_to_a_server_and_to_the_patient(caller: FlaskClient) -> None:
    body = request_of(HEALTHY, **STRICT)
    assert send(caller, without(body, "fhirServer")).status_code == 400
    other = {**body["fhirAuthorization"], "patient": "somebody-else"}
    assert send(caller, {**body, "fhirAuthorization": other}).status_code == 400
    own = {**body["fhirAuthorization"], "patient": HEALTHY.resources[0]["id"], "expires_in": "300"}
    assert send(caller, {**body, "fhirAuthorization": own}).status_code == 200


@pytest.mark.req("A5")
def test_every_order_is_an_object_that_fhir_accepts(cards: list[Json]) -> None:
    from fhir.resources.R4B.servicerequest import ServiceRequest

    orders = [
        action["resource"]
        for card in cards
        for suggestion in card.get("suggestions", [])
        for action in suggestion["actions"]
    ]
    assert len(orders) > len(PATIENTS)
    for order in orders:
        assert order["resourceType"] == "ServiceRequest"
        ServiceRequest.model_validate(order)
