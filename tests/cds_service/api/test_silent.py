"""A silent tenant: evaluated, recorded, counted, and answered without a card."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask
from pydantic import SecretStr

from cds_service.app import create_app
from cds_service.app_state import parts_of
from cds_service.demo.demo_patients import load_patients
from cds_service.settings.model import Settings, Tenant
from fhir_mappings.assess import Knowledge

AT = datetime(2026, 6, 15, 12, tzinfo=UTC)
CALL = "/cds-services/all-relapse"
SILENT, ACTIVE = "https://silent.example.org/fhir", "https://active.example.org/fhir"
NOTHING: dict[str, list[str]] = {"cards": []}
OPERATOR = "an operator's long token"


@pytest.fixture
def app(knowledge: Knowledge) -> Iterator[Flask]:
    settings = Settings.embedded(
        operator_token=SecretStr(OPERATOR),
        explain=True,
        tenants=(
            Tenant(id="shadow", fhir_servers=(SILENT,), mode="silent"),
            Tenant(id="shown", fhir_servers=(ACTIVE,)),
        ),
    )
    app = create_app(settings, clock=lambda: AT, knowledge=knowledge)
    yield app
    parts_of(app).close()


def body(name: str, server: str, **more: Any) -> dict[str, Any]:
    patient = next(one for one in load_patients(date(2026, 6, 15)) if one.id == name)
    entries: dict[str, list[Any]] = {}
    for resource in patient.resources:
        entries.setdefault(resource["resourceType"], []).append({"resource": resource})
    kinds = {
        "patient": "Patient",
        "conditions": "Condition",
        "procedures": "Procedure",
        "specimens": "Specimen",
    }
    kinds |= dict.fromkeys(("marrow", "blood", "counts", "csf", "markers", "genetics", "mrd"), "Observation")
    kinds |= {"status": "Observation", "examinations": "Observation", "medications": "MedicationRequest"}
    bundles = {
        key: {"resourceType": "Bundle", "type": "searchset", "entry": entries.get(kind, [])}
        for key, kind in kinds.items()
    }
    return {
        "hook": "patient-view",
        "hookInstance": "6b0d2f5e-3a51-4f0b-9d2c-0f6d2c1b7a11",
        "fhirServer": server,
        "context": {"userId": "Practitioner/1", "patientId": patient.id},
        "prefetch": bundles,
        **more,
    }


def call(app: Flask, asked: dict[str, Any]) -> tuple[int, Any]:
    reply = app.test_client().post(CALL, json=asked)
    return reply.status_code, reply.json


def unshown(app: Flask) -> dict[str, int]:
    parts = parts_of(app)
    parts.recorder.flush()
    return {row.topic: row.calls for row in parts.store.firings.read_unshown()}


def test_a_relapse_is_counted_and_not_shown(app: Flask) -> None:
    status, shown = call(app, body("early-marrow", ACTIVE))
    assert status == 200
    topics = [card["source"]["topic"]["code"] for card in shown["cards"]]
    assert "allFinding" in topics
    assert unshown(app) == {}
    for _again in range(2):
        assert call(app, body("early-marrow", SILENT)) == (200, NOTHING)
    assert unshown(app) == {"": 2, **dict.fromkeys(topics, 2)}


def test_the_trail_says_what_was_not_shown(app: Flask) -> None:
    call(app, body("early-marrow", SILENT))
    parts = parts_of(app)
    parts.recorder.flush()
    (sealed,) = parts.store.audit.read()
    assert sealed.entry.fields["silent"] is True
    assert "allFinding" in str(sealed.entry.fields["unshown"])
    assert "cards" not in sealed.entry.fields
    (firing,) = parts.store.firings.read()
    assert (firing.status, firing.calls, firing.calls_with_cards) == ("relapse", 1, 0)


def test_no_feedback_is_possible_on_what_was_not_shown(app: Flask) -> None:
    _status, shown = call(app, body("early-marrow", ACTIVE))
    call(app, body("early-marrow", SILENT))
    with parts_of(app).store._engines.reading() as connection:
        tenants = connection.exec_driver_sql("SELECT DISTINCT tenant FROM evaluations").scalars().all()
    assert tenants == ["shown"]
    assert shown["cards"]


def test_what_would_be_refused_is_an_empty_answer(app: Flask) -> None:
    missing = body("early-marrow", SILENT, prefetch={})
    assert call(app, missing) == (200, NOTHING)
    foreign = body("early-marrow", SILENT)
    foreign["context"]["patientId"] = "somebody-else"
    assert call(app, foreign) == (200, NOTHING)
    # Whoever is not silent is told.
    assert call(app, {**missing, "fhirServer": ACTIVE})[0] == 412


def test_a_call_that_is_wrong_is_still_told_so(app: Flask) -> None:
    status, told = call(app, {**body("early-marrow", SILENT), "hook": "order-sign"})
    assert status >= 400
    assert told != NOTHING


def test_the_operator_page_shows_what_would_have_been_shown(app: Flask) -> None:
    client = app.test_client()
    auth = {"Authorization": f"Bearer {OPERATOR}"}
    before = client.get("/operator/", headers=auth).text
    assert "What would have been shown" in before
    assert "Silent: <b>shadow</b>" in before
    call(app, body("early-marrow", SILENT))
    page = client.get("/operator/", headers=auth).text
    assert "1 calls of the period would have been answered with a card" in page.replace("\n", " ")
    title = next(topic.display for topic in parts_of(app).knowledge.card_topics if topic.code == "allFinding")
    assert f'<th scope="row">{title}</th><td class="number">1</td>' in page
    other = client.get("/operator/?tenant=shown", headers=auth).text
    assert f'<th scope="row">{title}</th><td class="number">1</td>' not in other
