"""How a store is opened, what it refuses, and how it survives forks."""

from __future__ import annotations

import os
import sqlite3
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cds_service.store import Store, StoreMisconfigured, StoreUnavailable, open_store
from cds_service.store.engines import CHECKPOINT_EVERY

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def test_a_store_can_be_written_after_opening(store: Store) -> None:
    store.check_writable()


def test_a_store_keeps_what_it_was_told_when_it_is_opened_again(database_url: str) -> None:
    first = open_store(database_url)
    assert first.replay.is_first_use("iss", "jti", AT + timedelta(hours=1), AT)
    pseudonym = first.pseudonym("a", "1")
    first.close()
    again = open_store(database_url)
    assert not again.replay.is_first_use("iss", "jti", AT + timedelta(hours=1), AT)
    assert again.pseudonym("a", "1") == pseudonym
    again.close()


@pytest.mark.parametrize("url", ["", "relapse.db", "mysql://host/db", "sqlite+aiosqlite:///x", "://"])
def test_a_url_that_names_no_supported_database_is_refused_with_a_remedy(url: str) -> None:
    with pytest.raises(StoreMisconfigured, match=r"write sqlite:///"):
        open_store(url)


def test_an_unreachable_database_is_unavailable_and_its_password_stays_unsaid(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        open_store(f"postgresql+psycopg://user:CANARY-password@/db?host={tmp_path}")
    assert "CANARY" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_directory_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="opening it"):
        open_store(f"sqlite:///{tmp_path}/missing/store.db")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_store_in_memory_is_shared_by_threads_and_gone_when_closed(url: str) -> None:
    store = open_store(url)
    assert store.replay.is_first_use("iss", "jti", AT, AT)
    store.close()
    again = open_store(url)
    assert again.replay.is_first_use("iss", "jti", AT, AT)
    again.close()


def test_sqlite_writes_ahead_and_waits_for_the_disk(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    with store._engines.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5000
    store.close()


def test_sqlites_log_is_copied_back_while_nobody_can_commit(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    log = tmp_path / "store.db-wal"
    with store._engines.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar() == 0
    for number in range(3 * CHECKPOINT_EVERY):
        assert store.replay.is_first_use("iss", str(number), AT + timedelta(hours=1), AT)
    size = log.stat().st_size
    for number in range(3 * CHECKPOINT_EVERY):
        assert store.replay.is_first_use("iss", f"again-{number}", AT + timedelta(hours=1), AT)
    assert log.stat().st_size < 2 * size
    with sqlite3.connect(tmp_path / "store.db") as other:
        assert other.execute("SELECT count(*) FROM replay").fetchone() == (6 * CHECKPOINT_EVERY,)
    other.close()
    store.close()


def test_a_checkpoint_that_cannot_be_had_now_costs_nothing(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    with store._engines.writing() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(tmp_path / "store.db", timeout=0, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with store._engines.quick.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 1")
    store._engines.checkpoint()
    other.execute("ROLLBACK")
    other.close()
    store.check_writable()
    store.close()


def test_postgresql_waits_for_the_disk_where_it_matters(postgresql: object) -> None:
    store = open_store(postgresql.new_database())  # type: ignore[attr-defined]
    with store._engines.writing() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    with store._engines.writing(quick=True) as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "off"
    store.close()


def test_a_write_takes_sqlites_lock_at_once(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    other = sqlite3.connect(tmp_path / "store.db", timeout=0, isolation_level=None)
    with store._engines.writing():
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    other.close()
    store.close()


def test_readers_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    with store._engines.writing():
        assert store.quiet.rules("a", "p") == {}
    store.close()


def test_a_read_only_database_is_not_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(f"sqlite:///{tmp_path}/store.db").close()
    store = open_store(f"sqlite:///file:{tmp_path}/store.db?mode=ro&uri=true")
    with pytest.raises(StoreUnavailable):
        store.check_writable()
    store.close()


def test_a_child_process_opens_connections_of_its_own(store: Store) -> None:
    store.check_writable()
    child = os.fork()
    if child == 0:
        try:
            first = store.replay.is_first_use("iss", "child", AT + timedelta(hours=1), AT)
            os._exit(0 if first else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not store.replay.is_first_use("iss", "child", AT + timedelta(hours=1), AT)


def test_a_new_file_is_readable_by_this_user_alone(tmp_path: Path) -> None:
    """Whatever the umask: it holds pseudonyms, their keys and what clinicians typed."""
    before = os.umask(0o000)
    try:
        store = open_store(f"sqlite:///{tmp_path}/store.db")
        store.check_writable()
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("store.db*")}
        store.close()
    finally:
        os.umask(before)
    assert {name: mode for name, mode in modes.items() if mode & 0o077} == {}
    assert {"store.db", "store.db-wal"} <= modes.keys()


def test_a_file_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    open_store(f"sqlite:///{path}").close()
    path.chmod(0o640)
    open_store(f"sqlite:///{path}").close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
