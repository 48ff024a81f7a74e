"""The envelope: strict about what is used, tolerant of everything else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.hooks import HOOKS
from cds_service.http.problem import Problem, Refusal
from cds_service.wire.request import HookRequest, read_request

TOKEN = "CANARY-token"
AUTHORIZATION = {
    "access_token": TOKEN,
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "patient/*.read",
    "subject": "relapse-cds",
}
REQUEST: dict[str, Any] = {
    "hook": "patient-view",
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "context": {"userId": "Practitioner/1", "patientId": "p.1-A"},
}
LEAVE_OUT = object()


def read(service: str = "all-relapse", **changes: Any) -> HookRequest:
    request = {key: value for key, value in {**REQUEST, **changes}.items() if value is not LEAVE_OUT}
    return read_request(json.dumps(request).encode(), HOOKS[service], 10)


def refused(service: str = "all-relapse", **changes: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(service, **changes)
    return caught.value


def test_a_plain_request() -> None:
    request = read()
    assert request.patient_id == "p.1-A"
    assert request.hook == "patient-view"
    assert request.fhir_server is None
    assert request.prefetch == {}
    assert not request.patient_id_was_reference


def test_unknown_members_and_extensions_are_ignored() -> None:
    request = read(
        extension={"com.epic.cdshooks.request.bpa-trigger-action": "60"},
        user="Practitioner/1",
        context={**REQUEST["context"], "encounterId": "e", "draftOrders": {"entry": []}},
    )
    assert request.context.encounterId == "e"


@pytest.mark.parametrize("instance", ["D1577C69-DFBE-11EE-BA6D-3E05E953B2EA", REQUEST["hookInstance"]])
def test_any_uuid_is_a_hook_instance(instance: str) -> None:
    assert read(hookInstance=instance).instance == instance


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("hook", LEAVE_OUT),
        ("hook", 7),
        ("hook", None),
        ("hook", ""),
        ("hookInstance", LEAVE_OUT),
        ("hookInstance", "not-a-uuid"),
        ("hookInstance", REQUEST["hookInstance"] + "\n"),
        ("context", LEAVE_OUT),
        ("context", []),
        ("context", "p"),
        ("fhirServer", 7),
        ("fhirServer", ""),
    ],
)
def test_a_member_that_is_missing_or_wrong_is_named(member: str, value: Any) -> None:
    refusal = refused(**{member: value})
    assert refusal.problem is Problem.INVALID_REQUEST
    assert member in refusal.diagnostics


@pytest.mark.parametrize(
    "patient_id",
    [
        "",
        "1\n",
        "\n1",
        "1/../2",
        "1&_id=2",
        "1,2",
        "é",
        "a" * 129,
        "..",
        ".",
        "1 ",
        "{{context.patientId}}",
        "../x",
    ],
)
def test_a_patient_id_is_matched_in_full(patient_id: str) -> None:
    refusal = refused(context={"userId": "Practitioner/1", "patientId": patient_id})
    assert refusal.problem is Problem.INVALID_REQUEST
    assert "context.patientId" in refusal.diagnostics


@pytest.mark.parametrize("context", [{"patientId": "p"}, {"userId": "Practitioner/1"}, {}])
def test_user_and_patient_are_required(context: dict[str, str]) -> None:
    assert "context." in refused(context=context).diagnostics


def test_a_reference_to_the_patient_is_normalised_and_noted() -> None:
    request = read(context={"userId": "Practitioner/1", "patientId": "Patient/p1"})
    assert request.patient_id == "p1"
    assert request.patient_id_was_reference


def test_the_hook_must_be_the_one_of_the_service() -> None:
    assert "patient-view" in refused(hook="order-sign").diagnostics
    assert "encounter-start" in refused("all-relapse-encounter-start").diagnostics


def test_encounter_start_needs_its_encounter() -> None:
    changes: dict[str, Any] = {"hook": "encounter-start"}
    assert "encounterId" in refused("all-relapse-encounter-start", **changes).diagnostics
    context = {**REQUEST["context"], "encounterId": "e1"}
    assert read("all-relapse-encounter-start", **changes, context=context).context.encounterId == "e1"


@pytest.mark.parametrize(("sent", "seconds"), [(300, 300), ("300", 300), (0, 0), (-1, -1)])
def test_expires_in_may_be_text(sent: object, seconds: int) -> None:
    authorization = {**AUTHORIZATION, "expires_in": sent}
    request = read(fhirServer="https://ehr.example.org/fhir", fhirAuthorization=authorization)
    assert request.authorization is not None
    assert request.authorization.expires_in == seconds


def test_the_token_type_is_read_without_case() -> None:
    request = read(fhirServer="https://a/fhir", fhirAuthorization={**AUTHORIZATION, "token_type": "bearer"})
    assert request.authorization is not None
    assert request.authorization.token_type == "Bearer"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("access_token", LEAVE_OUT),
        ("access_token", ""),
        ("access_token", 7),
        ("token_type", "MAC"),
        ("token_type", LEAVE_OUT),
        ("expires_in", LEAVE_OUT),
        ("expires_in", "soon"),
        ("expires_in", True),
        ("scope", LEAVE_OUT),
        ("subject", LEAVE_OUT),
        ("patient", "a/b"),
    ],
)
def test_a_malformed_authorization_is_refused_without_the_token(member: str, value: object) -> None:
    authorization = {**AUTHORIZATION, member: value}
    authorization = {key: item for key, item in authorization.items() if item is not LEAVE_OUT}
    refusal = refused(fhirServer="https://ehr.example.org/fhir", fhirAuthorization=authorization)
    assert refusal.problem is Problem.INVALID_REQUEST
    assert f"fhirAuthorization.{member}" in refusal.diagnostics
    assert TOKEN not in refusal.diagnostics


def test_an_authorization_without_server_is_refused() -> None:
    assert "fhirServer" in refused(fhirAuthorization=AUTHORIZATION).diagnostics


def test_a_token_of_another_patient_is_refused() -> None:
    refusal = refused(
        fhirServer="https://ehr.example.org/fhir", fhirAuthorization={**AUTHORIZATION, "patient": "p2"}
    )
    assert "fhirAuthorization.patient" in refusal.diagnostics


@pytest.mark.parametrize("patient", ["p.1-A", "Patient/p.1-A", None])
def test_a_token_of_this_patient_is_taken(patient: str | None) -> None:
    request = read(fhirServer="https://a/fhir", fhirAuthorization={**AUTHORIZATION, "patient": patient})
    assert request.authorization is not None


def test_the_token_is_not_printed() -> None:
    request = read(fhirServer="https://ehr.example.org/fhir", fhirAuthorization=AUTHORIZATION)
    assert TOKEN not in repr(request)
    assert request.authorization is not None
    assert request.authorization.access_token == TOKEN


def test_too_many_resources_are_refused() -> None:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Condition"}}] * 11}
    assert refused(prefetch={"conditions": bundle}).problem is Problem.TOO_MANY_RESOURCES
