"""The migrations build exactly the tables that the queries use, and can be taken back."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, make_url

from cds_service.store import open_store
from cds_service.store.engines import make_engines
from cds_service.store.migration import is_current, migrate
from cds_service.store.tables import metadata


def test_the_migrated_tables_are_those_of_the_queries(database_url: str) -> None:
    store = open_store(database_url)
    with store._engines.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    store.close()


def test_migrating_down_and_up_again_leaves_a_usable_store(database_url: str) -> None:
    engines = make_engines(make_url(database_url))
    migrate(engines)
    assert is_current(engines)
    migrate(engines, "base")
    assert not is_current(engines)
    with engines.reading() as connection:
        assert not set(metadata.tables) & set(inspect(connection).get_table_names())
    migrate(engines)
    assert is_current(engines)
    engines.close()


def _open(url: str) -> bool:
    store = open_store(url)
    store.check_writable()
    store.close()
    return True


def test_several_processes_may_open_a_new_store_at_once(database_url: str) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as workers:
        assert list(workers.map(_open, [database_url] * 4)) == [True] * 4


def test_sqlites_tables_refuse_values_of_another_type(tmp_path: object) -> None:
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    with store._engines.reading() as connection:
        strict = connection.exec_driver_sql("SELECT name FROM pragma_table_list WHERE strict = 1")
        assert {row[0] for row in strict} >= set(metadata.tables)
    store.close()
