"""Acting as an EHR: what is read, what is sent, and how failures are told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses

from cds_service.demo.ehr import EhrError, call_hook, new_session

CDS = "https://cds.test"
FHIR = "https://ehr.test/fhir"
BUNDLE = {"resourceType": "Bundle", "type": "searchset", "total": 0}
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}


def service(**templates: Any) -> dict[str, Any]:
    one = {"hook": "patient-view", "id": "all-relapse", "description": "x"}
    return {"services": [{**one, "id": "other"}, one | ({"prefetch": templates} if templates else {})]}


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(f"{CDS}/cds-services/all-relapse", json={"cards": [{"summary": "x"}]})
        yield mock


def sent(web: responses.RequestsMock) -> dict[str, Any]:
    body = web.calls[-1].request.body
    assert body is not None
    found: dict[str, Any] = json.loads(body)
    return found


def test_templates_are_filled_from_the_fhir_server(web: responses.RequestsMock) -> None:
    web.get(
        f"{CDS}/cds-services",
        json=service(
            patient="Patient/{{context.patientId}}",
            marrow="Observation?patient={{context.patientId}}&code=http://loinc.org|11150-0&_sort=-date",
            user="Practitioner/{{userPractitionerId}}",
        ),
    )
    web.get(f"{FHIR}/Patient/another", json={"resourceType": "Patient", "id": "x"})
    web.get(f"{FHIR}/Observation", json=BUNDLE)
    web.get(f"{FHIR}/Practitioner/demo", json={"resourceType": "Practitioner", "id": "demo"})
    reply = call_hook(f"{CDS}/", "all-relapse", FHIR, "a-b", token="secret")
    assert reply.status == 200
    assert reply.left_out == ("patient",)
    assert reply.prefetched == ("marrow", "user")
    body = sent(web)
    assert body["prefetch"]["marrow"] == BUNDLE
    assert body["context"] == {"userId": "Practitioner/demo", "patientId": "a-b"}
    assert body["fhirAuthorization"]["access_token"] == "secret"
    assert body["fhirAuthorization"]["patient"] == "a-b"
    searched = next(call.request for call in web.calls if "Observation" in str(call.request.url))
    assert searched.headers["Authorization"] == "Bearer secret"
    assert "code=http://loinc.org%7C11150-0" in str(searched.url)


def test_a_failed_query_is_sent_as_its_outcome_or_left_out(web: responses.RequestsMock) -> None:
    web.get(
        f"{CDS}/cds-services",
        json=service(refused="A", broken="B", silent="C", none="D", later="E/{{context.encounterId}}"),
    )
    web.get(f"{FHIR}/A", json=OUTCOME, status=403)
    web.get(f"{FHIR}/B", body="<html>", status=200)
    web.get(f"{FHIR}/C", body=requests.ConnectionError("the address with its query"))
    web.get(f"{FHIR}/D", json=BUNDLE)
    reply = call_hook(CDS, "all-relapse", FHIR, "a")
    assert sent(web)["prefetch"] == {"refused": OUTCOME, "none": BUNDLE}
    assert reply.left_out == ("broken", "silent", "later")
    assert "fhirAuthorization" not in sent(web)


def test_without_prefetch_the_fhir_server_is_not_asked(web: responses.RequestsMock) -> None:
    web.get(f"{CDS}/cds-services", json=service(patient="Patient/{{context.patientId}}"))
    reply = call_hook(CDS, "all-relapse", FHIR, "a", prefetch=False)
    assert "prefetch" not in sent(web)
    assert reply.left_out == ("patient",)
    assert len(web.calls) == 2


def test_a_refused_call_has_no_cards(web: responses.RequestsMock) -> None:
    web.get(f"{CDS}/cds-services", json=service())
    web.replace(responses.POST, f"{CDS}/cds-services/all-relapse", json=OUTCOME, status=412)
    reply = call_hook(CDS, "all-relapse", FHIR, "a")
    assert (reply.status, reply.cards, reply.assessment) == (412, (), {})
    assert reply.body == OUTCOME


def test_the_explained_assessment_is_found(web: responses.RequestsMock) -> None:
    web.get(f"{CDS}/cds-services", json=service())
    body = {"cards": [], "extension": {"org.relapse-cds.assessment": {"status": "none"}}}
    web.replace(responses.POST, f"{CDS}/cds-services/all-relapse", json=body)
    assert call_hook(CDS, "all-relapse", FHIR, "a").assessment == {"status": "none"}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"json": {"services": [{"id": "x"}]}}, "no 'all-relapse'. It offers: x"),
        ({"json": {}}, "without services"),
        ({"json": [], "status": 200}, "another shape"),
        ({"body": "<html>"}, "without JSON"),
        ({"json": OUTCOME, "status": 503}, "503"),
        ({"status": 302, "headers": {"Location": "https://evil.test"}, "body": "{}"}, "302"),
        ({"body": requests.ConnectionError("refused by 10.0.0.1")}, "https://cds.test does not answer"),
    ],
)
def test_a_service_that_cannot_be_used_is_told_in_one_line(
    web: responses.RequestsMock, answer: dict[str, Any], message: str
) -> None:
    web.get(f"{CDS}/cds-services", **answer)
    with pytest.raises(EhrError) as told:
        call_hook(CDS, "all-relapse", FHIR, "a")
    assert message in str(told.value)
    assert "\n" not in str(told.value)
    assert "10.0.0.1" not in str(told.value)


def test_nothing_is_taken_from_the_environment() -> None:
    with new_session() as session:
        assert session.trust_env is False
