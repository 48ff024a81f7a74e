"""The audit trail: what is done to it behind the service's back shows; what the service does does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, insert, select, update

from cds_service.store import AuditEntry, Store, open_store
from cds_service.store.audit_chain import PURGED, START, AuditReport, SealedEntry, Seals, verify
from cds_service.store.tables import audit

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SECRET = b"a secret that the database does not hold"
OTHER = b"the secret of somebody else, or of last year"


def entries(*cards: int) -> list[AuditEntry]:
    return [AuditEntry(AT + n * DAY, "evaluated", "general", {"cards": n, "code": 200}) for n in cards]


@pytest.fixture
def sealed_store(database_url: str) -> Iterator[Store]:
    opened = open_store(database_url, audit_secret=SECRET)
    yield opened
    opened.close()


def behind_its_back(store: Store, change: Callable[[Connection], object]) -> AuditReport:
    with store._engines.writing() as connection:
        change(connection)
    return store.audit.verify()


def reasons(report: AuditReport) -> list[tuple[int, str]]:
    return [(one.id, one.reason) for one in report.breaks]


def test_the_audit_trail_is_a_chain(store: Store) -> None:
    store.audit.append(entries(1, 2))
    store.audit.append([])
    store.audit.append(entries(3))
    assert [sealed.entry for sealed in store.audit.read()] == entries(1, 2, 3)
    assert [sealed.entry for sealed in store.audit.read(AT + 2 * DAY)] == entries(2, 3)
    report = store.audit.verify()
    assert (report.holds, report.entries, report.keyed) == (True, 3, 0)
    assert (3, report.head) == store.audit.head()


def test_an_empty_trail_holds(sealed_store: Store) -> None:
    assert sealed_store.audit.verify().holds
    assert sealed_store.audit.head() == (0, "")


def test_a_trail_sealed_with_a_key_holds(sealed_store: Store) -> None:
    sealed_store.audit.append(entries(1, 2, 3))
    report = sealed_store.audit.verify()
    assert (report.holds, report.keyed) == (True, 3)


@pytest.mark.parametrize(
    "values",
    [
        {"tenant": "other"},
        {"event": "nothing"},
        {"fields": '{"cards":0,"code":200}'},
        {"at": AT - DAY},
        {"digest": "0" * 64},
        {"previous": "0" * 64},
    ],
    ids=lambda values: next(iter(values)),
)
def test_a_changed_entry_shows(sealed_store: Store, values: dict[str, object]) -> None:
    sealed_store.audit.append(entries(1, 2, 3))
    change = update(audit).where(audit.c.id == 2).values(values)
    report = behind_its_back(sealed_store, lambda connection: connection.execute(change))
    assert not report.holds
    assert report.breaks[0].id == 2


def test_a_removed_entry_shows(sealed_store: Store) -> None:
    sealed_store.audit.append(entries(1, 2, 3))
    removal = audit.delete().where(audit.c.id == 2)
    report = behind_its_back(sealed_store, lambda connection: connection.execute(removal))
    assert reasons(report) == [(3, "row-before-missing")]


def test_two_entries_that_changed_places_show(sealed_store: Store) -> None:
    sealed_store.audit.append(entries(1, 2, 3))

    def swap(connection: Connection) -> None:
        for before, after in ((2, 99), (3, 2), (99, 3)):
            connection.execute(update(audit).where(audit.c.id == before).values(id=after))

    assert not behind_its_back(sealed_store, swap).holds


def test_whoever_can_write_but_has_no_key_cannot_seal_anew(sealed_store: Store) -> None:
    """Without a key the same forgery passes: that is what the key is for."""
    sealed_store.audit.append(entries(1, 2, 3))

    def forge(connection: Connection) -> None:
        rows = list(connection.execute(select(audit).order_by(audit.c.id)).mappings())
        connection.execute(audit.delete())
        seals, previous = Seals(), START
        for row in rows:
            entry = AuditEntry(row["at"], row["event"], "somebody else", {})
            digest = seals.make(entry, previous)
            values = {**row, "tenant": entry.tenant, "fields": "{}", "previous": previous, "digest": digest}
            connection.execute(insert(audit).values(values))
            previous = digest

    report = behind_its_back(sealed_store, forge)
    assert reasons(report) == [(3, "sealed-without-key")]
    assert sealed_store.audit.verify(Seals()).holds


def test_entries_added_without_the_key_show(sealed_store: Store) -> None:
    sealed_store.audit.append(entries(1))
    last = sealed_store.audit.head()[1]
    added = entries(2)[0]
    row = {"at": added.at, "event": added.event, "tenant": added.tenant, "fields": '{"cards":2,"code":200}'}
    values = {**row, "previous": last, "digest": Seals().make(added, last)}
    report = behind_its_back(
        sealed_store, lambda connection: connection.execute(insert(audit).values(values))
    )
    assert reasons(report) == [(2, "sealed-without-key")]


def test_a_removed_end_shows_against_a_seal_kept_elsewhere(sealed_store: Store) -> None:
    sealed_store.audit.append(entries(1, 2, 3))
    head = sealed_store.audit.head()[1]
    assert sealed_store.audit.verify(head=head).holds
    with sealed_store._engines.writing() as connection:
        connection.execute(audit.delete().where(audit.c.id == 3))
    assert sealed_store.audit.verify().holds
    report = sealed_store.audit.verify(head=head)
    assert (report.holds, report.head_found) == (False, False)


def test_a_removed_beginning_shows(sealed_store: Store) -> None:
    sealed_store.audit.append(entries(1, 2, 3))
    removal = audit.delete().where(audit.c.id == 1)
    report = behind_its_back(sealed_store, lambda connection: connection.execute(removal))
    assert reasons(report) == [(2, "beginning-missing")]


def test_what_the_service_itself_forgot_is_no_gap(sealed_store: Store) -> None:
    sealed_store.audit.append(entries(1, 2, 3))
    assert sealed_store.audit.purge(AT + 30 * DAY, AT + 31 * DAY) == 2
    sealed_store.audit.append(entries(40))
    assert sealed_store.audit.verify().holds
    events = [sealed.entry.event for sealed in sealed_store.audit.read()]
    assert events == ["evaluated", PURGED, "evaluated"]
    assert sealed_store.audit.purge(AT + 50 * DAY, AT + 51 * DAY) == 2
    assert sealed_store.audit.verify().holds


def test_more_taken_from_the_front_than_was_forgotten_shows(sealed_store: Store) -> None:
    sealed_store.audit.append(entries(1, 2, 3, 4))
    sealed_store.audit.purge(AT + 3 * DAY, AT + 4 * DAY)
    removal = audit.delete().where(audit.c.id == 3)
    report = behind_its_back(sealed_store, lambda connection: connection.execute(removal))
    assert reasons(report) == [(4, "beginning-missing")]


def test_an_old_entry_behind_a_newer_one_is_not_cut_out_of_the_chain(store: Store) -> None:
    """Workers write in batches, so entries do not stand in the order of their moments."""
    store.audit.append(entries(1, 30, 2, 31))
    assert store.audit.purge(AT + 10 * DAY, AT + 40 * DAY) == 1
    assert store.audit.verify().holds


def test_the_newest_entry_is_never_forgotten(store: Store) -> None:
    store.audit.append(entries(1))
    assert store.audit.purge(AT + 10 * DAY, AT + 40 * DAY) == 0
    assert store.audit.purge(AT - DAY, AT) == 0
    assert [sealed.entry.event for sealed in store.audit.read()] == ["evaluated"]


def test_a_new_secret_goes_on_with_the_same_chain(database_url: str) -> None:
    for number, secret in ((1, None), (2, OTHER), (3, SECRET)):
        store = open_store(database_url, audit_secret=secret)
        store.audit.append(entries(number))
        store.close()
    store = open_store(database_url, audit_secret=SECRET)
    assert reasons(store.audit.verify()) == [(2, "unknown-key")]
    report = store.audit.verify(Seals(SECRET, OTHER))
    assert (report.holds, report.keyed, report.entries) == (True, 2, 3)
    store.close()


def test_a_worker_that_knows_no_key_yet_is_allowed_for_a_time(database_url: str) -> None:
    """A rolling upgrade: workers of before and after write to one trail."""
    old, new = open_store(database_url), open_store(database_url, audit_secret=SECRET)
    old.audit.append(entries(1))
    new.audit.append(entries(2))
    old.audit.append(entries(3))
    new.audit.append(entries(4))
    assert reasons(new.audit.verify()) == [(3, "sealed-without-key")]
    assert new.audit.verify(unkeyed_until=AT + 3 * DAY).holds
    assert not new.audit.verify(unkeyed_until=AT + 2 * DAY).holds
    old.close()
    new.close()


def test_a_trail_that_an_earlier_version_purged_may_begin_in_the_middle() -> None:
    entry = entries(1)[0]
    seals, before = Seals(), "f" * 64
    assert verify([SealedEntry(7, entry, before, seals.make(entry, before))], seals).holds


def test_a_long_broken_trail_is_counted_and_not_listed(store: Store) -> None:
    store.audit.append(entries(*range(1, 60)))
    change = update(audit).values(tenant="other")
    report = behind_its_back(store, lambda connection: connection.execute(change))
    assert (report.broken, len(report.breaks)) == (59, 20)
