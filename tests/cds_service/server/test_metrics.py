"""What was counted is shown in every shape of configuration, over the server of production."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from cds_service.cli import main
from cds_service.observability import shared_metrics
from tests.cds_service.charts import asthma, bundle, request
from tests.cds_service.server.serving import ROOT, Served

CALLS = 12
"""Enough for every worker to be met; the sum is the same whichever of them is asked."""
TENANT = """
[[tenants]]
id = "general"
{servers}
"""
FHIR_SERVER = 'fhir_servers = ["https://fhir.example.org/r4"]'


@contextmanager
def serving(folder: Path, **more: str) -> Iterator[Served]:
    served = Served(folder, **more)
    try:
        yield served
    finally:
        served.process.terminate()
        served.process.wait(120)


def call(served: Served) -> bytes:
    body = orjson.dumps(request({"problems": bundle(asthma())}))
    head = (
        "POST /cds-services/all-relapse HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return served.send(head.encode() + body)


def counted(served: Served, port: int) -> float:
    status, text = served.get("/metrics", port)
    assert status == 200
    return sum(
        sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
        if sample.name == "http_requests_total" and sample.labels["route"].startswith("/cds-services/")
    )


@pytest.mark.parametrize("own_port", [False, True], ids=["route", "own-port"])
@pytest.mark.parametrize("servers", ["", FHIR_SERVER], ids=["no-fhir-server", "fhir-server"])
@pytest.mark.parametrize("workers", [None, 1, 3], ids=["default-workers", "one-worker", "three-workers"])
def test_every_call_is_counted(tmp_path: Path, workers: int | None, servers: str, own_port: bool) -> None:
    config = tmp_path / "site.toml"
    config.write_text(TENANT.format(servers=servers), "utf-8")
    more = {"RELAPSE_CDS_CONFIG": str(config)} | ({"RELAPSE_CDS_WORKERS": str(workers)} if workers else {})
    if not own_port:
        more["RELAPSE_CDS_METRICS_PORT"] = "0"
    with serving(tmp_path, **more) as served:
        for _ in range(CALLS):
            assert b" 200 " in call(served).splitlines()[0]
        assert counted(served, served.metrics_port if own_port else served.port) == CALLS
    assert list(tmp_path.glob("relapse-cds-metrics-*")) == []


def run_alone(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_an_import_that_came_too_early_stops_the_server_instead_of_hiding_its_metrics() -> None:
    told = run_alone(
        "import prometheus_client\n"
        "from cds_service.observability.shared_metrics import require_shared, shared_metrics\n"
        "with shared_metrics(): require_shared()"
    )
    assert told.returncode != 0
    assert "imported before" in told.stderr


def test_the_command_line_leaves_prometheus_client_to_the_command() -> None:
    told = run_alone(
        "import sys\n"
        "from cds_service.cli import make_parser\n"
        "make_parser()\n"
        "sys.exit('prometheus_client' in sys.modules)"
    )
    assert (told.returncode, told.stderr) == (0, "")


def test_serving_without_a_place_for_metrics_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(shared_metrics.VARIABLE, raising=False)
    with pytest.raises(RuntimeError, match="must be entered"):
        shared_metrics.require_shared()


@pytest.mark.parametrize("named", ["no/such/folder", "a-file"])
def test_a_directory_that_cannot_be_used_is_told(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a-file").touch()
    monkeypatch.setenv(shared_metrics.VARIABLE, str(tmp_path / named))
    assert main(["serve"]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"relapse-cds: {shared_metrics.VARIABLE}: ")
    assert told.count("\n") == 1


def test_a_directory_named_from_outside_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(shared_metrics.VARIABLE, str(tmp_path))
    with shared_metrics.shared_metrics():
        assert shared_metrics.directory() == str(tmp_path)
    assert tmp_path.is_dir()


@pytest.mark.parametrize("before", [None, ""])
def test_a_configuration_that_cannot_be_used_leaves_no_directory(
    before: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("RELAPSE_CDS_CONFIG", str(tmp_path / "missing.toml"))
    if before is None:
        monkeypatch.delenv(shared_metrics.VARIABLE, raising=False)
    else:
        monkeypatch.setenv(shared_metrics.VARIABLE, before)
    assert main(["serve"]) == 2
    assert list(tmp_path.iterdir()) == []
