"""The service as it runs in production: gunicorn with several workers, in a process group of its own.

Started by :func:`running`; this module is also the program that is started. Its clock stands still, so
that tokens of a fixed moment are good.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import requests

from cds_service.settings.model import Settings

ROOT = Path(__file__).parents[2]
START_SECONDS = 240.0


@dataclass(frozen=True)
class Service:
    """A running service."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    listener: socket.socket

    def kill(self) -> None:
        """kill -9, every worker at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.listener.close()


def start(settings: Settings, at: datetime, folder: Path) -> Service:
    """Starts the service and waits until it is ready."""
    # Handed over open: a port that is given back for a moment may be taken by another service, which
    # would then answer in this one's place.
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    port = int(listener.getsockname()[1])
    folder = Path(tempfile.mkdtemp(prefix="service-", dir=folder))
    config = folder / "settings.json"
    config.write_text(settings.model_copy(update={"port": port}).model_dump_json())
    log = folder / "log.txt"
    # One set of counters for all workers.
    metrics = folder / "metrics"
    metrics.mkdir()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.cds_service.running",
                str(config),
                at.isoformat(),
                str(listener.fileno()),
            ],
            cwd=ROOT,
            stdout=output,
            stderr=output,
            env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(metrics)},
            pass_fds=(listener.fileno(),),
            start_new_session=True,
        )
    service = Service(f"http://127.0.0.1:{port}", process, log, listener)
    _wait(service)
    return service


@contextmanager
def running(settings: Settings, at: datetime, folder: Path) -> Iterator[Service]:
    """A service that is killed at the end."""
    service = start(settings, at, folder)
    try:
        yield service
    finally:
        service.kill()


def _wait(service: Service) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if service.process.poll() is not None:
            break
        try:
            if requests.get(f"{service.url}/readyz", timeout=120).status_code == 200:
                return
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.05)
    raise AssertionError(f"the service did not start:\n{service.log.read_text()[-4000:]}")


def main(config: str, at: str, listener: str) -> None:
    """Serves with a clock that stands still, on a socket that is open already."""
    from cds_service.app import create_app
    from cds_service.observability import log
    from cds_service.server import gunicorn_server as server

    settings = Settings.model_validate_json(Path(config).read_text())
    moment = datetime.fromisoformat(at)
    log.configure_logging(settings.log_level)
    options = server._options(settings, f"fd://{listener}")
    server._Server(lambda: create_app(settings, clock=lambda: moment), options).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
