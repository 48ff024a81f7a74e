"""Backup and restore: what comes back is what was there, into either database; nothing else is accepted."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from cds_service.feedback.export import write_json
from cds_service.store import AuditEntry, Call, FeedbackEvent, QuietRule, ShownCard, Store, open_store
from cds_service.store.backup import NotABackup, NotEmpty, count_rows, read_contents, restore, write_backup
from cds_service.store.checking import check_store
from cds_service.store.migration import migrate
from cds_service.store.opening import engines_of
from cds_service.store.tables import audit, metadata
from cds_service.store.trials import TrialRecord

AT = datetime(2026, 11, 20, 9, 30, 1, 123456, tzinfo=UTC)
SECRET = b"a secret that the database does not hold"
NewDatabase = Callable[[], str]


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> NewDatabase:
    """Makes the URL of one more empty database of a kind."""
    numbers = iter(range(100))
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path}/restored{next(numbers)}.db"
    server = request.getfixturevalue("postgresql")
    return lambda: str(server.new_database())


def event(number: int, comment: str = "") -> FeedbackEvent:
    at = AT + timedelta(hours=number)
    return FeedbackEvent(
        "general", "all-relapse", f"card-{number}", "allFinding", "2026.1", "overridden", "", "already-known",
        "", "", comment, at, at + timedelta(microseconds=1), "matched",
    )  # fmt: skip


def fill(store: Store, events: int = 1200) -> None:
    """Something in each table; more feedback than is copied at once."""
    card = ShownCard(
        "general", "card-0", "all-relapse", "allFinding", "2026.1", "sha256:0", "key", "p", AT, {"s": "x"}
    )
    store.evaluations.record([card, replace(card, card="card-1", at=AT + timedelta(days=1))])
    rule = QuietRule("general", store.pseudonym("general", "patient-1"), "allFinding", "key", AT, None)
    store.feedback.add([event(number, "größer als ½ \u2028 'quoted'") for number in range(events)], [rule])
    store.replay.is_first_use("issuer", "token", AT + timedelta(minutes=5), AT)
    call = Call(AT, "general", "all-relapse", "2026.1", "none", False, 24.9, 0)
    store.firings.add([call, replace(call, unshown=("allFinding",))])
    store.audit.append([AuditEntry(AT, "evaluation", "general", {"cards": 1, "code": 200})] * 3)
    store.trials.keep(TrialRecord("registry", AT, "origin", b"\x00\xff\x80"))


def backup_of(url: str) -> io.BytesIO:
    engines, out = engines_of(url), io.BytesIO()
    write_backup(engines, out, AT, "1.2.3")
    engines.close()
    out.seek(0)
    return out


def restored(url: str, backup: io.BytesIO) -> None:
    backup.seek(0)
    with closing(engines_of(url)) as engines:
        restore(engines, backup)


def export(store: Store) -> str:
    out = io.StringIO()
    write_json(store.feedback.read(None), out)
    return out.getvalue()


def rows(store: Store) -> dict[str, list[tuple[object, ...]]]:
    with store._engines.reading() as connection:
        return {
            table.name: [
                tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in metadata.sorted_tables
        }


def test_a_restored_store_is_the_one_that_was_backed_up(database_url: str, new_database: NewDatabase) -> None:
    """From each database into each: the same rows, export and pseudonyms, and an unbroken trail."""
    store = open_store(database_url, audit_secret=SECRET)
    fill(store)
    place = new_database()
    restored(place, backup_of(database_url))
    again = open_store(place, audit_secret=SECRET)
    assert rows(again) == rows(store)
    assert all(rows(store).values()), "every table holds something, or the comparison says nothing about it"
    assert export(again) == export(store)
    assert again.pseudonym("general", "patient-1") == store.pseudonym("general", "patient-1")
    assert again.audit.verify(head=store.audit.head()[1]).holds
    assert not again.replay.is_first_use("issuer", "token", AT + timedelta(minutes=5), AT)
    store.close()
    again.close()


def test_a_restored_store_goes_on(database_url: str, new_database: NewDatabase) -> None:
    """The numbers that the database draws continue behind the restored rows."""
    store = open_store(database_url)
    fill(store, 3)
    store.close()
    place = new_database()
    restored(place, backup_of(database_url))
    again = open_store(place)
    assert again.feedback.add([event(4000)]) == 1
    again.audit.append([AuditEntry(AT, "evaluation", "general", {})])
    assert again.audit.verify().holds
    assert len(list(again.feedback.read(None))) == 4
    again.close()


def test_a_backup_is_of_one_moment(database_url: str) -> None:
    """Rows that arrive while it is written are in all tables or in none."""
    store = open_store(database_url)
    fill(store, 1200)

    class Interrupting(io.BytesIO):
        """Something is written to the store while the backup goes on."""

        done = False

        def write(self, data: object) -> int:
            if not self.done:
                self.done = True
                store.feedback.add([event(5000)])
                store.audit.append([AuditEntry(AT, "late", "general", {})])
            return super().write(data)  # type: ignore[arg-type]

    engines, out = engines_of(database_url), Interrupting()
    contents = write_backup(engines, out, AT, "1.2.3")
    engines.close()
    assert out.done
    counted = (contents.tables["feedback"], contents.tables["audit"])
    assert counted in {(1200, 3), (1201, 4)}
    store.close()


def test_an_empty_store_can_be_backed_up_and_restored(database_url: str, new_database: NewDatabase) -> None:
    open_store(database_url).close()
    place = new_database()
    restored(place, backup_of(database_url))
    store = open_store(place)
    assert set(count_rows(store._engines).values()) == {0}
    store.close()


def test_the_service_may_have_started_once_on_the_empty_store(database_url: str, tmp_path: Path) -> None:
    source = open_store(f"sqlite:///{tmp_path}/source.db")
    fill(source, 2)
    backup = backup_of(f"sqlite:///{tmp_path}/source.db")
    open_store(database_url).close()
    restored(database_url, backup)
    store = open_store(database_url)
    assert rows(store) == rows(source)
    store.close()
    source.close()


def test_a_store_with_rows_is_never_overwritten(store: Store, database_url: str) -> None:
    fill(store, 2)
    before, backup = rows(store), backup_of(database_url)
    with pytest.raises(NotEmpty):
        restored(database_url, backup)
    assert rows(store) == before


def test_an_older_versions_backup_is_brought_up_to_date(database_url: str, new_database: NewDatabase) -> None:
    store = open_store(database_url)
    store.feedback.add([event(1)])
    migrate(store._engines, "0001")
    store.close()
    backup = backup_of(database_url)
    assert read_contents(backup).revision == "0001"
    place = new_database()
    restored(place, backup)
    again = open_store(place)
    assert [one.card for one in again.feedback.read(None)] == ["card-1"]
    again.close()


def damaged(backup: bytes, kind: str) -> bytes:
    lines = gzip.decompress(backup).splitlines(keepends=True)
    head = json.loads(lines[0])
    if kind == "cut file":
        return backup[: len(backup) // 2]
    if kind == "no gzip":
        return b"PGDMP" + backup
    if kind == "nothing":
        return b""
    if kind == "other JSON":
        lines = [b'{"resourceType":"Bundle"}\n']
    elif kind == "list":
        lines = [b"[]\n"]
    elif kind == "cut lines":
        lines = lines[:-2]
    elif kind == "row taken out":
        del lines[2]
    elif kind == "row changed":
        lines[2] = lines[2].replace(b"general", b"another")
    elif kind == "row added":
        lines.insert(2, lines[2])
    elif kind == "row behind the end":
        lines.append(lines[2])
    elif kind == "newer format":
        lines[0] = json.dumps({**head, "formatVersion": 2}).encode() + b"\n"
    elif kind == "newer revision":
        lines[0] = json.dumps({**head, "revision": "9999"}).encode() + b"\n"
    return gzip.compress(b"".join(lines))


@pytest.mark.parametrize(
    "kind",
    [
        "cut file", "no gzip", "nothing", "other JSON", "list", "cut lines", "row taken out", "row changed",
        "row added", "row behind the end", "newer format", "newer revision",
    ],
)  # fmt: skip
def test_what_is_no_whole_backup_writes_nothing(tmp_path: Path, kind: str) -> None:
    source = open_store(f"sqlite:///{tmp_path}/source.db")
    fill(source, 2)
    source.close()
    broken = io.BytesIO(damaged(backup_of(f"sqlite:///{tmp_path}/source.db").getvalue(), kind))
    place = f"sqlite:///{tmp_path}/target.db"
    with pytest.raises(NotABackup):
        restored(place, broken)
    with closing(engines_of(place)) as engines:
        assert count_rows(engines) == {}


def test_a_sound_store_has_no_fault(store: Store) -> None:
    fill(store, 2)
    report = check_store(store._engines, None)
    assert report.faults == []
    assert "  feedback: 2" in report.lines


def test_a_store_without_tables_is_a_fault(database_url: str) -> None:
    with closing(engines_of(database_url)) as engines:
        assert len(check_store(engines, None).faults) == 1


def test_a_trail_that_does_not_hold_is_a_fault(store: Store) -> None:
    fill(store, 2)
    with store._engines.writing() as connection:
        connection.execute(update(audit).where(audit.c.id == 2).values(tenant="other"))
    assert any("audit trail" in fault for fault in check_store(store._engines, None).faults)


def test_a_damaged_sqlite_file_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = open_store(f"sqlite:///{path}")
    fill(store, 300)
    store._engines.checkpoint()
    store.close()
    data = bytearray(path.read_bytes())
    page = 4096
    for start in range(8 * page, len(data), page):
        data[start : start + 12] = b"\x00" * 12
    path.write_bytes(bytes(data))
    with closing(engines_of(f"sqlite:///{path}")) as engines:
        assert any("SQLite says" in fault for fault in check_store(engines, None).faults)
