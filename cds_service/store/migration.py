"""Brings a database to the tables this version needs, by the packaged alembic migrations."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from cds_service.store.engines import Engines, lock_for_migration

_LOCATION = "cds_service.store:migrations"


def migrate(engines: Engines, revision: str = "head") -> None:
    """Upgrades (or, for an older ``revision``, downgrades) in one transaction; several processes may
    start at once, one migrates and the others wait and find nothing to do."""
    if revision == "head" and is_current(engines):
        return
    with engines.writing() as connection:
        lock_for_migration(connection)
        config = _configured(connection)
        if revision == "head":
            command.upgrade(config, revision)
        else:
            command.downgrade(config, revision)


def is_current(engines: Engines) -> bool:
    """Whether the database stands at this version's newest revision."""
    with engines.reading() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
        return found == ScriptDirectory.from_config(_configured(connection)).get_current_head()


def _configured(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", _LOCATION)
    config.attributes["connection"] = connection
    return config
