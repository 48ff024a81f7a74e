"""What becomes of a batch: rows, quarantine, and quiet cards. On both databases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from cds_service.feedback import QuietTimes, Received, receive
from cds_service.store import FeedbackEvent, ShownCard, Store, StoreUnavailable
from cds_service.wire.feedback import read_feedback
from tests.cds_service.feedback.bodies import (
    AT,
    CARD,
    EPIC,
    OTHER_CARD,
    REASONS,
    SUGGESTION,
    Json,
    accepted,
    because,
    body,
    item,
)

DAY = timedelta(days=1)
SNOOZE = 30


@dataclass(frozen=True)
class Reason:
    """An override reason as the knowledge has it."""

    code: str
    quiet: str
    quiet_days: int = 0
    system: str = REASONS


TIMES = QuietTimes.of(
    SNOOZE,
    [
        Reason("already-known", "snooze"),
        Reason("will-act-later", "days", 7),
        Reason("data-wrong", "evidence"),
    ],
)
SHOWN = ShownCard(
    tenant="general",
    card=CARD,
    service="all-relapse",
    topic="allFinding",
    rule_version="2026.1",
    digest="sha256:00",
    evidence_key="e1",
    patient="p1",
    at=AT - DAY,
    suggestions={SUGGESTION: "trial-referral"},
)


@pytest.fixture(autouse=True)
def _shown(store: Store) -> None:
    store.evaluations.record([SHOWN, replace(SHOWN, card=OTHER_CARD, topic="allMrd", tenant="clinic")])


def give(
    store: Store,
    *items: Json,
    tenant: str | None = "general",
    at: datetime = AT,
    service: str = "all-relapse",
) -> Received:
    return receive(store, read_feedback(body(*items), at), tenant=tenant, service=service, at=at, times=TIMES)


def rows(store: Store) -> list[FeedbackEvent]:
    return list(store.feedback.read())


def test_an_overridden_card_becomes_one_row_with_all_we_know(store: Store) -> None:
    reason = {**because("already-known", display="Already known"), "userComment": "on protocol"}
    assert give(store, item(overrideReason=reason)) == Received(new=1, matched=1, quarantined=0)
    assert rows(store) == [
        FeedbackEvent(
            tenant="general",
            service="all-relapse",
            card=CARD,
            topic="allFinding",
            rule_version="2026.1",
            outcome="overridden",
            suggestion="",
            reason_code="already-known",
            reason_system=REASONS,
            reason_display="Already known",
            comment="on protocol",
            outcome_at=datetime(2026, 11, 20, 9, 29, 30, tzinfo=UTC),
            received_at=AT,
            status="matched",
        )
    ]


def test_an_accepted_card_becomes_one_row_a_suggestion(store: Store) -> None:
    assert give(store, accepted("s1", "s2")).new == 2
    assert [(row.outcome, row.suggestion) for row in rows(store)] == [("accepted", "s1"), ("accepted", "s2")]


@pytest.mark.req("O8")
def test_a_repetition_is_stored_once(store: Store) -> None:
    batch = [item(), accepted("s1", "s2")]
    assert give(store, *batch).new == 3
    assert give(store, *reversed(batch), at=AT + DAY).new == 0
    assert give(store, *batch, *batch).new == 0
    assert len(rows(store)) == 3


@pytest.mark.req("O8")
def test_distinct_outcomes_of_one_card_are_all_kept(store: Store) -> None:
    give(store, item(), item(outcomeTimestamp="2026-11-20T09:29:31Z"), accepted())
    assert len(rows(store)) == 3


@pytest.mark.req("O3")
def test_an_unknown_card_is_quarantined(store: Store) -> None:
    assert give(store, item(card="123456"), item()) == Received(new=2, matched=1, quarantined=1)
    assert [(row.card, row.status, row.topic) for row in rows(store)] == [
        ("123456", "quarantined", ""),
        (CARD, "matched", "allFinding"),
    ]


def test_a_card_of_another_tenant_is_quarantined_and_stays_loud(store: Store) -> None:
    assert give(store, item(card=OTHER_CARD)) == Received(new=1, matched=0, quarantined=1)
    assert [(row.tenant, row.status) for row in rows(store)] == [("general", "quarantined")]
    assert store.quiet.rules("clinic", "p1") == {}
    assert store.quiet.rules("general", "p1") == {}


def test_without_a_token_the_card_itself_names_its_tenant(store: Store) -> None:
    give(store, item(card=OTHER_CARD), item(card="unknown"), tenant=None)
    assert [(row.tenant, row.status) for row in rows(store)] == [
        ("clinic", "matched"),
        ("none", "quarantined"),
    ]


def test_the_service_that_was_told_is_kept(store: Store) -> None:
    give(store, item(), service="all-relapse-encounter-start")
    assert rows(store)[0].service == "all-relapse-encounter-start"


def test_epics_reason_and_comment_reach_the_row(store: Store) -> None:
    extension = {EPIC + "reasonCategory": "12", EPIC + "reasonDisplay": "Known"}
    give(store, item(overrideReasons={"extension": extension, "userComment": "x"}))
    row = rows(store)[0]
    assert (row.reason_code, row.reason_display, row.comment) == ("12", "Known", "x")


def test_a_reason_beside_an_acceptance_is_dropped(store: Store) -> None:
    give(store, accepted(overrideReason=because("already-known")))
    assert rows(store)[0].reason_code == ""


def test_nothing_is_stored_when_the_store_fails(store: Store) -> None:
    with store._engines.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE quiet RENAME TO elsewhere")
    with pytest.raises(StoreUnavailable):
        give(store, item(card="unknown"), item())
    assert rows(store) == []


def is_quiet(store: Store, at: datetime, evidence: str = "e1") -> bool:
    return store.quiet.is_quiet("general", "p1", "allFinding", evidence, at)


QUIET: list[tuple[str, Json, int | None]] = [
    ("overridden without a reason", item(), SNOOZE),
    ("already known", item(overrideReason=because("already-known")), SNOOZE),
    ("a reason we do not know", item(overrideReason=because("made-up")), SNOOZE),
    (
        "our code in another system",
        item(overrideReason={"reason": {"code": "data-wrong", "system": "urn:x"}}),
        SNOOZE,
    ),
    ("a comment alone", item(overrideReason={"userComment": "data-wrong"}), SNOOZE),
    ("will act later", item(overrideReason=because("will-act-later")), 7),
    ("will act later, without a system", item(overrideReason={"reason": {"code": "will-act-later"}}), 7),
    ("will act later, as Epic sends it", item(overrideReasons=because("will-act-later")), 7),
    ("the data are wrong", item(overrideReason=because("data-wrong")), None),
    ("accepted", accepted(), None),
]


@pytest.mark.parametrize(("name", "given", "days"), QUIET, ids=[case[0] for case in QUIET])
@pytest.mark.req("L3")
def test_how_long_a_card_stays_away(store: Store, name: str, given: Json, days: int | None) -> None:
    outcome_at = datetime(2026, 11, 20, 9, 29, 30, tzinfo=UTC)
    give(store, given)
    assert is_quiet(store, AT)
    assert not is_quiet(store, AT, evidence="e2")
    if days is None:
        assert is_quiet(store, AT + 3000 * DAY)
    else:
        assert is_quiet(store, outcome_at + days * DAY - timedelta(seconds=1))
        assert not is_quiet(store, outcome_at + days * DAY)


def test_another_topic_or_patient_stays_loud(store: Store) -> None:
    give(store, item())
    assert not store.quiet.is_quiet("general", "p1", "allMrd", "e1", AT)
    assert not store.quiet.is_quiet("general", "p2", "allFinding", "e1", AT)
    assert not store.quiet.is_quiet("clinic", "p1", "allFinding", "e1", AT)


def _later(reason: str) -> Iterable[Json]:
    yield item(overrideReason=because("already-known"))
    yield item(overrideReason=because(reason), outcomeTimestamp="2026-11-20T09:29:40Z")


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("together", [False, True])
def test_the_users_last_action_counts_in_whatever_order_it_arrives(
    store: Store, backwards: bool, together: bool
) -> None:
    actions = list(_later("will-act-later"))
    if backwards:
        actions.reverse()
    for batch in [actions] if together else [[action] for action in actions]:
        give(store, *batch)
    assert is_quiet(store, AT + 6 * DAY)
    assert not is_quiet(store, AT + 8 * DAY)


def test_without_a_snooze_an_overridden_card_comes_back_at_once(store: Store) -> None:
    times = QuietTimes.of(0, [])
    items = read_feedback(body(item()), AT)
    receive(store, items, tenant="general", service="all-relapse", at=AT, times=times)
    assert not is_quiet(store, AT)
