"""Copies of the whole store in one file, which this version and later ones restore into SQLite or PostgreSQL.

A backup is gzip over lines of JSON: a head, one line a row, and an end with the number of rows of each table
and the SHA-256 of all lines before it. Moments are text in UTC, bytes are base64. It holds what the store
holds: pseudonyms and their keys, and comments of clinicians. Keep it as the database is kept.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any

from sqlalchemy import DateTime, MetaData, Table, func, insert, select, text

from cds_service.store.engines import Engines
from cds_service.store.faults import reported
from cds_service.store.migration import migrate, revision_of, revisions

FORMAT = "relapse-cds-store"
FORMAT_VERSION = 1
ROWS_AT_ONCE = 500

_NUMBERED = ("audit", "feedback")
"""Tables whose ids the database draws."""
_NOT_DATA = "alembic_version"


class NotABackup(ValueError):
    """The file is no backup, is damaged, or is of a version that cannot be read here."""


class NotEmpty(ValueError):
    """A backup is restored into an empty store only."""


@dataclass(frozen=True, slots=True)
class BackupContents:
    """What a backup holds: the revision and moment of its store, and the number of rows of each table."""

    revision: str
    at: datetime
    software: str
    tables: Mapping[str, int]


def write_backup(engines: Engines, out: IO[bytes], at: datetime, software: str) -> BackupContents:
    """Writes every row of one moment; the service may go on meanwhile.

    :raises StoreUnavailable: the store could not be read; what was written is no backup.
    """
    digest, counts = hashlib.sha256(), Counter[str]()
    revision = revision_of(engines) or ""
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as file:
        head = {"format": FORMAT, "formatVersion": FORMAT_VERSION, "revision": revision}
        moment = at.astimezone(UTC).isoformat(timespec="microseconds")
        _write(file, digest, {**head, "software": software, "at": moment})
        for table, row in _rows(engines):
            counts[table] += 1
            _write(file, digest, {"table": table, "row": row})
        end = {"tables": dict(sorted(counts.items())), "sha256": digest.hexdigest()}
        _write(file, digest, {"end": end})
    return BackupContents(revision, at, software, dict(counts))


def _rows(engines: Engines) -> Iterator[tuple[str, dict[str, Any]]]:
    with reported("reading it for a backup"):
        engine = engines.durable
        if not engines.is_sqlite:
            # One moment for all tables; SQLite's read transaction is one by itself.
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with engine.begin() as connection:
            for table in _tables(connection):
                query = select(table).order_by(*table.primary_key.columns)
                with connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query) as rows:
                    for row in rows.mappings():
                        yield table.name, {name: _plain(value) for name, value in row.items()}


def _tables(connection: Any) -> list[Table]:
    """Our tables as this database has them, whatever its revision."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != _NOT_DATA]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        utc = value.astimezone(UTC).replace(tzinfo=None)
        return f"{utc.isoformat(timespec='microseconds')}Z"
    if isinstance(value, bytes | memoryview):
        return {"base64": base64.b64encode(value).decode()}
    return value


def _write(file: gzip.GzipFile, digest: Any, line: Mapping[str, Any]) -> None:
    data = json.dumps(line, separators=(",", ":")).encode() + b"\n"
    digest.update(data)
    file.write(data)


def read_contents(file: IO[bytes]) -> BackupContents:
    """What a backup holds, after the whole of it was read and compared with its end.

    Raises NotABackup.
    """
    lines = _lines(file)
    head = next(lines, {})
    if head.get("format") != FORMAT:
        raise NotABackup("this is no backup of relapse-cds")
    if head.get("formatVersion") != FORMAT_VERSION:
        raise NotABackup("a newer version of relapse-cds wrote this backup: restore it with that version")
    counts = Counter[str]()
    end = None
    for line in lines:
        if end is not None:
            raise NotABackup("something follows the end of the backup")
        if "end" in line:
            end = line["end"]
        else:
            counts[line["table"]] += 1
    if end is None or end["tables"] != dict(counts):
        raise NotABackup("the backup is cut off: rows are missing")
    return BackupContents(
        head["revision"], datetime.fromisoformat(head["at"]), head["software"], dict(counts)
    )


def _lines(file: IO[bytes]) -> Iterator[dict[str, Any]]:
    digest = hashlib.sha256()
    try:
        with gzip.GzipFile(fileobj=file, mode="rb") as unpacked:
            for data in unpacked:
                line = json.loads(data)
                if not isinstance(line, dict):
                    raise NotABackup("this is no backup of relapse-cds")
                if "end" in line and line["end"]["sha256"] != digest.hexdigest():
                    raise NotABackup("the backup is damaged: its content does not fit its checksum")
                digest.update(data)
                yield line
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as fault:
        if isinstance(fault, NotABackup):
            raise
        raise NotABackup("the backup cannot be read: it is damaged, or no backup") from None


def restore(engines: Engines, file: IO[bytes]) -> BackupContents:
    """Fills an empty store from a backup and brings it to this version's tables.

    Raises NotABackup before anything is written; NotEmpty where the store holds rows; StoreUnavailable where
    the store could not be written, and then holds no row of the backup.
    """
    contents = read_contents(file)
    if contents.revision not in revisions():
        raise NotABackup("a newer version of relapse-cds wrote this backup: restore it with that version")
    with reported("restoring a backup"):
        if any(count_rows(engines).values()):
            raise NotEmpty("a backup is restored into an empty store only: name one that has no rows")
        if revision_of(engines) is not None:
            migrate(engines, "base")
        migrate(engines, contents.revision)
        file.seek(0)
        _fill(engines, file)
        migrate(engines)
    return contents


def count_rows(engines: Engines) -> dict[str, int]:
    """The number of rows of each of our tables; none where there are no tables.

    :raises StoreUnavailable: the store could not be read.
    """
    with reported("counting its rows"), engines.reading() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in _tables(connection)
        }


def _fill(engines: Engines, file: IO[bytes]) -> None:
    with engines.writing() as connection:
        tables = {table.name: table for table in _tables(connection)}
        waiting: dict[str, list[dict[str, Any]]] = {name: [] for name in tables}

        def send(name: str) -> None:
            if waiting[name]:
                connection.execute(insert(tables[name]), waiting[name])
                waiting[name] = []

        for line in _lines(file):
            if "row" in line:
                name = line["table"]
                waiting[name].append(_native(tables[name], line["row"]))
                if len(waiting[name]) >= ROWS_AT_ONCE:
                    send(name)
        for name in tables:
            send(name)
        if not engines.is_sqlite:
            for name in _NUMBERED:
                newest = f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), max(id)) FROM {name}"  # noqa: S608 - a name of our own
                connection.execute(text(f"{newest} HAVING count(*) > 0"))


def _native(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as this database takes it."""
    return {name: _value(table, name, value) for name, value in row.items()}


def _value(table: Table, name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return base64.b64decode(value["base64"])
    if isinstance(value, str) and isinstance(table.columns[name].type, DateTime):
        return datetime.fromisoformat(value)
    return value
