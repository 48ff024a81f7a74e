"""Connections to SQLite and PostgreSQL, set up so that a commit means what we tell the EHR it means."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from typing import cast

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from cds_service.store.faults import StoreMisconfigured, StoreUnavailable
from cds_service.store.write_lock import Turns

BUSY_TIMEOUT_MS = 5_000
CHECKPOINT_EVERY = 200
"""Commits of one process between two checkpoints of SQLite's write-ahead log."""
WAL_ATTEMPTS = 50
"""SQLite does not wait by itself while another process changes the journal mode."""
WRITING = "BEGIN IMMEDIATE"


@dataclass(frozen=True, slots=True)
class Engines:
    """Two ways into one database.

    ``durable``  a commit survives a loss of power: feedback, evaluations, quiet rules.
    ``quick``    a commit survives the death of any of our processes, but the last moments may be lost with
                 the machine's power or PostgreSQL itself: audit and statistics, which every call writes, and
                 on SQLite token replay.
    """

    durable: Engine
    quick: Engine
    turns: Turns | None = None
    """SQLite only; PostgreSQL queues its writers itself."""
    _writers: dict[bool, Engine] = field(init=False, repr=False)
    """Both once more, for transactions that write, by ``quick``: SQLAlchemy makes such a variant slowly."""
    _commits: count[int] = field(default_factory=lambda: count(1), repr=False)

    def __post_init__(self) -> None:
        engines = {False: self.durable, True: self.quick}
        writers = {quick: one.execution_options(sqlite_begin=WRITING) for quick, one in engines.items()}
        object.__setattr__(self, "_writers", writers)

    @contextmanager
    def writing(self, *, quick: bool = False) -> Iterator[Connection]:
        """One write transaction. On SQLite it waits for its turn and takes the write lock at once (BEGIN
        IMMEDIATE), so that two writers queue instead of failing half-way."""
        with self._turn(), self._writers[quick].begin() as connection:
            yield connection
        if self.is_sqlite and next(self._commits) % CHECKPOINT_EVERY == 0:
            self.checkpoint()

    def checkpoint(self) -> None:
        """Copies SQLite's write-ahead log into the database while no other connection can commit.

        SQLite before 3.51.3 can lose commits when one connection commits during the checkpoint of another
        (its "WAL-reset bug"). Automatic checkpoints are therefore off; the write lock is held here while a
        second connection copies. A fault is left to the next time: the log only grows until then.
        """
        try:
            with self._turn(), self._writers[True].begin():
                copying = self.durable.raw_connection()
                try:
                    copying.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").close()
                finally:
                    copying.close()
        except (SQLAlchemyError, sqlite3.Error, OSError):
            return

    def _turn(self) -> AbstractContextManager[None]:
        return self.turns.taken() if self.turns else nullcontext()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One read transaction: a single moment's view, blocking nobody."""
        with self.quick.begin() as connection:
            yield connection

    @property
    def is_sqlite(self) -> bool:
        return self.durable.dialect.name == "sqlite"

    def forget_connections(self) -> None:
        """After a fork: the parent's connections are not ours to use or to close."""
        self.durable.dispose(close=False)
        self.quick.dispose(close=False)
        if self.turns:
            self.turns.forget()

    def close(self) -> None:
        self.durable.dispose()
        self.quick.dispose()
        if self.turns:
            self.turns.close()


def make_engines(url: URL) -> Engines:
    """Engines for an ``sqlite`` or ``postgresql+psycopg`` URL. Opens no connection yet.

    :raises StoreMisconfigured: the database's driver is not installed.
    """
    if url.get_backend_name() == "sqlite":
        turns = Turns(str(url.database), BUSY_TIMEOUT_MS / 1000)
        return Engines(_sqlite(url, "FULL"), _sqlite(url, "NORMAL"), turns)
    if find_spec("psycopg") is None:
        raise StoreMisconfigured(
            "store: the driver psycopg is not installed; install relapse-cds[postgresql]"
        )
    return Engines(_postgresql(url, "on"), _postgresql(url, "off"))


def _postgresql(url: URL, synchronous_commit: str) -> Engine:
    options = f"-c synchronous_commit={synchronous_commit} -c lock_timeout={BUSY_TIMEOUT_MS}"
    return create_engine(
        url,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"options": options, "connect_timeout": BUSY_TIMEOUT_MS // 1000},
    )


def _sqlite(url: URL, synchronous: str) -> Engine:
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        # None hands the transactions to us; the driver's own BEGIN is always deferred.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        _use_write_ahead_log(connection)
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA wal_autocheckpoint = 0")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        _begin(connection, connection.get_execution_options().get("sqlite_begin", "BEGIN"))

    return engine


def _begin(connection: Connection, statement: str) -> None:
    """Begins on the driver itself: SQLAlchemy's way for a statement costs more than the statement."""
    driver = cast(sqlite3.Connection, connection.connection.driver_connection)
    try:
        driver.execute(statement)
    except sqlite3.Error as fault:
        raise OperationalError(statement, None, fault) from fault


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    for _ in range(WAL_ATTEMPTS):
        try:
            if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal":
                return
        except sqlite3.OperationalError as fault:
            if "locked" not in str(fault):
                raise
        time.sleep(0.1)
    raise StoreUnavailable("switching SQLite to its write-ahead log", "OperationalError")


def lock_for_migration(connection: Connection) -> None:
    """Lets one process at a time build the tables. SQLite's BEGIN IMMEDIATE already does."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(719402611)"))
