"""Discovery and its prefetch templates (B, D)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.app_state import parts_of
from cds_service.hooks import HOOKS
from fhir_mappings.assess import Knowledge
from tests.conformance.answering import BASE, PATIENTS, make_service, request_of, send

Json = dict[str, Any]

R4_PARAMETERS = {
    "Condition": {"patient", "code"},
    "Observation": {"patient", "code"},
    "Procedure": {"patient", "code"},
    "MedicationRequest": {"patient"},
    "MedicationAdministration": {"patient"},
    "Specimen": {"patient"},
    "CarePlan": {"patient"},
    "ResearchSubject": {"patient", "individual"},
    "ServiceRequest": {"patient", "code"},
    "DiagnosticReport": {"patient", "code"},
    "DocumentReference": {"patient"},
    "EpisodeOfCare": {"patient"},
}
"""The search parameters of FHIR R4 that the templates use, by type."""

R4_SORTS = {
    "Condition": {"recorded-date", "onset-date"},
    "Observation": {"date"},
    "Procedure": {"date"},
    "MedicationRequest": {"authoredon"},
    "MedicationAdministration": {"effective-time"},
    "CarePlan": {"date"},
    "ServiceRequest": {"authored"},
    "DiagnosticReport": {"date"},
    "DocumentReference": {"date"},
}


@pytest.fixture
def services(caller: FlaskClient) -> list[Json]:
    found: list[Json] = caller.get("/cds-services").json["services"]  # type: ignore[index]
    return found


@pytest.fixture
def templates(services: list[Json]) -> list[tuple[str, str]]:
    return [(key, text) for service in services for key, text in service["prefetch"].items()]


def searches(templates: list[tuple[str, str]]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The type and the parameters of each template that searches."""
    found = []
    for _, text in templates:
        kind, mark, query = text.partition("?")
        if mark:
            found.append((kind, [tuple(part.split("=", 1)) for part in query.split("&")]))
    return found  # type: ignore[return-value]


@pytest.mark.req("B1")
@pytest.mark.req("B4")
@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/"])
def test_discovery_is_where_it_should_be_and_always_the_same(caller: FlaskClient, path: str) -> None:
    answers = [caller.get(path) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.data for answer in answers}) == 1
    assert caller.get("/.well-known/cds-services").status_code == 404


@pytest.mark.req("B2")
def test_discovery_is_an_object_with_a_list(caller: FlaskClient) -> None:
    body = caller.get("/cds-services").json
    assert isinstance(body, dict)
    assert list(body) == ["services"]
    assert isinstance(body["services"], list)


@pytest.mark.req("B3")
@pytest.mark.req("A3")
def test_no_service_is_an_empty_list(knowledge: Knowledge) -> None:
    app = make_service(knowledge, hooks=())
    response = app.test_client().get("/cds-services")
    parts_of(app).close()
    assert (response.status_code, response.json) == (200, {"services": []})


@pytest.mark.req("B5")
@pytest.mark.req("B6")
@pytest.mark.req("B7")
@pytest.mark.req("B10")
def test_each_service_says_what_it_is(services: list[Json]) -> None:
    assert {one["hook"] for one in services} == {
        "patient-view",
        "encounter-start",
        "order-select",
        "order-sign",
    }
    for one in services:
        assert all(one[name].strip() for name in ("title", "description", "usageRequirements"))
        assert not re.search(r"[<>*_`\[\]|#]", one["description"]), "reads alike as text and as Markdown"
        assert all(
            word in one["usageRequirements"] for word in ("R4", "LOINC", "SNOMED", "ICD-10", "JWT", "412")
        )


@pytest.mark.req("B8")
def test_the_id_of_a_service_is_its_place(caller: FlaskClient, services: list[Json]) -> None:
    for one in services:
        assert re.fullmatch(r"[A-Za-z0-9.-]+", one["id"])
        assert (
            caller.post(f"/cds-services/{one['id']}", data=b"{}", content_type="application/json").status_code
            == 400
        )
    assert [one["id"] for one in services] == list(HOOKS)


