"""Local, Spark and hook calls say the same of every chart of one export, by checksum."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cds_service.cli import main
from fhir_mappings.assess import Knowledge
from tests.cds_service.cohort.engines import hook_statuses, write_everything
from tests.servers.hosting import folder

AT = datetime(2026, 6, 15, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("everything")
    write_everything(place)
    return place


@pytest.fixture(scope="module")
def local(export: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("local") / "out"
    assert main(["cohort", str(export), "--at", AT.isoformat(), "--out", str(out), "--workers", "1"]) == 3
    return out


def rows(out: Path) -> dict[str, dict[str, Any]]:
    found = map(json.loads, (out / "rows.ndjson").read_text().splitlines())
    return {row["patient"]: row for row in found}


def checksum(statuses: Mapping[str, str]) -> str:
    lines = "".join(f"{patient}\t{statuses[patient]}\n" for patient in sorted(statuses))
    return hashlib.sha256(lines.encode()).hexdigest()


def summary(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "summary.json").read_text())
    return found


def test_the_local_engine_says_what_hook_calls_say(export: Path, local: Path, knowledge: Knowledge) -> None:
    found, called = rows(local), hook_statuses(export, knowledge, AT)
    assert {patient: called[patient] for patient in found} == {
        patient: row["status"] for patient, row in found.items()
    }
    assert checksum({patient: called[patient] for patient in found}) == summary(local)["checksum"]
    # Whoever has no row is someone of whom a call says nothing.
    others = {status for patient, status in called.items() if patient not in found}
    assert others <= {"none", "out-of-scope"}
    assert len(found) > 20


def test_joined_and_contained_drugs_and_a_donors_specimen_are_read(local: Path) -> None:
    found = rows(local)
    # The donor's marrow of yesterday is not her relapse.
    assert "Observation/of-a-donor" not in found["p10"]["evidence"]


def spark_python() -> str:
    python = folder() / "spark" / "venv" / "bin" / "python"
    if shutil.which("java") is None or not python.is_file():
        pytest.skip("SKIPPED LOUDLY: Spark is not here; run .ci/parts/spark.sh (it needs Java 17)")
    return str(python)


def on_spark(*arguments: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SPARK_LOCAL_IP": "127.0.0.1"}
    environment["PYSPARK_SUBMIT_ARGS"] = "--master local[2] --driver-memory 1g pyspark-shell"
    python = spark_python()
    process = subprocess.run(
        [python, "-W", "ignore", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert process.returncode in (0, 3), process.stderr[-3000:]


def test_spark_writes_the_same_bytes(export: Path, local: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = "import sys; from cds_service.cli import main; sys.exit(main(sys.argv[1:]))"
    on_spark(
        "-c", command, "cohort", str(export), "--at", AT.isoformat(), "--out", str(out), "--engine", "spark"
    )
    # Spark's environment has the product on its path and not installed.
    assert {**summary(out), "software": ""} == {**summary(local), "software": ""}
    for name in ("rows.ndjson", "errors.ndjson"):
        assert (out / name).read_bytes() == (local / name).read_bytes()


def test_a_table_in_spark_gives_the_same_statuses(export: Path, local: Path, tmp_path: Path) -> None:
    out = tmp_path / "statuses.json"
    on_spark("-m", "tests.cds_service.cohort.spark_table_run", str(export), AT.isoformat(), str(out))
    found = json.loads(out.read_text())
    assert found == {patient: row["status"] for patient, row in rows(local).items()}
    assert checksum(found) == summary(local)["checksum"]
