"""The whole way over a real socket: EHR, service, sandbox, cards."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime
from typing import Any

import pytest
import requests

from cds_service.demo.application import DemoPlace
from cds_service.demo.demo_patients import DemoPatient, load_patients
from cds_service.demo.report import Outcome
from tests.live_service import fire

PATIENTS = load_patients(date(2026, 11, 20))
BY_ID = {patient.id: patient for patient in PATIENTS}


def timeless(assessment: dict[str, Any]) -> dict[str, Any]:
    """The assessment without the moment at which it was made."""
    kept = copy.deepcopy(assessment)
    kept.pop("at")
    return kept


@pytest.mark.parametrize("patient", PATIENTS, ids=lambda patient: patient.id)
def test_every_patient_gets_the_expected_cards(demo_service: DemoPlace, patient: DemoPatient) -> None:
    assert Outcome(patient, fire(demo_service, patient.id)).differences == ()


@pytest.mark.parametrize("patient", PATIENTS, ids=lambda patient: patient.id)
def test_fetching_for_itself_the_service_decides_the_same(
    demo_service: DemoPlace, patient: DemoPatient
) -> None:
    with_prefetch = fire(demo_service, patient.id)
    without = fire(demo_service, patient.id, prefetch=False)
    assert Outcome(patient, without).differences == ()
    assert timeless(without.assessment) == timeless(with_prefetch.assessment)


def test_the_prefetch_is_filled_completely(demo_service: DemoPlace) -> None:
    reply = fire(demo_service, "early-marrow")
    assert reply.left_out == ()
    assert {"patient", "conditions", "marrow", "blood", "csf"} <= set(reply.prefetched)


def test_markup_in_a_chart_stays_text(demo_service: DemoPlace) -> None:
    reply = fire(demo_service, "hostile-text")
    assert reply.cards
    for card in reply.cards:
        shown = card["summary"] + card.get("detail", "")
        assert "<script" not in shown
        assert "<svg" not in shown
        assert "](javascript:" not in shown
        assert "![x](" not in shown


@pytest.mark.parametrize("token", ["wrong", "expired", "another patient's"])
def test_a_chart_that_may_not_be_read_is_not_taken_for_silence(demo_service: DemoPlace, token: str) -> None:
    tokens = {
        "wrong": "abc",
        "expired": demo_service.tokens.issue("early-marrow", lifetime_seconds=-1),
        "another patient's": demo_service.tokens.issue("healthy"),
    }
    reply = fire(demo_service, "early-marrow", prefetch=False, token=tokens[token])
    assert reply.status == 412
    assert reply.body["resourceType"] == "OperationOutcome"


def test_the_sandbox_wants_a_token(demo_service: DemoPlace) -> None:
    response = requests.get(f"{demo_service.fhir_server}/Patient/healthy", timeout=120)
    assert response.status_code == 401
    assert response.headers["Content-Type"] == "application/fhir+json"


def test_the_charts_are_dated_relative_to_today(demo_service: DemoPlace) -> None:
    event = fire(demo_service, "early-marrow").assessment["eventDate"]
    assert (datetime.now(UTC).date() - date.fromisoformat(event)).days in (4, 5)
