"""``relapse-cds feedback export``."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cds_service.cli import main
from cds_service.store import FeedbackEvent, open_store

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def _event(number: int) -> FeedbackEvent:
    at = AT + timedelta(days=number)
    return FeedbackEvent(
        "general", "all-relapse", f"card-{number}", "allFinding", "2026.1", "overridden", "", "already-known",
        "", "", "=cmd()", at, at, "matched",
    )  # fmt: skip


@pytest.fixture
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    store = open_store(url)
    store.feedback.add([_event(number) for number in range(3)])
    store.close()
    monkeypatch.setenv("RELAPSE_CDS_STORE", url)
    monkeypatch.setenv("RELAPSE_CDS_AUTH", "off")
    monkeypatch.setenv("RELAPSE_CDS_ENVIRONMENT", "development")


@pytest.mark.usefixtures("_store")
@pytest.mark.parametrize("arguments", [[], ["--csv"]])
def test_csv_is_the_default(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main(["feedback", "export", *arguments]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["card"] for row in rows] == ["card-0", "card-1", "card-2"]
    assert {row["comment"] for row in rows} == {"'=cmd()"}


@pytest.mark.usefixtures("_store")
@pytest.mark.parametrize(
    ("since", "cards"),
    [
        ("2026-11-21", ["card-1", "card-2"]),
        ("2026-11-21T09:30:00Z", ["card-1", "card-2"]),
        ("2026-11-21T09:30:01+00:00", ["card-2"]),
        ("2030-01-01", []),
    ],
)
def test_json_since_a_moment(capsys: pytest.CaptureFixture[str], since: str, cards: list[str]) -> None:
    assert main(["feedback", "export", "--json", "--since", since]) == 0
    assert [row["card"] for row in json.loads(capsys.readouterr().out)] == cards


@pytest.mark.usefixtures("_store")
def test_a_moment_that_is_none_is_unusable(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["feedback", "export", "--since", "yesterday"]) == 2
    assert "--since: write a date" in capsys.readouterr().err


@pytest.mark.usefixtures("_store")
@pytest.mark.parametrize("url", ["sqlite:///nowhere/store.db", "sqlite://"])
def test_an_export_makes_no_store(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    monkeypatch.setenv("RELAPSE_CDS_STORE", url)
    assert main(["feedback", "export"]) == 2
    assert "there is no such file" in capsys.readouterr().err


@pytest.mark.usefixtures("_store")
def test_an_unreachable_store_says_so_without_its_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("RELAPSE_CDS_STORE", f"postgresql+psycopg://u:CANARY@/db?host={tmp_path}")
    assert main(["feedback", "export"]) == 1
    captured = capsys.readouterr()
    assert "store postgresql+psycopg://u:***@/db: unavailable while opening it" in captured.err
    assert "CANARY" not in captured.err + captured.out
