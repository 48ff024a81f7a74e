"""What is kept of a call, and when: cards before they are sent, the trail soon after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from flask import Flask

from cds_service.app_state import parts_of
from cds_service.evaluation.audit_trail import MOST_WAITING, Answered, Recorder
from cds_service.store import Store, StoreUnavailable, open_store
from fhir_mappings.assess import Knowledge
from tests.cds_service.charts import EMPTY, FHIR_SERVER, SNOMED, bundle, condition, patient, request

AT = datetime(2024, 6, 4, 12, tzinfo=UTC)
CALL = Answered(
    at=AT,
    tenant="general",
    service="all-relapse",
    instance="d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    issuer="https://ehr.example.org",
    jti="j1",
    status="none",
    incomplete=False,
    rule_version="1",
    digest="sha256:0",
    cards=(),
    from_server=0,
    milliseconds=3.0,
)


@pytest.fixture
def store() -> Iterator[Store]:
    opened = open_store("sqlite://")
    yield opened
    opened.close()


@pytest.fixture
def recorder(store: Store, knowledge: Knowledge) -> Iterator[Recorder]:
    made = Recorder(store, knowledge)
    yield made
    made.close()


def relapse() -> dict[str, Any]:
    """A chart whose problem list states relapsed ALL."""
    coded = condition("12301000132103", "Acute lymphoid leukaemia relapse", onset="2024-06-01")
    assert coded["code"]["coding"][0]["system"] == SNOMED
    chart = {"patient": patient(), "conditions": bundle(coded)}
    return request({**chart, "marrow": EMPTY, "blood": EMPTY, "csf": EMPTY}, fhirServer=FHIR_SERVER)


def test_calls_are_counted_and_sealed(recorder: Recorder, store: Store) -> None:
    recorder.answered(CALL)
    recorder.answered(replace(CALL, cards=("a", "b")))
    recorder.flush()
    (firing,) = list(store.firings.read())
    assert (firing.calls, firing.calls_with_cards) == (2, 1)
    entries = [sealed.entry for sealed in store.audit.read()]
    assert [entry.fields.get("cards", "") for entry in entries] == ["", "a b"]
    assert entries[0].fields["jti"] == "j1"
    assert store.audit.verify().holds


def test_what_waits_is_written_at_the_end(store: Store, knowledge: Knowledge) -> None:
    recorder = Recorder(store, knowledge)
    recorder.answered(CALL)
    recorder.close()
    assert len(list(store.audit.read())) == 1


def test_what_cannot_be_written_waits(
    recorder: Recorder, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise StoreUnavailable("testing", "down")

    with monkeypatch.context() as patched:
        patched.setattr(store.firings, "add", fail)
        recorder.answered(CALL)
        recorder.flush()
        assert list(store.audit.read()) == []
    recorder.flush()
    assert len(list(store.audit.read())) == 1


def test_the_waiting_line_is_bounded(recorder: Recorder, store: Store) -> None:
    for _ in range(MOST_WAITING + 5):
        recorder.answered(CALL)
    recorder.flush()
    assert sum(firing.calls for firing in store.firings.read()) <= MOST_WAITING + 5
    assert len(recorder._waiting) == 0


def test_shown_cards_can_be_found_for_feedback(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    response = app.test_client().post(
        "/cds-services/all-relapse", data=orjson.dumps(relapse()), content_type="application/json"
    )
    assert response.status_code == 200
    assert response.json is not None
    cards = response.json["cards"]
    assert cards
    shown = parts_of(app).store.evaluations.find("general", [card["uuid"] for card in cards])
    assert shown.keys() == {card["uuid"] for card in cards}
    for card in cards:
        kept = shown[card["uuid"]]
        assert kept.topic == card["source"]["topic"]["code"]
        assert kept.patient != "p1"
        assert kept.suggestions.keys() == {item["uuid"] for item in card.get("suggestions", ())}
        assert all(kept.suggestions.values())


def test_cards_that_cannot_be_kept_are_not_sent(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()

    def fail(_: object) -> None:
        raise StoreUnavailable("testing", "down")

    monkeypatch.setattr(parts_of(app).store.evaluations, "record", fail)
    response = app.test_client().post(
        "/cds-services/all-relapse", data=orjson.dumps(relapse()), content_type="application/json"
    )
    assert response.status_code == 503
    assert response.headers["Retry-After"]


def test_where_quiet_cannot_be_read_the_card_is_shown(
    recorder: Recorder, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StoreUnavailable("testing", "down")

    monkeypatch.setattr(store.quiet, "rules", fail)
    assert recorder.quiet("general", "p1", AT + timedelta(days=1))("allFinding", "key") is False
