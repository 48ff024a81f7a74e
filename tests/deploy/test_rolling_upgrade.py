"""A new version takes over behind nginx while calls and feedback go on: no call fails, nothing acknowledged
is lost.

The old version is 0.1.0, taken out of the history of this repository; where a clone has no history, this
version is exchanged for itself, and the test says so.
"""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import tarfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from cds_service.store import open_store
from cds_service.store.migration import is_current
from cds_service.store.opening import engines_of
from tests.cds_service.charts import asthma, bundle, request
from tests.cds_service.databases import ThrowAwayPostgresql, postgresql
from tests.cds_service.server.serving import Served
from tests.deploy.test_nginx import NGINX, SHIPPED, free_port, write_certificate

__all__ = ["postgresql"]
ROOT = Path(__file__).parents[2]
FIRST_VERSION = "90b1d3a"
CALLERS = 3
PAUSE_SECONDS = 0.15
"""Three callers stay below what the shipped nginx.conf lets one address send."""
PATIENCE_SECONDS = 120

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx IS NOT TESTED: it is not installed")


class Front:
    """nginx with the shipped configuration, whose upstream can be changed."""

    def __init__(self, folder: Path, upstream: int) -> None:
        self._folder, self._port = folder, free_port()
        self.url = f"https://localhost:{self._port}"
        write_certificate(folder)
        self._write(upstream)
        command = [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def lead_to(self, upstream: int) -> None:
        """What an operator does: change the address, reload."""
        self._write(upstream)
        self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_SECONDS)

    def _write(self, upstream: int) -> None:
        text = SHIPPED.read_text("utf-8")
        text = text.replace("/etc/relapse-cds/", f"{self._folder}/")
        text = text.replace("127.0.0.1:8080", f"127.0.0.1:{upstream}")
        text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{self._port} ssl")
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        places = "".join(f"{kind}_temp_path {self._folder}/{kind};\n" for kind in kinds)
        (self._folder / "nginx.conf").write_text(text.replace("http {\n", f"http {{\n{places}", 1))


@dataclass
class Load:
    """EHRs that call and send feedback until they are told to stop, each call on a connection of its own."""

    url: str
    certificate: Path
    acknowledged: set[str] = field(default_factory=set)
    calls: int = 0
    failures: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        self._threads = [threading.Thread(target=self._call_on) for _ in range(CALLERS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)

    def _call_on(self) -> None:
        body = request({"conditions": bundle(asthma())})
        while not self._stop.wait(PAUSE_SECONDS):
            self._post("/cds-services/all-relapse", body)
            card = str(uuid4())
            item = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-20T11:00:00Z"}
            if self._post("/cds-services/all-relapse/feedback", {"feedback": [item]}):
                self.acknowledged.add(card)

    def _post(self, path: str, body: Any) -> bool:
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.post(
                    self.url + path, json=body, verify=str(self.certificate), timeout=PATIENCE_SECONDS,
                    headers={"Connection": "close"},
                )  # fmt: skip
        except requests.RequestException as fault:
            self.failures.append(type(fault).__name__)
            return False
        self.calls += 1
        if answer.status_code != 200:
            self.failures.append(f"{answer.status_code} {answer.text[:200]}")
        return answer.status_code == 200


@pytest.fixture(scope="module")
def old_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the code of 0.1.0, or this checkout where there is no history."""
    command = ["git", "archive", FIRST_VERSION, "cds_service", "fhir_mappings"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        sys.stderr.write("NO OLD VERSION: this clone has no history; this version is exchanged for itself\n")
        return ROOT
    folder = tmp_path_factory.mktemp("first-version")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture
def database(postgresql: ThrowAwayPostgresql) -> str:
    return postgresql.new_database()


def served(folder: Path, code: Path, database: str) -> Served:
    folder.mkdir()
    return Served(folder, PYTHONPATH=str(code), RELAPSE_CDS_STORE=database)


def answered(service: Served) -> int:
    return sum(line.get("event") == "answered" and line.get("code") == 200 for line in service.log())


def test_an_upgrade_under_load_loses_no_call_and_no_feedback(
    tmp_path: Path, old_version: Path, database: str
) -> None:
    old = served(tmp_path / "old", old_version, database)
    front = Front(tmp_path, old.port)
    load = Load(front.url, tmp_path / "tls.crt")
    new = None
    try:
        load.start()
        new = served(tmp_path / "new", ROOT, database)
        time.sleep(1)
        front.lead_to(new.port)
        time.sleep(1)
        old.process.send_signal(signal.SIGTERM)
        assert old.process.wait(PATIENCE_SECONDS) == 0
        time.sleep(1)
    finally:
        load.stop()
        front.stop()
        for service in filter(None, (old, new)):
            service.process.terminate()
            service.process.wait(PATIENCE_SECONDS)
    assert load.failures == []
    assert answered(old) > 5
    assert answered(new) > 5
    store = open_store(database)
    with closing(engines_of(database)) as engines:
        assert is_current(engines)
    kept = {event.card for event in store.feedback.read(None)}
    assert len(load.acknowledged) > 10
    assert load.acknowledged - kept == set()
    assert store.audit.verify().holds
    store.close()
