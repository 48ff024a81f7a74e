"""Writers of one SQLite file queue for their turn, instead of failing by bad luck."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from pathlib import Path

import pytest

from cds_service.store import Store, StoreUnavailable
from cds_service.store.write_lock import SUFFIX, Turns

LONG, SHORT = 60.0, 0.02
WRITERS, TURNS = 8, 25


def test_one_writes_at_a_time_and_everybody_gets_a_turn(tmp_path: Path) -> None:
    # Each writer has a Turns of its own, as a process would have.
    inside: list[int] = []
    served: list[int] = []

    def write(number: int) -> None:
        turns = Turns(f"{tmp_path}/store.db", LONG)
        for _ in range(TURNS):
            with turns.taken():
                inside.append(number)
                assert inside == [number]
                served.append(number)
                inside.clear()
        turns.close()

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    assert sorted(served) == sorted(list(range(WRITERS)) * TURNS)


def test_threads_of_one_process_take_turns_too(tmp_path: Path) -> None:
    turns = Turns(f"{tmp_path}/store.db", SHORT)
    with turns.taken(), ThreadPoolExecutor(1) as pool:
        assert isinstance(pool.submit(lambda: turns.taken().__enter__()).exception(), TimeoutError)
    with turns.taken():
        pass


def test_a_turn_that_does_not_come_is_given_up_and_comes_again(tmp_path: Path) -> None:
    ours, theirs = (Turns(f"{tmp_path}/store.db", SHORT) for _ in range(2))
    with theirs.taken():
        with pytest.raises(TimeoutError), ours.taken():
            pytest.fail("two have the turn")
    with ours.taken():
        pass


def test_a_failed_write_gives_the_turn_back(tmp_path: Path) -> None:
    ours, theirs = (Turns(f"{tmp_path}/store.db", SHORT) for _ in range(2))
    with pytest.raises(ValueError, match="broken"), ours.taken():
        raise ValueError("broken")
    with theirs.taken():
        pass


def test_a_child_does_not_inherit_its_parents_turn(tmp_path: Path) -> None:
    parent = Turns(f"{tmp_path}/store.db", SHORT)
    with parent.taken():
        child = copy(parent)
        child.forget()
        with pytest.raises(TimeoutError), child.taken():
            pytest.fail("the child writes in its parent's turn")


def test_the_turn_leaves_the_database_alone(sqlite_store: Store, tmp_path: Path) -> None:
    sqlite_store.check_writable()
    assert (tmp_path / f"store.db{SUFFIX}").stat().st_size == 0


def test_a_store_whose_turn_does_not_come_is_unavailable_and_the_log_says_why(
    sqlite_store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_store._engines.turns, "_patience", SHORT)
    with Turns(f"{tmp_path}/store.db", SHORT).taken(), caplog.at_level(logging.ERROR, "relapse_cds"):
        with pytest.raises(StoreUnavailable):
            sqlite_store.check_writable()
    assert [json.loads(line) for line in caplog.messages] == [
        {"event": "store-unavailable", "source": "checking-that-it-can-be-written", "error": "TimeoutError"}
    ]
    sqlite_store.check_writable()


def test_the_log_names_the_databases_own_code_and_no_statement(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with store._engines.writing() as connection:
        connection.exec_driver_sql("DROP TABLE evaluations")
    with caplog.at_level(logging.ERROR, "relapse_cds"), pytest.raises(StoreUnavailable) as caught:
        store.evaluations.find("CANARY-tenant", ["CANARY-card"])
    assert caught.value.kind in ("SQLITE_ERROR", "42P01")
    (line,) = map(json.loads, caplog.messages)
    assert line == {"event": "store-unavailable", "source": "looking-up-cards", "error": caught.value.kind}
