"""The store as one value, and how it is opened."""

from __future__ import annotations

import os
import tempfile
import weakref
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import ArgumentError

from cds_service.store.audit import Audit
from cds_service.store.audit_chain import Seals
from cds_service.store.engines import Engines, make_engines
from cds_service.store.evaluations import Evaluations
from cds_service.store.faults import StoreMisconfigured, reported
from cds_service.store.feedback import Feedback
from cds_service.store.migration import migrate
from cds_service.store.pseudonyms import Pseudonyms
from cds_service.store.quiet import Quiet
from cds_service.store.replay import Replay
from cds_service.store.trials import TrialAnswers
from cds_service.store.usage_counts import Firings

PURGE_EVERY = timedelta(hours=1)


class Store:
    """Everything the service remembers. Safe to use from several threads and after a fork."""

    def __init__(
        self,
        engines: Engines,
        pseudonym_secret: bytes | None = None,
        retention: timedelta | None = None,
        audit_secret: bytes | None = None,
    ) -> None:
        self._engines = engines
        self._retention = retention
        self._purged_at: datetime | None = None
        self.evaluations = Evaluations(engines)
        self.feedback = Feedback(engines)
        self.quiet = Quiet(engines)
        self.replay = Replay(engines)
        self.audit_secret = audit_secret
        """What seals the audit trail; None: it is sealed without a key."""
        self.audit = Audit(engines, Seals(audit_secret) if audit_secret else Seals())
        self.firings = Firings(engines)
        self.trials = TrialAnswers(engines)
        self.pseudonyms = Pseudonyms(engines, pseudonym_secret)
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    def pseudonym(self, tenant: str, patient_id: str) -> str:
        """The patient's name inside the store (:class:`Pseudonyms`)."""
        return self.pseudonyms.of(tenant, patient_id)

    def check_writable(self) -> None:
        """For readiness: takes the write lock and gives it back.

        :raises StoreUnavailable: locked, full, read-only or unreachable.
        """
        with reported("checking that it can be written"), self._engines.writing(quick=True) as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = version_num"))

    def purge(self, at: datetime, retention: timedelta) -> int:
        """Forgets feedback, cards, quiet rules and audit entries older than ``retention``, and quiet rules
        whose time is over. Returns how many rows went. The daily counts hold no patient data and stay.

        :raises StoreUnavailable: what was not purged yet is purged next time.
        """
        before = at - retention
        return (
            self.feedback.purge(before)
            + self.evaluations.purge(before)
            + self.quiet.purge(at, before)
            + self.audit.purge(before, at)
        )

    def purge_if_due(self, at: datetime) -> int:
        """:meth:`purge` with the retention that the store was opened with, at most once an hour.

        :raises StoreUnavailable: as there.
        """
        is_due = self._purged_at is None or abs(at - self._purged_at) >= PURGE_EVERY
        if self._retention is None or not is_due:
            return 0
        self._purged_at = at
        return self.purge(at, self._retention)

    def close(self) -> None:
        """Closes the connections; a store in memory is gone."""
        self._engines.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    def forget_connections(self) -> None:
        """Called by itself in the child after a fork."""
        self._engines.forget_connections()


def open_store(
    url: str,
    pseudonym_secret: bytes | None = None,
    retention: timedelta | None = None,
    audit_secret: bytes | None = None,
) -> Store:
    """Opens the store and brings its tables up to date. ``retention`` None: nothing is forgotten by itself.

    ``sqlite:///file.db``, ``sqlite://`` (until :meth:`Store.close`, for the demo) or
    ``postgresql+psycopg://user@host/db``.

    :raises StoreMisconfigured: the URL names no usable database.
    :raises StoreUnavailable: the database cannot be reached, read or written.
    """
    place = checked_url(url)
    temporary = None
    if place.get_backend_name() == "sqlite" and place.database in (None, "", ":memory:"):
        # Threads share a file; a real in-memory database belongs to one connection.
        temporary = tempfile.TemporaryDirectory(prefix="relapse-cds-")
        place = place.set(database=f"{temporary.name}/store.db")
    _close_to_others(place)
    engines = make_engines(place)
    try:
        with reported("opening it"):
            migrate(engines)
    except BaseException:
        engines.close()
        raise
    store = Store(engines, pseudonym_secret, retention, audit_secret)
    store._temporary = temporary
    _forget_connections_in_children(store)
    return store


def engines_of(url: str) -> Engines:
    """The database as it stands, not migrated; for copying and checking it. Raises StoreMisconfigured."""
    place = checked_url(url)
    _close_to_others(place)
    return make_engines(place)


def checked_url(url: str) -> URL:
    """The address of a database that is supported. Raises StoreMisconfigured."""
    try:
        place = make_url(url)
    except ArgumentError:
        raise StoreMisconfigured(
            "store: not a database URL; write sqlite:///relapse-cds.db or postgresql+psycopg://user@host/db"
        ) from None
    if place.drivername == "postgresql":
        place = place.set(drivername="postgresql+psycopg")
    if place.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise StoreMisconfigured(
            "store: this database is not supported; write sqlite:///relapse-cds.db or "
            "postgresql+psycopg://user@host/db"
        )
    return place


def _close_to_others(place: URL) -> None:
    """Makes SQLite's file readable by this user alone, before SQLite makes it by the umask. The files that it
    puts beside take its mode. A file that is there keeps the mode that somebody gave it."""
    if place.get_backend_name() != "sqlite" or not place.database or place.database == ":memory:":
        return
    with suppress(OSError):
        os.close(os.open(place.database, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _forget_connections_in_children(store: Store) -> None:
    reference = weakref.ref(store)

    def forget() -> None:
        inherited = reference()
        if inherited is not None:
            inherited.forget_connections()

    os.register_at_fork(after_in_child=forget)
