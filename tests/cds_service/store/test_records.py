"""What the store keeps of cards, quiet rules, audit and counts, and what it forgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select

from cds_service.store import AuditEntry, Call, FeedbackEvent, QuietRule, ShownCard, Store, open_store
from cds_service.store.tables import metadata

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
CARD = ShownCard(
    tenant="general",
    card="1f0c0a86-8f7a-5d6e-9a51-1f3f0b9f4b01",
    service="all-relapse",
    topic="allFinding",
    rule_version="2026.1",
    digest="sha256:00",
    evidence_key="e1",
    patient="p1",
    at=AT,
    suggestions={"s1": "trial-referral"},
)
EVENT = FeedbackEvent(
    tenant="general",
    service="all-relapse",
    card=CARD.card,
    topic="allFinding",
    rule_version="2026.1",
    outcome="overridden",
    suggestion="",
    reason_code="already-known",
    reason_system="",
    reason_display="",
    comment="",
    outcome_at=AT,
    received_at=AT + timedelta(seconds=2),
    status="matched",
)
RULE = QuietRule("general", "p1", "allFinding", "e1", AT, AT + 30 * DAY)


def test_a_shown_card_is_found_again(store: Store) -> None:
    store.evaluations.record([CARD])
    assert store.evaluations.find("general", [CARD.card, "other"]) == {CARD.card: CARD}


def test_another_tenant_does_not_find_it(store: Store) -> None:
    store.evaluations.record([CARD])
    assert store.evaluations.find("other", [CARD.card]) == {}


def test_without_a_tenant_a_card_is_found_unless_two_tenants_were_shown_it(store: Store) -> None:
    store.evaluations.record([CARD])
    assert store.evaluations.find(None, [CARD.card]) == {CARD.card: CARD}
    store.evaluations.record([replace(CARD, tenant="other")])
    assert store.evaluations.find(None, [CARD.card]) == {}


def test_a_card_that_is_shown_again_stays_as_it_was(store: Store) -> None:
    store.evaluations.record([CARD])
    store.evaluations.record([replace(CARD, at=AT + DAY), replace(CARD, card="second")])
    assert store.evaluations.find("general", [CARD.card, "second"]) == {
        CARD.card: CARD,
        "second": replace(CARD, card="second"),
    }


def test_recording_no_cards_needs_no_database() -> None:
    store = open_store("sqlite://")
    store.close()
    store.evaluations.record([])


def test_a_moment_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(Exception, match=r"time zone|store unavailable"):
        store.evaluations.record([replace(CARD, at=AT.replace(tzinfo=None))])


def test_moments_come_back_in_utc_to_the_microsecond(store: Store) -> None:
    local = datetime(2026, 3, 29, 1, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=-5)))
    store.evaluations.record([replace(CARD, at=local)])
    found = store.evaluations.find("general", [CARD.card])[CARD.card].at
    assert found == local
    assert found.utcoffset() == timedelta(0)


def test_an_event_is_stored_once(store: Store) -> None:
    assert store.feedback.add([EVENT, EVENT]) == 1
    assert store.feedback.add([replace(EVENT, received_at=AT + DAY)]) == 0
    assert list(store.feedback.read()) == [EVENT]


@pytest.mark.parametrize(
    "other",
    [
        {"tenant": "other"},
        {"card": "other"},
        {"outcome": "accepted"},
        {"outcome_at": AT + timedelta(microseconds=1)},
        {"suggestion": "s1"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_events_that_differ_in_what_makes_them_distinct_are_all_kept(
    store: Store, other: dict[str, object]
) -> None:
    assert store.feedback.add([EVENT, replace(EVENT, **other)]) == 2  # type: ignore[arg-type]


def test_a_batch_is_stored_as_a_whole_or_not_at_all(store: Store) -> None:
    broken = replace(EVENT, card=None)  # type: ignore[arg-type]
    with pytest.raises(Exception, match="store unavailable"):
        store.feedback.add([EVENT, broken], [RULE])
    assert list(store.feedback.read()) == []
    assert store.quiet.rules("general", "p1") == {}


def test_feedback_is_read_since_a_moment_oldest_first(store: Store) -> None:
    events = [replace(EVENT, card=str(n), received_at=AT + n * DAY) for n in (3, 1, 2)]
    store.feedback.add(events)
    assert [event.card for event in store.feedback.read(AT + 2 * DAY)] == ["2", "3"]


IS_QUIET: list[tuple[str, QuietRule, str, datetime, bool]] = [
    ("before the snooze is over", RULE, "e1", AT + 29 * DAY, True),
    ("at the moment the snooze is over", RULE, "e1", AT + 30 * DAY, False),
    ("after the snooze", RULE, "e1", AT + 31 * DAY, False),
    ("new evidence within the snooze", RULE, "e2", AT + DAY, False),
    ("no end: years later", replace(RULE, until=None), "e1", AT + 2000 * DAY, True),
    ("no end, new evidence", replace(RULE, until=None), "e2", AT + DAY, False),
    ("another topic", replace(RULE, topic="allMrd"), "e1", AT + DAY, False),
    ("another patient", replace(RULE, patient="p2"), "e1", AT + DAY, False),
    ("another tenant", replace(RULE, tenant="other"), "e1", AT + DAY, False),
]


@pytest.mark.parametrize(
    ("rule", "evidence", "at", "expected"),
    [case[1:] for case in IS_QUIET],
    ids=[case[0] for case in IS_QUIET],
)
def test_a_topic_is_quiet(store: Store, rule: QuietRule, evidence: str, at: datetime, expected: bool) -> None:
    store.feedback.add([], [rule])
    assert store.quiet.is_quiet("general", "p1", "allFinding", evidence, at) is expected


def test_nothing_is_quiet_before_anybody_said_so(store: Store) -> None:
    assert not store.quiet.is_quiet("general", "p1", "allFinding", "e1", AT)


@pytest.mark.parametrize("order", [list, lambda rules: list(reversed(rules))], ids=["in order", "reversed"])
def test_the_later_action_counts_whatever_arrives_first(
    store: Store, order: Callable[[list[QuietRule]], list[QuietRule]]
) -> None:
    later = replace(RULE, since=AT + DAY, until=None)
    for rule in order([RULE, later]):
        store.feedback.add([], [rule])
    assert store.quiet.rules("general", "p1") == {"allFinding": later}


def test_pseudonyms_hide_the_id_and_differ_between_tenants(store: Store) -> None:
    first = store.pseudonym("a", "CANARY-patient")
    assert first == store.pseudonym("a", "CANARY-patient")
    assert first != store.pseudonym("b", "CANARY-patient")
    assert first != store.pseudonym("a", "CANARY-patient2")
    assert len(first) == 64
    assert "CANARY" not in first


def test_with_a_configured_secret_the_database_keeps_no_key(database_url: str) -> None:
    stores = [open_store(database_url, secret) for secret in (b"one" * 16, b"one" * 16, b"two" * 16)]
    names = [store.pseudonym("a", "1") for store in stores]
    assert names[0] == names[1] != names[2]
    with stores[0]._engines.reading() as connection:
        assert connection.execute(select(metadata.tables["pseudonym_keys"])).all() == []
    for store in stores:
        store.close()


def test_calls_are_counted_by_day_version_status_and_time(store: Store) -> None:
    call = Call(AT, "general", "all-relapse", "2026.1", "none", False, 24.9, 0)
    store.firings.add([call, call, replace(call, cards=2), replace(call, latency_ms=7000.0)])
    store.firings.add([call, replace(call, incomplete=True)])
    store.firings.add([])
    rows = list(store.firings.read())
    counts = {(row.incomplete, row.latency_ms): (row.calls, row.calls_with_cards) for row in rows}
    assert counts == {(False, 25): (4, 1), (False, 60_000): (1, 0), (True, 25): (1, 0)}
    assert {row.day for row in rows} == {"2026-11-20"}


def test_what_is_older_than_the_retention_is_forgotten(store: Store) -> None:
    old, new = AT - 31 * DAY, AT - 29 * DAY
    store.evaluations.record([replace(CARD, card="old", at=old), replace(CARD, card="new", at=new)])
    store.feedback.add(
        [replace(EVENT, card="old", received_at=old), replace(EVENT, card="new", received_at=new)],
        [
            replace(RULE, topic="old", since=old, until=None),
            replace(RULE, topic="over", since=new, until=AT),
            replace(RULE, topic="new", since=new, until=None),
        ],
    )
    store.audit.append([AuditEntry(old, "x", "", {}), AuditEntry(new, "x", "", {})])
    assert store.purge(AT, 30 * DAY) == 5
    assert store.evaluations.find("general", ["old", "new"]).keys() == {"new"}
    assert [event.card for event in store.feedback.read()] == ["new"]
    assert store.quiet.rules("general", "p1").keys() == {"new"}
    assert [sealed.entry.at for sealed in store.audit.read() if sealed.entry.event == "x"] == [new]


def test_a_store_with_a_retention_forgets_by_itself_once_an_hour(database_url: str) -> None:
    store = open_store(database_url, retention=30 * DAY)
    store.feedback.add([EVENT])
    assert store.purge_if_due(AT + DAY) == 0
    assert store.purge_if_due(AT + 31 * DAY) == 1
    store.feedback.add([EVENT])
    assert store.purge_if_due(AT + 31 * DAY + timedelta(minutes=59)) == 0
    assert store.purge_if_due(AT + 31 * DAY + timedelta(minutes=60)) == 1
    store.close()


def test_a_store_without_a_retention_forgets_nothing_by_itself(store: Store) -> None:
    store.feedback.add([EVENT])
    assert store.purge_if_due(AT + 10_000 * DAY) == 0
