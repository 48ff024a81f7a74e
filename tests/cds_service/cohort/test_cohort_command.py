"""``relapse-cds cohort`` from an export to its files."""

from __future__ import annotations

import csv
import hashlib
import json
import random
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.export import Plan, write_export
from cds_service.cli import main
from cds_service.cohort import local
from cds_service.cohort.report import Counts
from cds_service.cohort.results import has_parquet

AT = "2026-06-15T12:00:00Z"
FILES = ("rows.csv", "rows.ndjson", "summary.json", "report.html", "errors.ndjson")


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    write_export(Plan(patients=560), folder)
    return folder


def cohort(export: Path, out: Path, *more: str) -> int:
    return main(["cohort", str(export), "--at", AT, "--out", str(out), "--workers", "1", *more])


def rows(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "rows.ndjson").read_text().splitlines()]


def summary(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "summary.json").read_text())
    return found


def test_an_export_becomes_rows_a_summary_and_a_report(
    export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert cohort(export, out) == 0
    found, told = rows(out), summary(out)
    assert [row["patient"] for row in found] == sorted(row["patient"] for row in found)
    assert told["opened"] == len(found) == 13
    assert told["patients"] == 560
    assert told["status"] == {"none": 1, "probable": 1, "relapse": 11}
    lines = "".join(f"{row['patient']}\t{row['status']}\n" for row in found)
    assert told["checksum"] == hashlib.sha256(lines.encode()).hexdigest()
    with (out / "rows.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [(one["patient"], one["status"]) for one in table] == [
        (row["patient"], row["status"]) for row in found
    ]
    assert "13 charts opened: 1 none, 1 probable, 11 relapse" in capsys.readouterr().out
    assert not (out / ".work").exists()


def test_only_the_owner_may_read_what_is_written(export: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    cohort(export, out)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in out.iterdir()}
    assert modes == dict.fromkeys((*FILES, "audit.json"), 0o600)
    assert stat.S_IMODE(out.stat().st_mode) == 0o700


def test_the_report_names_nobody_and_no_small_count(export: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    cohort(export, out)
    page = (out / "report.html").read_text()
    assert '<td class="name">probable</td><td class="n">&lt;5</td>' in page
    assert '<td class="name">relapse</td><td class="n">11</td>' in page
    assert not any(row["patient"] + "<" in page or f"/{row['patient']}" in page for row in rows(out))
    assert not any(word in page for word in ("http://", "https://", "<script", "src=", "@import", "url("))
    other = tmp_path / "other"
    cohort(export, other, "--small-cells")
    assert '<td class="name">probable</td><td class="n">1</td>' in (other / "report.html").read_text()


@pytest.mark.parametrize(
    ("numbers", "texts"),
    [
        ([325, 30, 117, 0], ["325", "30", "117", "0"]),
        ([325, 30, 117, 1], ["325", "≥5", "117", "<5"]),  # or 473 - 325 - 30 - 117 would tell the one
        ([11, 1, 1], ["11", "<5", "<5"]),
        ([1], ["<5"]),
        ([5, 4], ["≥5", "<5"]),
    ],
)
def test_a_total_does_not_tell_the_one_small_count(numbers: list[int], texts: list[str]) -> None:
    assert Counts(small_cells=False).parts(numbers) == texts
    assert Counts(small_cells=True).parts(numbers) == [str(number) for number in numbers]


def test_processes_and_cuts_change_nothing(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cohort(export, tmp_path / "one")
    monkeypatch.setattr("cds_service.cohort.running.SHARD_BYTES", 50_000)
    main(["cohort", str(export), "--at", AT, "--out", str(tmp_path / "two"), "--workers", "2"])
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_faults_are_named_and_nobody_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export, out = tmp_path / "export", tmp_path / "out"
    write_export(Plan(patients=80, packed=True, references="mixed", faults=True), export)
    assert cohort(export, out) == 3
    faults = [json.loads(line) for line in (out / "errors.ndjson").read_text().splitlines()]
    assert [fault["why"] for fault in faults] == [
        *("not-json", "not-json", "no-patient", "too-long", "not-json", "no-patient", "not-json", "truncated")
    ]
    assert all(Path(fault["file"]).is_file() and fault["offset"] >= 0 for fault in faults)
    found = {row["patient"]: row["status"] for row in rows(out)}
    # Conditions that cannot be read, and one in a file of Observations, keep their patients.
    assert found["planted-1"] == "not-evaluable"
    assert "planted-2" in found
    assert "8 lines or files could not be read" in capsys.readouterr().err


def test_a_run_killed_at_any_moment_and_gone_on_with_writes_the_same_bytes(
    export: Path, tmp_path: Path
) -> None:
    """Killed again and again at a random step, the last times late, and each time gone on with."""
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    cohort(export, whole)
    command = [sys.executable, "-m", "tests.cds_service.cohort.killed_run", str(export), str(stopped), AT]
    rng, kills = random.Random(7), 0
    for _attempt in range(30):
        step = str(rng.randrange(2, 14))
        done = subprocess.run([*command, step], cwd=Path(__file__).parents[3], check=False)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
        kills += 1
    assert kills >= 3
    for name in FILES:
        assert (stopped / name).read_bytes() == (whole / name).read_bytes()
    assert {file.name for file in stopped.iterdir()} == {*FILES, "audit.json"}


def test_an_unfinished_run_is_not_overwritten(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"

    def broken(*_: object) -> Iterator[int]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(local, "assess_bucket", broken)
        assert cohort(export, out) == 130
    assert cohort(export, out) == 2
    assert "--resume" in capsys.readouterr().err
    assert main(["cohort", str(export), "--at", "2020-01-01", "--out", str(out), "--resume"]) == 2
    assert "another export, moment, configuration or version" in capsys.readouterr().err
    assert cohort(export, out, "--resume") == 0


def test_a_disk_that_is_full_leaves_nothing_half(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("cds_service.cohort.results._csv_line", full)
        assert cohort(export, out) == 2
    assert "the disk is full; make room and go on with --resume" in capsys.readouterr().err
    assert [file.name for file in out.iterdir() if file.is_file()] == []
    assert cohort(export, out, "--resume") == 0


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["cohort", "nowhere", "--out", "out"], "no export is here"),
        (["cohort", "."], "--out: name the folder"),
        (["cohort", ".", "x", "--out", "out"], "name one export"),
        (["cohort", "compare", "a"], "name two folders"),
        (["cohort", "compare", "a", "b"], "cannot be read"),
        (["cohort", ".", "--out", "out", "--key-table", "k"], "only with --pseudonyms"),
        (["cohort", ".", "--out", "out", "--tenant", "x"], "--config"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str],
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert why in capsys.readouterr().err


def test_a_comparison_finds_a_lost_relapse(
    export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    cohort(export, one)
    main(["cohort", str(export), "--at", "2026-06-10T12:00:00Z", "--out", str(other), "--workers", "1"])
    capsys.readouterr()
    assert main(["cohort", "compare", str(one), str(one)]) == 0
    assert "13 charts the same, 0 changed, 0 relapses lost" in capsys.readouterr().out
    assert main(["cohort", "compare", str(one), str(other)]) == 1
    told = capsys.readouterr().out
    assert "LOST p0: relapse -> " in told
    assert "criteria_met: " in told
    assert main(["cohort", "compare", str(other), str(one)]) == 0


def site(tmp_path: Path) -> Path:
    file = tmp_path / "site.toml"
    file.write_text(
        f'environment = "development"\nauth = "off"\nstore = "sqlite:///{tmp_path}/store.db"\n'
        'pseudonym_secret = "a secret of this site"\n[[tenants]]\nid = "clinic"\n'
    )
    return file


def test_pseudonyms_stand_everywhere_and_the_key_table_apart(export: Path, tmp_path: Path) -> None:
    plain, out, keys = tmp_path / "plain", tmp_path / "out", tmp_path / "keys.csv"
    cohort(export, plain)
    assert cohort(export, out, "--config", str(site(tmp_path)), "--pseudonyms", "--key-table", str(keys)) == 0
    ids = {row["patient"] for row in rows(plain)}
    text = "".join((out / name).read_text() for name in FILES)
    assert not any(f'"{patient}"' in text or f"/{patient}-" in text for patient in ids)
    with keys.open(newline="") as file:
        table = {line["pseudonym"]: line["patient"] for line in csv.DictReader(file)}
    assert set(table.values()) == ids
    assert {table[row["patient"]]: row["status"] for row in rows(out)} == {
        row["patient"]: row["status"] for row in rows(plain)
    }
    assert [row["patient"] for row in rows(out)] == sorted(table)
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600


def test_every_run_is_on_the_audit_trail(export: Path, tmp_path: Path) -> None:
    from cds_service.store import open_store

    cohort(export, tmp_path / "out", "--config", str(site(tmp_path)))
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    (sealed,) = store.audit.read()
    store.close()
    assert (sealed.entry.event, sealed.entry.tenant) == ("cohort", "clinic")
    assert sealed.entry.fields["patients"] == 560
    assert sealed.entry.fields["rows"] == 13
    assert sealed.entry.fields["user"]


def test_nothing_is_logged(export: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(0):
        cohort(export, tmp_path / "out")
    assert [record.getMessage() for record in caplog.records if record.name.startswith("relapse_cds")] == []


def test_parquet_is_an_extra(export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    code = cohort(export, out, "--parquet")
    if not has_parquet():
        assert code == 2
        assert "relapse-cds[parquet]" in capsys.readouterr().err
        return
    assert code == 0
    assert (out / "rows.parquet").read_bytes()[:4] == b"PAR1"


def test_a_run_is_quick_to_begin() -> None:
    """The engines are imported only when they are asked for."""
    command = "import cds_service.cli, sys; cds_service.cli.make_parser(); print('pyspark' in sys.modules)"
    started = time.monotonic()
    told = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"
    assert time.monotonic() - started < 60
