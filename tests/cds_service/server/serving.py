"""``relapse-cds serve`` as a process, in a directory of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

ROOT = Path(__file__).parents[3]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Served:
    """A running ``relapse-cds serve`` in a directory of its own; ``more`` are further variables."""

    def __init__(self, directory: Path, **more: str) -> None:
        self.directory = directory
        self.port, self.metrics_port = free_port(), free_port()
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(directory),
            "RELAPSE_CDS_AUTH": "off",
            "RELAPSE_CDS_ENVIRONMENT": "development",
            "RELAPSE_CDS_PORT": str(self.port),
            "RELAPSE_CDS_METRICS_PORT": str(self.metrics_port),
            "RELAPSE_CDS_MAX_BODY_BYTES": "100000",
            **more,
        }
        command = [
            sys.executable,
            "-c",
            "import sys; from cds_service.cli import main; sys.exit(main(['serve']))",
        ]
        with (directory / "log").open("wb") as log:
            self.process = subprocess.Popen(command, cwd=directory, env=environ, stderr=log, stdout=log)
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + 240
        while time.monotonic() < end and self.process.poll() is None:
            try:
                self.get("/readyz")
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError((self.directory / "log").read_text())

    def get(self, path: str, port: int = 0) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", port or self.port, timeout=120)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def send(self, raw: bytes) -> bytes:
        """What comes back for some bytes, until the connection ends or is idle."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=120) as connection:
            connection.sendall(raw)
            answer = bytearray()
            while part := connection.recv(65_536):
                answer += part
            return bytes(answer)

    def log(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in (self.directory / "log").read_text().splitlines()]
