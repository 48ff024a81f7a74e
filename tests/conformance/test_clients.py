"""What each kind of client is known to send, and what it can take: strict, epic, cerner, sandbox, compact."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.app_state import parts_of
from cds_service.settings.model import Tenant
from fhir_mappings.assess import Knowledge
from tests.conformance.answering import (
    CALL,
    HEALTHY,
    PROFILES,
    RELAPSED,
    Asked,
    make_service,
    prefetch_of,
    request_of,
    searchset,
    send,
    server_of,
)

Json = dict[str, Any]

NO_RESULTS: Json = {
    "resourceType": "Bundle",
    "type": "searchset",
    "total": 0,
    "link": [{"relation": "self", "url": "https://epic.example.org/fhir/Observation?patient=x"}],
    "entry": [
        {
            "fullUrl": "urn:uuid:00000004-8eaa-46d1-a1b5-6a26d1f3c6c8",
            "resource": {
                "resourceType": "OperationOutcome",
                "issue": [
                    {
                        "severity": "warning",
                        "code": "processing",
                        "details": {
                            "coding": [
                                {"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369", "code": "4101"}
                            ],
                            "text": "Resource request returns no results.",
                        },
                    }
                ],
            },
            "search": {"mode": "outcome"},
        }
    ],
}
"""How Epic answers a search that finds nothing."""

AUTHORIZATION = {
    "access_token": "CANARY.access-token",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "Condition.Read (Problems) (R4) Observation.Search (Labs) (R4)",
    "subject": "b81ecd4e-2ea2-4a25-9d1c-ee21c1a1e6a2",
}


@pytest.fixture(scope="module")
def hospital(knowledge: Knowledge) -> Iterator[Flask]:
    """A service for one Epic site whose analysts typed in keys of their own."""
    tenant = Tenant(
        id="epic",
        fhir_servers=(server_of("epic"),),
        profile="epic",
        prefetch_keys={"problem-list": "conditions", "pat": "patient", "bm-results": "marrow"},
        codes={"mrd": ("http://epic.example.org/labs|MRD",)},
    )
    app = make_service(knowledge, tenants=(tenant,))
    yield app
    parts_of(app).close()


def epic_call(person: Any) -> Json:
    """A call as Epic makes it: own keys, absolute references, an extension, a PractitionerRole."""
    server = server_of("epic")
    identity = person.resources[0]["id"]
    text = prefetch_of(person)

    def absolute(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: f"{server}/{item}"
                if key == "reference" and item == f"Patient/{identity}"
                else absolute(item)
                for key, item in value.items()
            }
        return [absolute(item) for item in value] if isinstance(value, list) else value

    keys = {"conditions": "problem-list", "patient": "pat", "marrow": "bm-results"}
    filled = {keys.get(key, key): absolute(value) for key, value in text.items()}
    none = {key: NO_RESULTS for key in ("blood", "csf", "markers", "genetics", "mrd", "status")}
    user = {"resourceType": "PractitionerRole", "id": "ePr.1-2_3"}
    return {
        "hook": "patient-view",
        "hookInstance": "9D2B6F6C-5F6B-11EF-9A1B-0242AC120002",
        "fhirServer": server,
        "fhirAuthorization": AUTHORIZATION,
        "context": {
            "patientId": identity,
            "userId": "PractitionerRole/ePr.1-2_3",
            "encounterId": "eNc.1-2_3",
        },
        "prefetch": {**none, **filled, "-user": user},
        "extension": {
            "com.epic.cdshooks.request.bpa-trigger-action": 60,
            "com.epic.cdshooks.request.fhir-version": "R4",
        },
    }


def test_an_epic_site_gets_the_finding(hospital: Flask) -> None:
    response = send(hospital.test_client(), epic_call(RELAPSED))
    assert response.status_code == 200
    assert response.json["cards"][0]["source"]["topic"]["code"] == "allFinding"


@pytest.mark.req("E4")
def test_an_epic_search_without_results_is_no_failure(hospital: Flask) -> None:
    body = epic_call(HEALTHY)
    assert send(hospital.test_client(), {**body, "prefetch": {"problem-list": NO_RESULTS}}).json == {
        "cards": []
    }
    assert send(hospital.test_client(), body).json == {"cards": []}


def test_an_epic_call_stripped_of_data_and_token_is_412(hospital: Flask) -> None:
    body = epic_call(RELAPSED)
    stripped = {key: value for key, value in body.items() if key not in ("prefetch", "fhirAuthorization")}
    response = send(hospital.test_client(), stripped)
    assert response.status_code == 412
    assert "conditions (not-supplied)" in response.json["issue"][0]["diagnostics"]


@pytest.mark.parametrize("trigger", [60, "60", 5, None, {"a": []}])
def test_the_trigger_of_an_epic_call_changes_nothing(hospital: Flask, trigger: object) -> None:
    body = epic_call(HEALTHY)
    body["extension"]["com.epic.cdshooks.request.bpa-trigger-action"] = trigger
    assert send(hospital.test_client(), body).json == {"cards": []}


@pytest.mark.req("I6")
@pytest.mark.req("J4")
@pytest.mark.req("M4")
def test_an_epic_site_gets_nothing_that_its_build_refuses(asked: list[Asked]) -> None:
    cards = [card for one in asked if one.profile == "epic" for card in one.body["cards"]]
    assert cards
    for card in cards:
        assert re.fullmatch(r"[A-Za-z0-9]{1,100}", card["source"]["topic"]["code"])
        assert card.get("selectionBehavior", "any") == "any"
        assert all(len(one["actions"]) == 1 for one in card.get("suggestions", []))
        assert all(one["actions"][0]["description"] for one in card.get("suggestions", []))
        assert all("appContext" not in link and "autolaunchable" not in link for link in card["links"])


@pytest.mark.req("O6")
@pytest.mark.req("O8")
def test_an_epic_site_sends_feedback_in_batches(hospital: Flask) -> None:
    client = hospital.test_client()
    cards = send(client, epic_call(RELAPSED)).json["cards"]
    name = "com.epic.cdshooks.feedback.overrideReason."
    items: list[Json] = [
        {
            "card": cards[0]["uuid"],
            "outcome": "overridden",
            "overrideReasons": {
                "extension": {
                    f"{name}reasonCategory": "12",
                    f"{name}reasonTitle": "Other",
                    f"{name}reasonDisplay": "Other",
                },
                "userComment": "seen",
            },
            "outcomeTimestamp": "2026-11-20T11:59:00Z",
        },
        {
            "card": cards[1]["uuid"],
            "outcome": "accepted",
            "acceptedSuggestions": [{"id": cards[1]["suggestions"][0]["uuid"]}],
            "outcomeTimestamp": "2026-11-20T11:59:01.5+00:00",
        },
        {"card": "123456", "outcome": "overridden", "outcomeTimestamp": "2026-11-20T06:59:00-05:00"},
    ]
    for _ in range(2):
        response = send(client, {"feedback": items}, f"{CALL}/feedback")
        assert (response.status_code, response.json) == (200, {"received": 3})


def sandbox_call(person: Any, **more: Any) -> Json:
    """A call of the public sandbox: no encounter, keys that failed are left out, no authorization."""
    return {
        "hookInstance": "c1a1b0c2-3d4e-4f50-8a6b-7c8d9e0f1a2b",
        "hook": "patient-view",
        "fhirServer": server_of("sandbox"),
        "context": {"patientId": person.resources[0]["id"], "userId": "Practitioner/COREPRACTITIONER1"},
        **more,
    }


def test_the_sandbox_gets_the_finding_and_may_leave_out_what_failed(service: Flask) -> None:
    chart = prefetch_of(RELAPSED)
    kept = {key: chart[key] for key in ("patient", "conditions", "marrow", "csf", "blood")}
    response = send(service.test_client(), sandbox_call(RELAPSED, prefetch=kept))
    assert response.status_code == 200
    card = response.json["cards"][0]
    assert card["source"]["topic"]["code"] == "allFinding"
    assert card["uuid"]
    assert card["overrideReasons"], "without them the sandbox shows no way to dismiss a card"


def test_the_sandbox_without_prefetch_is_412(service: Flask) -> None:
    assert send(service.test_client(), sandbox_call(RELAPSED)).status_code == 412


@pytest.mark.req("O6")
def test_the_sandbox_sends_reasons_without_display(service: Flask) -> None:
    client = service.test_client()
    cards = send(client, sandbox_call(RELAPSED, prefetch=prefetch_of(RELAPSED))).json["cards"]
    (reason, *_) = cards[1]["overrideReasons"]
    item = {
        "card": cards[1]["uuid"],
        "outcome": "overridden",
        "overrideReason": {"reason": {"code": reason["code"], "system": reason["system"]}},
        "outcomeTimestamp": "2026-11-20T11:58:00.123Z",
    }
    assert send(client, {"feedback": [item]}, f"{CALL}/feedback").status_code == 200


def cerner_call(person: Any, **more: Any) -> Json:
    """A call as Oracle Health drafted it: CDS Hooks 1.0, no prefetch at all, or no key that failed."""
    return {
        "hook": "patient-view",
        "hookInstance": "11111111-2222-4333-8444-555555555555",
        "fhirServer": server_of("cerner"),
        "context": {"patientId": person.resources[0]["id"], "userId": "Practitioner/4464007"},
        **more,
    }


@pytest.mark.req("H7")
def test_oracle_health_gets_short_cards_of_version_1(service: Flask) -> None:
    body = cerner_call(RELAPSED, prefetch=prefetch_of(RELAPSED))
    cerner = send(service.test_client(), body).json["cards"]
    strict = send(service.test_client(), request_of(RELAPSED, "strict")).json["cards"]
    assert len(cerner) == len([card for card in strict if card["source"]["topic"]["code"] != "allEvidence"])
    assert all(len(card["detail"]) <= 600 for card in cerner)
    assert all(card.get("selectionBehavior", "at-most-one") == "at-most-one" for card in cerner)
    assert sum(len(card["detail"]) for card in cerner) < sum(len(card["detail"]) for card in strict)
    assert all("appContext" not in link for card in cerner for link in card["links"])


def test_oracle_health_without_data_is_412(service: Flask) -> None:
    assert send(service.test_client(), cerner_call(RELAPSED)).status_code == 412


def test_a_compact_client_gets_at_most_three_cards_and_loses_nothing(asked: list[Asked]) -> None:
    by_profile = {one.profile: one.body["cards"] for one in asked if one.patient.id == RELAPSED.id}
    assert len(by_profile["compact"]) == 3
    assert len(by_profile["strict"]) > 3
    assert all(len(card["detail"]) <= 600 for card in by_profile["compact"])
    for left_out in by_profile["strict"][3:]:
        if left_out["source"]["topic"]["code"] != "allEvidence":
            assert left_out["summary"].rstrip(".") in by_profile["compact"][0]["detail"]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("key", ["labs", "x", "conditions-and-labs", "-all"])
def test_data_are_recognised_under_any_key(caller: FlaskClient, profile: str, key: str) -> None:
    everything = [one for one in RELAPSED.resources if one["resourceType"] != "Patient"]
    nothing = searchset([])
    chart = {key: searchset(everything), "blood": nothing, "csf": nothing}
    response = send(caller, request_of(RELAPSED, profile, prefetch=chart))
    assert response.status_code == 200
    assert response.json["cards"][0]["indicator"] == "critical"


@pytest.mark.parametrize("profile", PROFILES)
def test_the_same_patient_gets_the_same_finding_whoever_asks(asked: list[Asked], profile: str) -> None:
    def summaries(of: str) -> dict[str, list[str]]:
        return {
            one.patient.id: [c["summary"] for c in one.body["cards"][:1]]
            for one in asked
            if one.profile == of
        }

    assert summaries(profile) == summaries("strict")
