"""The registry's answer in the store: shared, replaced as a whole, and never lost to a fault."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cds_service.store import Store, open_store
from cds_service.trials.cache import CachedAnswer
from cds_service.trials.stored import StoredTrialCache
from tests.cds_service.trials.registry_pages import record

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
FIRST = CachedAnswer(AT, "api", tuple(json.dumps(record(f"NCT9999000{n}")).encode() for n in (1, 2)))
SECOND = CachedAnswer(AT + timedelta(days=1), "file", ())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/store.db")
    yield opened
    opened.close()


def test_what_one_worker_keeps_another_reads(store: Store, tmp_path: Path) -> None:
    assert StoredTrialCache(store).load() is None
    StoredTrialCache(store).save(FIRST)
    other = open_store(f"sqlite:///{tmp_path}/store.db")
    assert StoredTrialCache(other).load() == FIRST
    other.close()


def test_a_new_answer_replaces_the_old_one(store: Store) -> None:
    cache = StoredTrialCache(store)
    cache.save(FIRST)
    cache.save(SECOND)
    assert StoredTrialCache(store).load() == SECOND


def test_while_the_store_is_away_the_last_answer_stands_and_a_new_one_is_refused(
    store: Store, tmp_path: Path
) -> None:
    cache = StoredTrialCache(store)
    cache.save(FIRST)
    with store._engines.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE trial_answers RENAME TO elsewhere")
    assert cache.load() == FIRST
    with pytest.raises(OSError, match="store unavailable"):
        cache.save(SECOND)
    assert cache.load() == FIRST


def test_an_answer_that_cannot_be_decoded_is_none(store: Store) -> None:
    StoredTrialCache(store).save(FIRST)
    with store._engines.writing() as connection:
        connection.exec_driver_sql("UPDATE trial_answers SET studies = x'7b'")
    assert StoredTrialCache(store).load() is None
