"""Each token is used once, whoever asks at the same time."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import func, select

from cds_service.store import Store, StoreUnavailable, open_store
from cds_service.store.tables import replay
from tests.cds_service.databases import ThrowAwayPostgresql

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
LATER = AT + timedelta(hours=1)


def test_a_token_is_used_once(store: Store) -> None:
    assert store.replay.is_first_use("iss", "jti", LATER, AT)
    assert not store.replay.is_first_use("iss", "jti", LATER, AT)


def test_issuers_do_not_share_their_token_ids(store: Store) -> None:
    assert store.replay.is_first_use("a", "bc", LATER, AT)
    assert store.replay.is_first_use("ab", "c", LATER, AT)
    assert store.replay.is_first_use("b", "bc", LATER, AT)


@pytest.mark.parametrize("jti", ["\x00", "\u2028", "'; DROP TABLE replay; --", "ü" * 200])
def test_any_text_can_be_a_token_id(store: Store, jti: str) -> None:
    assert store.replay.is_first_use("iss", jti, LATER, AT)
    assert not store.replay.is_first_use("iss", jti, LATER, AT)


def test_fifty_threads_with_one_token_have_one_winner(store: Store) -> None:
    barrier = Barrier(50)

    def use() -> bool:
        barrier.wait()
        return store.replay.is_first_use("iss", "raced", LATER, AT)

    with ThreadPoolExecutor(50) as threads:
        won = [task.result() for task in [threads.submit(use) for _ in range(50)]]
    assert won.count(True) == 1


def _use_all(url: str) -> list[bool]:
    store = open_store(url)
    try:
        return [store.replay.is_first_use("iss", f"jti-{number}", LATER, AT) for number in range(100)]
    finally:
        store.close()


def test_four_processes_with_the_same_tokens_have_one_winner_each(database_url: str) -> None:
    open_store(database_url).close()
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as workers:
        outcomes = list(workers.map(_use_all, [database_url] * 4))
    for seen in zip(*outcomes, strict=True):
        assert seen.count(True) == 1


def test_only_a_digest_is_kept_and_only_until_the_token_is_over(store: Store) -> None:
    store.replay.is_first_use("CANARY-iss", "CANARY-jti", AT + timedelta(minutes=1), AT)
    with store._engines.reading() as connection:
        assert "CANARY" not in str(connection.execute(select(replay)).all())
    store.replay.is_first_use("iss", "other", AT + timedelta(hours=27), AT + timedelta(hours=26))
    with store._engines.reading() as connection:
        assert connection.execute(select(func.count()).select_from(replay)).scalar() == 1


def test_a_store_that_is_gone_says_so(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    with store._engines.writing() as connection:
        connection.exec_driver_sql("DROP TABLE replay")
    with pytest.raises(StoreUnavailable) as caught:
        store.replay.is_first_use("iss", "CANARY-jti", LATER, AT)
    assert "CANARY" not in str(caught.value)
    store.close()


@pytest.mark.parametrize("ahead", [timedelta(minutes=30), timedelta(hours=20)])
def test_a_clock_that_ran_ahead_and_was_set_back_makes_no_token_good_again(
    store: Store, ahead: timedelta
) -> None:
    end = AT + timedelta(minutes=5)
    assert store.replay.is_first_use("iss", "used", end, AT)
    assert store.replay.is_first_use("iss", "other", AT + ahead + timedelta(minutes=5), AT + ahead)
    assert not store.replay.is_first_use("iss", "used", end, AT + timedelta(minutes=1))


def test_a_token_that_was_used_stays_used_when_postgresql_dies(postgresql: ThrowAwayPostgresql) -> None:
    """A call without cards commits nothing else: the token alone must be on the disk."""
    server = ThrowAwayPostgresql()
    server.start()
    try:
        url = server.new_database()
        store = open_store(url)
        assert [store.replay.is_first_use("iss", f"used-{n}", LATER, AT) for n in range(20)] == [True] * 20
        server.die()
        store.close()
        store = open_store(url)
        assert [store.replay.is_first_use("iss", f"used-{n}", LATER, AT) for n in range(20)] == [False] * 20
        store.close()
    finally:
        server.stop()
