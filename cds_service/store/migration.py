"""Brings a database to the tables this version needs, by the packaged alembic migrations.

Migrations only add (a test holds them to it), so that workers of this version and of the one before can use
one database while an upgrade is under way. A database that a newer version has migrated is used as it is
where it holds every table and column that this version knows.
"""

from __future__ import annotations

import logging

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Inspector, Table, inspect

from cds_service.store.engines import Engines, lock_for_migration
from cds_service.store.faults import StoreMisconfigured
from cds_service.store.tables import metadata

_LOCATION = "cds_service.store:migrations"


def migrate(engines: Engines, revision: str = "head") -> None:
    """Upgrades or downgrades in one transaction; several processes may start at once, one migrates and the
    others wait and find nothing to do. ``head`` never takes a database of a newer version back.

    :raises StoreMisconfigured: a newer version made the database into one that this version cannot use.
    """
    if revision == "head" and is_usable(engines):
        return
    with engines.writing() as connection:
        lock_for_migration(connection)
        found = _revision(connection)
        config = _configured(connection)
        order = revisions()
        if found is not None and found not in order:
            raise StoreMisconfigured(_TOO_NEW)
        wanted = order[-1] if revision == "head" else revision
        if wanted == "base" or (found is not None and order.index(wanted) < order.index(found)):
            command.downgrade(config, wanted)
        else:
            command.upgrade(config, wanted)


_TOO_NEW = (
    "store: a newer version of relapse-cds has changed this database, and this version cannot use it: "
    "run the newer version, or take the tables back with its `relapse-cds store migrate --to REVISION`"
)


def is_current(engines: Engines) -> bool:
    """Whether the database stands at this version's newest revision."""
    return revision_of(engines) == revisions()[-1]


def is_usable(engines: Engines) -> bool:
    """Whether the database needs no migration: it stands at this version's newest revision, or a newer
    version has only added to it."""
    with engines.reading() as connection:
        found = _revision(connection)
        order = revisions()
        if found is None or found in order[:-1]:
            return False
        if found == order[-1]:
            return True
        usable = _holds_all_tables(connection)
    if usable:
        from cds_service.observability import log

        log.event("store-newer", logging.WARNING, version=found)
    return usable


def revision_of(engines: Engines) -> str | None:
    """The revision at which the database stands; None where it has no tables of ours."""
    with engines.reading() as connection:
        return _revision(connection)


def revisions() -> list[str]:
    """Every revision this version knows, oldest first; they form one line."""
    script = ScriptDirectory.from_config(_located())
    return [one.revision for one in reversed(list(script.walk_revisions()))]


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _holds_all_tables(connection: Connection) -> bool:
    inspector = inspect(connection)
    present = set(inspector.get_table_names())
    return all(
        table.name in present and _has_our_columns(inspector, table) for table in metadata.tables.values()
    )


def _has_our_columns(inspector: Inspector, table: Table) -> bool:
    """Whether rows as this version writes them fit: no column is gone, and no new one must be filled."""
    found = {str(column["name"]): column for column in inspector.get_columns(table.name)}
    ours = {column.name for column in table.columns}
    added = [column for name, column in found.items() if name not in ours]
    return ours <= set(found) and all(one["nullable"] or one["default"] is not None for one in added)


def _located() -> Config:
    config = Config()
    config.set_main_option("script_location", _LOCATION)
    return config


def _configured(connection: Connection) -> Config:
    config = _located()
    config.attributes["connection"] = connection
    return config
