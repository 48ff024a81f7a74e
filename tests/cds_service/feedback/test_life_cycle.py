"""A card's life, through the service: shown, dealt with, quiet, and back with new evidence or in time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from cds_service.app import create_app
from cds_service.app_state import parts_of
from cds_service.demo.demo_patients import DemoPatient, load_patients
from cds_service.settings.model import Settings
from fhir_mappings.assess import Knowledge
from tests.cds_service.feedback.bodies import REASONS

Json = dict[str, Any]
START = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FEEDBACK = "/cds-services/all-relapse/feedback"
EMPTY: Json = {"resourceType": "Bundle", "type": "searchset", "total": 0}


class Clinic:
    """One service, one chart, and a clock that can be moved."""

    def __init__(self, knowledge: Knowledge, **changes: Any) -> None:
        self.now = START
        self.app: Flask = create_app(
            Settings.embedded(**changes), clock=lambda: self.now, knowledge=knowledge
        )
        self.client = self.app.test_client()
        self.patient: DemoPatient = next(p for p in load_patients(START.date()) if p.id == "early-marrow")
        self.more: list[Json] = []

    def open_chart(self) -> dict[str, Json]:
        """The cards by topic."""
        resources = [*self.patient.resources, *self.more]
        chart = {**EMPTY, "entry": [{"resource": resource} for resource in resources]}
        patient = next(one for one in resources if one["resourceType"] == "Patient")
        call = {
            "hook": "patient-view",
            "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "context": {"userId": "Practitioner/1", "patientId": self.patient.id},
            "prefetch": {
                "patient": patient,
                "conditions": chart,
                "marrow": EMPTY,
                "blood": EMPTY,
                "csf": EMPTY,
            },
        }
        answer = self.client.post("/cds-services/all-relapse", json=call)
        assert answer.status_code == 200, answer.text
        return {card["source"]["topic"]["code"]: card for card in answer.get_json()["cards"]}

    def give(self, card: Json, reason: str = "", **changes: Any) -> TestResponse:
        """Feedback on a card, now."""
        outcome = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": self.now.isoformat()}
        if reason:
            outcome["overrideReason"] = {"reason": {"code": reason, "system": REASONS}}
        return self.client.post(FEEDBACK, json={"feedback": [{**outcome, **changes}]})

    def new_result(self) -> Json:
        """Blood blasts of yesterday."""
        before = next(one for one in self.patient.resources if "blood-blasts" in one["id"])
        quantity = {**before["valueQuantity"], "value": 31}
        return {**before, "id": "new", "effectiveDateTime": "2026-11-19", "valueQuantity": quantity}

    def wait(self, time: timedelta) -> None:
        """Time passes."""
        self.now += time

    def close(self) -> None:
        """The end of the day."""
        parts_of(self.app).close()


@pytest.fixture
def clinic(knowledge: Knowledge) -> Iterator[Clinic]:
    opened = Clinic(knowledge)
    yield opened
    opened.close()


@pytest.mark.req("O9")
def test_a_card_is_shown_until_somebody_deals_with_it(clinic: Clinic) -> None:
    first = clinic.open_chart()
    assert "allFinding" in first
    again = clinic.open_chart()
    assert {topic: card["uuid"] for topic, card in again.items()} == {
        topic: card["uuid"] for topic, card in first.items()
    }


def _override(reason: str) -> Callable[[Clinic, Json], TestResponse]:
    return lambda clinic, card: clinic.give(card, reason)


def _accept(clinic: Clinic, card: Json) -> TestResponse:
    taken = [{"id": suggestion["uuid"]} for suggestion in card.get("suggestions", [{"uuid": "none"}])]
    return clinic.give(card, outcome="accepted", acceptedSuggestions=taken)


@pytest.mark.parametrize(
    ("act", "days"),
    [
        (_override(""), 30),
        (_override("already-known"), 30),
        (_override("will-act-later"), 7),
        (_override("data-wrong"), None),
        (_accept, None),
    ],
    ids=["overridden", "already known", "will act later", "data wrong", "accepted"],
)
def test_a_card_that_was_dealt_with_is_quiet_and_comes_back(
    clinic: Clinic, act: Callable[[Clinic, Json], TestResponse], days: int | None
) -> None:
    card = clinic.open_chart()["allTrialReferral"]
    assert act(clinic, card).status_code == 200
    quiet = clinic.open_chart()
    assert "allTrialReferral" not in quiet
    assert "allFinding" in quiet
    clinic.wait((days or 1000) * DAY - timedelta(minutes=1))
    assert "allTrialReferral" not in clinic.open_chart()
    clinic.wait(timedelta(minutes=1))
    assert ("allTrialReferral" in clinic.open_chart()) is (days is not None)


@pytest.mark.parametrize("act", [_override("data-wrong"), _override("already-known"), _accept])
def test_new_evidence_brings_it_back_at_once(
    clinic: Clinic, act: Callable[[Clinic, Json], TestResponse]
) -> None:
    act(clinic, clinic.open_chart()["allFinding"])
    assert "allFinding" not in clinic.open_chart()
    clinic.more = [clinic.new_result()]
    assert "allFinding" in clinic.open_chart()


def test_snooze_days_is_a_setting(knowledge: Knowledge) -> None:
    clinic = Clinic(knowledge, snooze_days=3)
    clinic.give(clinic.open_chart()["allFinding"])
    clinic.wait(2 * DAY)
    assert "allFinding" not in clinic.open_chart()
    clinic.wait(DAY)
    assert "allFinding" in clinic.open_chart()
    clinic.close()


def test_quarantined_feedback_makes_nothing_quiet(clinic: Clinic) -> None:
    card = clinic.open_chart()["allFinding"]
    assert clinic.give({"uuid": "unknown"}).status_code == 200
    assert clinic.open_chart()["allFinding"]["uuid"] == card["uuid"]
    [event] = parts_of(clinic.app).store.feedback.read()
    assert event.status == "quarantined"


def test_an_event_knows_the_rule_version_that_made_the_card(clinic: Clinic, knowledge: Knowledge) -> None:
    card = clinic.open_chart()["allFinding"]
    clinic.give(card, "goals-of-care")
    [event] = parts_of(clinic.app).store.feedback.read()
    assert (event.card, event.topic, event.rule_version) == (card["uuid"], "allFinding", knowledge.version)
    assert event.status == "matched"


@pytest.mark.req("R4")
def test_the_audit_trail_says_that_feedback_came_and_nothing_of_it(clinic: Clinic) -> None:
    clinic.give(clinic.open_chart()["allFinding"], overrideReason={"userComment": "CANARY"})
    trail = [sealed.entry for sealed in parts_of(clinic.app).store.audit.read()]
    [entry] = [entry for entry in trail if entry.event == "feedback"]
    assert entry.fields == {"service": "all-relapse", "matched": 1, "quarantined": 0}
    assert "CANARY" not in str(trail)
    assert clinic.patient.id not in str(trail)


@pytest.mark.req("O1")
@pytest.mark.req("O2")
@pytest.mark.req("A3")
def test_the_answer_is_a_json_object_that_is_not_empty(clinic: Clinic) -> None:
    answer = clinic.give(clinic.open_chart()["allFinding"])
    assert answer.status_code == 200
    assert answer.content_type.startswith("application/json")
    assert answer.get_json() == {"received": 1}


@pytest.mark.req("O4")
def test_a_wrong_item_refuses_the_batch(clinic: Clinic) -> None:
    card = clinic.open_chart()["allFinding"]["uuid"]
    good = {"card": card, "outcome": "overridden", "outcomeTimestamp": START.isoformat()}
    answer = clinic.client.post(FEEDBACK, json={"feedback": [good, {**good, "outcome": "ignored"}]})
    assert answer.status_code == 400
    outcome = answer.get_json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"][0]["diagnostics"].startswith("feedback[1].outcome:")
    assert list(parts_of(clinic.app).store.feedback.read()) == []
    assert "allFinding" in clinic.open_chart()


def test_nothing_is_acknowledged_that_was_not_stored(clinic: Clinic) -> None:
    card = clinic.open_chart()["allFinding"]
    with parts_of(clinic.app).store._engines.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE feedback RENAME TO elsewhere")
    answer = clinic.give(card)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert answer.get_json()["resourceType"] == "OperationOutcome"


REFUSED: list[tuple[str, Json, int]] = [
    ("/cds-services/unknown/feedback", {"json": {"feedback": []}}, 404),
    (FEEDBACK, {"data": b"{", "content_type": "application/json"}, 400),
    (FEEDBACK, {"data": b"{}", "content_type": "text/plain"}, 415),
    (FEEDBACK, {"data": b"x" * 4_000_000, "content_type": "application/json"}, 413),
    (
        FEEDBACK,
        {"data": b"{}", "content_type": "application/json", "headers": {"Content-Encoding": "gzip"}},
        415,
    ),
]


@pytest.mark.parametrize(("path", "sent", "status"), REFUSED, ids=lambda part: str(part)[:40])
@pytest.mark.req("A1")
def test_what_is_no_feedback_is_refused_in_order(clinic: Clinic, path: str, sent: Json, status: int) -> None:
    answer = clinic.client.post(path, **sent)
    assert answer.status_code == status
    assert json.loads(answer.data)["resourceType"] == "OperationOutcome"


def test_only_post_is_answered(clinic: Clinic) -> None:
    assert clinic.client.get(FEEDBACK).status_code == 405


def test_two_slashes_reach_the_same_place(clinic: Clinic) -> None:
    body = {"feedback": [{"card": "x", "outcome": "overridden", "outcomeTimestamp": START.isoformat()}]}
    assert clinic.client.post("/cds-services//all-relapse/feedback", json=body).status_code == 200
