"""``relapse-cds store`` and ``relapse-cds audit``, as an operator types them."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from cds_service.cli import main
from cds_service.store import AuditEntry, FeedbackEvent, open_store
from cds_service.store.tables import audit

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SECRET = "a secret that the database does not hold"


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = main([str(argument) for argument in arguments])
    told = capsys.readouterr()
    return code, told.out + told.err


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "store.db"
    monkeypatch.setenv("RELAPSE_CDS_STORE", f"sqlite:///{path}")
    monkeypatch.setenv("RELAPSE_CDS_AUTH", "off")
    monkeypatch.setenv("RELAPSE_CDS_ENVIRONMENT", "development")
    monkeypatch.setenv("RELAPSE_CDS_AUDIT_SECRET", SECRET)
    store = open_store(f"sqlite:///{path}", audit_secret=SECRET.encode())
    event = FeedbackEvent(
        "general", "all-relapse", "card", "allFinding", "2026.1", "overridden", "", "already-known",
        "", "", "seen", AT, AT, "matched",
    )  # fmt: skip
    store.feedback.add([event])
    store.audit.append([AuditEntry(AT + timedelta(days=n), "evaluation", "general", {}) for n in range(3)])
    store.close()
    path.chmod(0o600)
    return path


def test_back_up_lose_everything_restore_export(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = run(capsys, "feedback", "export", "--json")
    backup = tmp_path / "copy.backup"
    code, told = run(capsys, "store", "backup", backup)
    assert (code, "feedback 1" in told, "audit 3" in told) == (0, True, True)
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert run(capsys, "store", "check", "--backup", backup)[0] == 0
    for file in tmp_path.glob("store.db*"):
        file.unlink()
    assert run(capsys, "store", "restore", backup)[0] == 0
    assert run(capsys, "feedback", "export", "--json") == before
    assert run(capsys, "store", "check")[0] == 0
    assert run(capsys, "audit", "verify")[0] == 0


def test_a_backup_replaces_no_file(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    existing = tmp_path / "precious"
    existing.write_text("kept")
    code, told = run(capsys, "store", "backup", existing)
    assert (code, "exists already" in told, existing.read_text()) == (2, True, "kept")
    code, told = run(capsys, "store", "backup", tmp_path / "nowhere" / "copy")
    assert (code, "cannot be written" in told) == (2, True)
    assert sorted(path.name for path in tmp_path.glob("*.partial")) == []


def test_a_store_with_rows_is_not_overwritten(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "store", "backup", tmp_path / "copy")
    code, told = run(capsys, "store", "restore", tmp_path / "copy")
    assert (code, "empty store only" in told) == (2, True)


def test_a_store_that_is_not_there_is_not_made(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database.unlink()
    for arguments in (
        ["store", "backup", tmp_path / "copy"], ["store", "check"], ["store", "migrate"],
        ["audit", "verify"], ["audit", "export"],
    ):  # fmt: skip
        code, told = run(capsys, *arguments)
        assert (code, "there is no such file" in told) == (2, True), arguments
        assert not database.exists()


@pytest.mark.parametrize("content", [b"", b"no backup", b"\x1f\x8b\x08\x00"])
def test_what_is_no_backup_is_told(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    path = tmp_path / "copy"
    path.write_bytes(content)
    assert run(capsys, "store", "check", "--backup", path)[0] == 1
    code, told = run(capsys, "store", "restore", path)
    assert (code, "backup" in told) == (2, True)
    assert run(capsys, "store", "restore", tmp_path / "nowhere")[0] == 2


def test_a_file_that_others_can_read_is_told(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "chmod 600" not in run(capsys, "store", "check")[1]
    database.chmod(0o644)
    assert "chmod 600" in run(capsys, "store", "check")[1]


def test_the_tables_go_back_and_forth(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What an operator does to go back to an older version, and forward again; feedback stays."""
    before = run(capsys, "feedback", "export", "--json")
    assert "-> 0001" in run(capsys, "store", "migrate", "--to", "0001")[1]
    code, told = run(capsys, "store", "check")
    assert (code, "tables: 0001" in told) == (0, True)
    assert run(capsys, "store", "migrate")[0] == 0
    assert run(capsys, "feedback", "export", "--json") == before
    assert run(capsys, "store", "migrate", "--to", "7")[0] == 2


def test_a_sound_trail_is_verified(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = run(capsys, "audit", "verify")
    assert (code, "3 entries, 3 of them sealed with a secret" in told) == (0, True)
    code, told = run(capsys, "audit", "verify", "--json")
    report = json.loads(told)
    assert (code, report["holds"], report["breaks"]) == (0, True, [])
    assert run(capsys, "audit", "verify", "--head", report["head"])[0] == 0
    code, told = run(capsys, "audit", "verify", "--head", "0" * 64)
    assert (code, "--head" in told) == (1, True)


def test_a_changed_trail_is_told(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = open_store(f"sqlite:///{database}")
    with store._engines.writing() as connection:
        connection.execute(update(audit).where(audit.c.id == 2).values(tenant="other"))
    store.close()
    code, told = run(capsys, "audit", "verify")
    assert (code, "entry 2: changed" in told, "DOES NOT HOLD" in told) == (1, True, True)
    code, told = run(capsys, "store", "check")
    assert (code, "FAULT: the audit trail" in told) == (1, True)


def test_without_a_secret_the_weakness_is_told(
    database: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RELAPSE_CDS_AUDIT_SECRET")
    code, told = run(capsys, "audit", "verify")
    assert (code, "no audit_secret is configured" in told, "unknown-key" in told) == (1, True, True)


def test_a_former_secret_is_read_from_a_file(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELAPSE_CDS_AUDIT_SECRET", "the secret of the year after that")
    former = tmp_path / "former"
    former.write_text(f"{SECRET}\n")
    assert run(capsys, "audit", "verify")[0] == 1
    assert run(capsys, "audit", "verify", "--former-secret-file", former)[0] == 0
    assert run(capsys, "audit", "verify", "--former-secret-file", tmp_path / "nowhere")[0] == 2
    former.write_text("")
    assert run(capsys, "audit", "verify", "--former-secret-file", former)[0] == 2


def test_the_trail_is_exported_as_lines_of_json(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = run(capsys, "audit", "export", "--since", "2026-11-21")
    lines = [json.loads(line) for line in told.splitlines()]
    assert (code, [line["id"] for line in lines]) == (0, [2, 3])
    assert lines[1]["previous"] == lines[0]["digest"]
    with pytest.raises(SystemExit):
        main(["audit", "export", "--since", "yesterday"])
