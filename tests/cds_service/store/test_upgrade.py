"""Upgrading and going back: migrations only add, and two versions can share one database for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, insert, inspect, text

from cds_service.store import AuditEntry, StoreMisconfigured, open_store
from cds_service.store.engines import Engines
from cds_service.store.migration import is_current, is_usable, migrate, revision_of, revisions
from cds_service.store.opening import engines_of
from cds_service.store.tables import metadata
from tests.cds_service.store.test_backup import AT, event, fill

Shape = dict[str, dict[str, tuple[str, bool, bool]]]


@pytest.fixture
def engines(database_url: str) -> Iterator[Engines]:
    with closing(engines_of(database_url)) as opened:
        yield opened


def shape(engines: Engines) -> Shape:
    """Table -> column -> type, may be null, has a default."""
    with engines.reading() as connection:
        inspector = inspect(connection)
        return {
            table: {
                column["name"]: (str(column["type"]), column["nullable"], column["default"] is not None)
                for column in inspector.get_columns(table)
            }
            for table in inspector.get_table_names()
        }


@pytest.mark.parametrize("number", range(1, len(revisions())))
def test_a_migration_only_adds(engines: Engines, number: int) -> None:
    """So that workers of the version before go on while this one starts beside them."""
    before_revision, revision = revisions()[number - 1 : number + 1]
    migrate(engines, before_revision)
    before = shape(engines)
    migrate(engines, revision)
    after = shape(engines)
    for table, columns in before.items():
        assert {name: after[table][name] for name in columns} == columns
        added = [after[table][name] for name in after[table] if name not in columns]
        assert all(may_be_null or has_default for _, may_be_null, has_default in added)


@pytest.mark.parametrize("revision", revisions()[:-1])
def test_feedback_and_trail_survive_the_way_back_and_forth(database_url: str, revision: str) -> None:
    store = open_store(database_url)
    fill(store, 5)
    head = store.audit.head()[1]
    migrate(store._engines, revision)
    assert revision_of(store._engines) == revision
    store.close()
    again = open_store(database_url)
    assert is_current(again._engines)
    assert len(list(again.feedback.read(None))) == 5
    assert again.audit.verify(head=head).holds
    again.close()


def newer(engines: Engines, *statements: str) -> None:
    """What a version of the future does to the database."""
    migrate(engines)
    with engines.writing() as connection:
        for statement in statements:
            connection.execute(text(statement))
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))


def test_a_worker_of_this_version_starts_on_a_database_of_the_next(database_url: str) -> None:
    """A worker that dies during an upgrade is started again by the version before."""
    with closing(engines_of(database_url)) as engines:
        newer(
            engines,
            "ALTER TABLE audit ADD COLUMN place TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE feedback ADD COLUMN author TEXT",
        )
        extra = Table("sites", MetaData(), Column("id", Integer, primary_key=True), Column("name", Text))
        with engines.writing() as connection:
            extra.create(connection)
            connection.execute(insert(extra), [{"id": 1, "name": "north"}])
    store = open_store(database_url)
    assert is_usable(store._engines)
    assert not is_current(store._engines)
    fill(store, 3)
    store.audit.append([AuditEntry(AT, "evaluation", "general", {})])
    assert store.feedback.add([event(9)]) == 1
    store.check_writable()
    assert revision_of(store._engines) == "9999"
    store.close()


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE quiet",
        "ALTER TABLE feedback RENAME COLUMN comment TO remark",
        "ALTER TABLE replay RENAME TO used_tokens",
    ],
)
def test_a_database_that_lost_something_is_refused_in_plain_words(database_url: str, statement: str) -> None:
    with closing(engines_of(database_url)) as engines:
        newer(engines, statement)
    with pytest.raises(StoreMisconfigured, match="newer version"):
        open_store(database_url)


def test_a_new_column_that_must_be_filled_is_refused(postgresql: object) -> None:
    url = str(postgresql.new_database())  # type: ignore[attr-defined]
    with closing(engines_of(url)) as engines:
        newer(engines, "ALTER TABLE audit ADD COLUMN place TEXT NOT NULL")
    with pytest.raises(StoreMisconfigured, match="newer version"):
        open_store(url)


def test_every_table_is_made_by_a_migration(engines: Engines) -> None:
    migrate(engines)
    assert set(shape(engines)) == {*metadata.tables, "alembic_version"}
