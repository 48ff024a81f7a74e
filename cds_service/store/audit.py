"""The audit trail: append-only rows, each sealed with the digest of the one before, so that a row that
is changed or taken out shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, select, text

from cds_service.store.engines import Engines
from cds_service.store.faults import reported
from cds_service.store.tables import audit

_START = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One event. ``fields`` come from the caller's allow-list: no patient id, token or free text."""

    at: datetime
    event: str
    tenant: str
    fields: Mapping[str, str | int | float | bool]


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """An entry as it stands in the trail."""

    id: int
    entry: AuditEntry
    previous: str
    digest: str

    @property
    def is_sealed(self) -> bool:
        """Whether the row's digest fits its content."""
        return self.digest == _seal(self.entry, self.previous)


class Audit:
    """Who asked what, when, and what came of it."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def append(self, entries: Sequence[AuditEntry]) -> None:
        """Appends the entries in their order, all or none.

        :raises StoreUnavailable: nothing was stored.
        """
        if not entries:
            return
        with reported("writing the audit trail"), self._engines.writing(quick=True) as connection:
            _one_writer_at_a_time(connection)
            last = connection.execute(select(audit.c.digest).order_by(audit.c.id.desc()).limit(1)).scalar()
            rows = []
            for entry in entries:
                rows.append(_row(entry, last or _START))
                last = rows[-1]["digest"]
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

    def first_broken(self) -> int | None:
        """Id of the first row that was changed, or that does not follow the one before it; None when the
        chain holds. Purged rows leave the front only, so the first row's ``previous`` is taken as given."""
        last: str | None = None
        with closing(self.read()) as trail:
            for sealed in trail:
                if not sealed.is_sealed or (last is not None and sealed.previous != last):
                    return sealed.id
                last = sealed.digest
        return None

    def purge(self, before: datetime) -> int:
        """Forgets entries before that moment; returns how many. The newest row always stays, so that the
        chain goes on from it."""
        newest = select(audit.c.id).order_by(audit.c.id.desc()).limit(1).scalar_subquery()
        with reported("purging the audit trail"), self._engines.writing() as connection:
            return connection.execute(delete(audit).where(audit.c.at < before, audit.c.id != newest)).rowcount


def _one_writer_at_a_time(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(719402612)"))


def _row(entry: AuditEntry, previous: str) -> dict[str, object]:
    return {
        "at": entry.at,
        "event": entry.event,
        "tenant": entry.tenant,
        "fields": _canonical(entry.fields),
        "previous": previous,
        "digest": _seal(entry, previous),
    }


def _canonical(fields: Mapping[str, str | int | float | bool]) -> str:
    return json.dumps(dict(fields), sort_keys=True, separators=(",", ":"))


def _seal(entry: AuditEntry, previous: str) -> str:
    moment = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    sealed = json.dumps([previous, moment, entry.event, entry.tenant, _canonical(entry.fields)])
    return hashlib.sha256(sealed.encode()).hexdigest()