@pytest.mark.req("B9")
def test_prefetch_is_texts_under_plain_keys(templates: list[tuple[str, str]]) -> None:
    assert templates
    for key, text in templates:
        assert re.fullmatch(r"[A-Za-z0-9_-]+", key)
        assert isinstance(text, str)
        assert text


@pytest.mark.req("B11")
@pytest.mark.req("B12")
def test_versions_are_told_unless_they_are_switched_off(services: list[Json], knowledge: Knowledge) -> None:
    assert {one["version"] for one in services} == {"2.0.1"}
    assert {one["hookVersion"] for one in services} == {"1.0"}
    app = make_service(knowledge, discovery_extras=False)
    bare = app.test_client().get("/cds-services").json["services"]  # type: ignore[index]
    parts_of(app).close()
    for one in bare:
        assert one.keys() == {"hook", "id", "title", "description", "usageRequirements", "prefetch"}


@pytest.mark.req("B13")
@pytest.mark.req("B15")
def test_discovery_may_be_guarded(knowledge: Knowledge) -> None:
    app = make_service(knowledge, auth="required", discovery_auth="required")
    response = app.test_client().get("/cds-services")
    parts_of(app).close()
    assert response.status_code == 401
    assert response.json["resourceType"] == "OperationOutcome"  # type: ignore[index]


@pytest.mark.req("B14")
def test_an_id_answers_its_own_hook_only(caller: FlaskClient) -> None:
    body = request_of(PATIENTS[0], hook="order-sign")
    assert send(caller, body).status_code == 400


@pytest.mark.req("S1")
@pytest.mark.req("S2")
def test_our_extension_of_discovery_is_an_object_with_our_name(services: list[Json]) -> None:
    for one in services:
        ((name, value),) = one["extension"].items()
        assert name.startswith("org.relapse-cds.")
        assert value["url"] == f"{BASE}/cds-services/{one['id']}/source-attributes"


@pytest.mark.req("D1")
@pytest.mark.req("D2")
@pytest.mark.req("D3")
@pytest.mark.req("D4")
@pytest.mark.req("D7")
@pytest.mark.req("D8")
def test_the_only_token_is_the_patient_of_the_context(templates: list[tuple[str, str]]) -> None:
    for _, text in templates:
        assert re.findall(r"\{\{(.*?)\}\}", text) == ["context.patientId"]
        assert text.count("{") == text.count("}") == 2
        assert not set("%$") & set(unquote(text))
        assert "today()" not in text


@pytest.mark.req("D5")
@pytest.mark.req("D9")
def test_templates_keep_to_the_recommended_queries(templates: list[tuple[str, str]]) -> None:
    for _, parameters in searches(templates):
        names = [name for name, _ in parameters]
        assert len(names) == len(set(names))
        for name, value in parameters:
            assert ":" not in name
            assert "." not in name
            assert value
        control = {name for name in names if name.startswith("_")}
        assert control <= {"_sort", "_count"}
    reads = [text for _, text in templates if "?" not in text]
    assert set(reads) == {"Patient/{{context.patientId}}"}


@pytest.mark.req("D6")
def test_templates_are_fhir_r4(templates: list[tuple[str, str]]) -> None:
    for kind, parameters in searches(templates):
        for name, value in parameters:
            if name == "_sort":
                assert value.removeprefix("-") in R4_SORTS[kind], kind
            elif name == "_count":
                assert value.isdigit()
            else:
                assert name in R4_PARAMETERS[kind], kind


@pytest.mark.req("D10")
@pytest.mark.req("T2")
def test_each_clinical_need_has_its_key(services: list[Json], knowledge: Knowledge) -> None:
    wanted = {need.key for need in knowledge.needs if (need.codes or not need.coded) and not need.on_request}
    for one in services:
        assert one["prefetch"].keys() >= wanted
        assert all(len(text) <= 1500 for text in one["prefetch"].values())


@pytest.mark.req("B13")
def test_every_service_answers_errors_of_its_own(service: Flask, services: list[Json]) -> None:
    for one in services:
        assert service.test_client().get(f"/cds-services/{one['id']}").status_code == 405
