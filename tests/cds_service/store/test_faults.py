"""What can befall a database file: full, locked, cut off, copied in use. Nothing acknowledged is lost."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cds_service.store import FeedbackEvent, Store, StoreUnavailable, engines, open_store

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
EVENT = FeedbackEvent(
    tenant="general",
    service="all-relapse",
    card="card",
    topic="allFinding",
    rule_version="1",
    outcome="overridden",
    suggestion="",
    reason_code="",
    reason_system="",
    reason_display="",
    comment="",
    outcome_at=AT,
    received_at=AT,
    status="matched",
)


def event(number: int, comment: str = "") -> FeedbackEvent:
    return replace(EVENT, outcome_at=AT + timedelta(seconds=number), comment=comment)


def times(store: Store) -> list[int]:
    return sorted(round((kept.outcome_at - AT).total_seconds()) for kept in store.feedback.read())


def test_a_full_disk_acknowledges_nothing_and_keeps_what_it_has(sqlite_store: Store) -> None:
    sqlite_store.feedback.add([event(1)])
    with sqlite_store._engines.writing() as connection:
        pages = int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable) as caught:
        sqlite_store.feedback.add([event(2), event(3, "x" * 100_000)])
    assert caught.value.kind == "SQLITE_FULL"
    assert times(sqlite_store) == [1]
    with sqlite_store._engines.writing() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    sqlite_store.feedback.add([event(2), event(3, "x" * 100_000)])
    assert times(sqlite_store) == [1, 2, 3]


def test_a_file_that_is_locked_from_outside_acknowledges_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_MS", 20)
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for work in (
            lambda: store.feedback.add([event(1)]),
            lambda: store.replay.is_first_use("iss", "jti", AT, AT),
            store.check_writable,
        ):
            with pytest.raises(StoreUnavailable) as caught:
                work()
            assert caught.value.kind == "SQLITE_BUSY"
        other.execute("ROLLBACK")
    store.feedback.add([event(1)])
    assert times(store) == [1]
    store.close()


def test_a_file_that_may_only_be_read_acknowledges_nothing(sqlite_store: Store) -> None:
    with sqlite_store._engines.durable.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = on")
    with pytest.raises(StoreUnavailable) as caught:
        sqlite_store.feedback.add([event(1)])
    assert caught.value.kind == "SQLITE_READONLY"


@pytest.mark.parametrize("tail", [b"\0" * 5_000, b"\xff" * 4_120, b"half a frame"])
def test_a_log_that_ends_in_rubbish_keeps_what_was_committed(tmp_path: Path, tail: bytes) -> None:
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    for number in range(20):
        store.feedback.add([event(number)])
    # As after a loss of power: the files as they lie, the last write half done.
    after = tmp_path / "after"
    after.mkdir()
    for name in ("store.db", "store.db-wal"):
        shutil.copy(tmp_path / name, after)
    with (after / "store.db-wal").open("ab") as log:
        log.write(tail)
    store.close()
    again = open_store(f"sqlite:///{after}/store.db")
    assert times(again) == list(range(20))
    again.feedback.add([event(20)])
    assert times(again) == list(range(21))
    again.close()


def test_a_backup_of_a_store_in_use_can_be_restored(sqlite_store: Store, tmp_path: Path) -> None:
    sqlite_store.feedback.add([event(1)])
    pseudonym = sqlite_store.pseudonym("general", "p1")
    with closing(sqlite3.connect(tmp_path / "store.db")) as source:
        with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
            source.backup(copy)
    sqlite_store.feedback.add([event(2)])
    restored = open_store(f"sqlite:///{tmp_path}/copy.db")
    assert times(restored) == [1]
    assert restored.pseudonym("general", "p1") == pseudonym
    restored.close()


def test_a_clock_that_goes_back_neither_loses_nor_doubles(sqlite_store: Store) -> None:
    sqlite_store.feedback.add([event(1)])
    sqlite_store.feedback.add([replace(event(2), received_at=AT - timedelta(days=1))])
    sqlite_store.feedback.add([event(1), event(2)])
    assert times(sqlite_store) == [1, 2]
    later = AT + timedelta(hours=1)
    assert sqlite_store.replay.is_first_use("iss", "jti", later, AT)
    assert not sqlite_store.replay.is_first_use("iss", "jti", later, AT - timedelta(minutes=30))
