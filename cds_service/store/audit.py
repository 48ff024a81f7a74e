"""The audit trail: append-only rows, each sealed with the seal of the one before (see ``audit_chain``)."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from contextlib import closing
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, func, select, text

from cds_service.store.audit_chain import (
    FIRST_KEPT,
    PURGED,
    START,
    AuditEntry,
    AuditReport,
    SealedEntry,
    Seals,
    canonical,
    verify,
)
from cds_service.store.engines import Engines
from cds_service.store.faults import reported
from cds_service.store.tables import audit


class Audit:
    """Who asked what, when, and what came of it."""

    def __init__(self, engines: Engines, seals: Seals | None = None) -> None:
        self._engines = engines
        self._seals = seals or Seals()

    def append(self, entries: Sequence[AuditEntry]) -> None:
        """Appends the entries in their order, all or none.

        :raises StoreUnavailable: nothing was stored.
        """
        if not entries:
            return
        with reported("writing the audit trail"), self._engines.writing(quick=True) as connection:
            self._append(connection, entries)

    def _append(self, connection: Connection, entries: Sequence[AuditEntry]) -> None:
        _one_writer_at_a_time(connection)
        last = connection.execute(select(audit.c.digest).order_by(audit.c.id.desc()).limit(1)).scalar()
        rows = []
        for entry in entries:
            previous = last or START
            last = self._seals.make(entry, previous)
            rows.append(
                {
                    "at": entry.at,
                    "event": entry.event,
                    "tenant": entry.tenant,
                    "fields": canonical(entry.fields),
                    "previous": previous,
                    "digest": last,
                }
            )
        connection.execute(audit.insert(), rows)

    def read(self, since: datetime | None = None) -> Generator[SealedEntry, None, None]:
        """The trail, oldest first.

        :raises StoreUnavailable: the store could not be read.
        """
        query = select(audit).order_by(audit.c.id)
        if since is not None:
            query = query.where(audit.c.at >= since)
        with reported("reading the audit trail"), self._engines.reading() as connection:
            with connection.execution_options(yield_per=500).execute(query) as rows:
                for row in rows.mappings():
                    entry = AuditEntry(row["at"], row["event"], row["tenant"], json.loads(row["fields"]))
                    yield SealedEntry(row["id"], entry, row["previous"], row["digest"])

    def verify(
        self, seals: Seals | None = None, head: str = "", unkeyed_until: datetime | None = None
    ) -> AuditReport:
        """Whether the whole trail is what was written; ``seals`` None: with the secret of this store.

        :raises StoreUnavailable: the store could not be read.
        """
        with closing(self.read()) as trail:
            return verify(trail, seals or self._seals, head, unkeyed_until)

    def head(self) -> tuple[int, str]:
        """Id and seal of the newest row; 0 and nothing where there is none.

        :raises StoreUnavailable: the store could not be read.
        """
        query = select(audit.c.id, audit.c.digest).order_by(audit.c.id.desc()).limit(1)
        with reported("reading the audit trail"), self._engines.reading() as connection:
            row = connection.execute(query).first()
        return (row.id, row.digest) if row else (0, "")

    def purge(self, before: datetime, at: datetime | None = None) -> int:
        """Forgets entries before that moment and notes that it did; returns how many. The newest row always
        stays, so that the chain goes on from it.

        :raises StoreUnavailable: nothing was forgotten.
        """
        # Only from the front: workers write in batches, so that an old entry may stand behind a newer one.
        newest = select(func.max(audit.c.id)).scalar_subquery()
        kept_first = select(func.min(audit.c.id)).where(audit.c.at >= before).scalar_subquery()
        old = delete(audit).where(audit.c.id < func.coalesce(kept_first, newest))
        with reported("purging the audit trail"), self._engines.writing() as connection:
            _one_writer_at_a_time(connection)
            removed = connection.execute(old).rowcount
            if removed:
                kept = connection.execute(select(func.min(audit.c.id))).scalar_one()
                fields = {"before": before.astimezone(UTC).isoformat(), FIRST_KEPT: kept, "removed": removed}
                self._append(connection, [AuditEntry(at or before, PURGED, "", fields)])
            return removed


def _one_writer_at_a_time(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(719402612)"))
