"""Running the demonstration's server in a process of its own that cannot outlive its parent.

The parent opens the listening socket and hands it over, so that a busy port is known at once. The
child reads its orders from standard input and stops when that is closed, however the parent ended.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from threading import Thread
from typing import Any

import requests
from flask import Flask
from gunicorn.app.base import BaseApplication

from cds_service.demo.application import DemoPlace, demo_application
from cds_service.demo.ehr import new_session
from cds_service.server.sockets import listen_on

THREADS = 16
_READY_SECONDS = 60.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.1


class NotStarted(Exception):
    """The server did not come up. The message says why and what to do."""


@contextmanager
def running_demo(
    place: DemoPlace, listening: Callable[[DemoPlace], None] = lambda _: None
) -> Iterator[DemoPlace]:
    """Serve the demonstration while the context lasts; port 0 means any free port.

    ``listening`` is called with the address as soon as calls are taken; they are answered a little later.

    Raises:
        PortUnusable: when the port cannot be opened.
        NotStarted: when the server does not get ready.
    """
    with listen_on(place.host, place.port) as listener:
        place = replace(place, port=listener.getsockname()[1])
        child = _start(place, listener)
        listening(place)
    try:
        _wait_until_ready(place, child)
        yield place
    finally:
        _stop(child)


def _start(place: DemoPlace, listener: socket.socket) -> subprocess.Popen[bytes]:
    orders = {
        "host": place.host,
        "port": place.port,
        "today": place.today.isoformat(),
        "secret": base64.b64encode(place.secret).decode(),
        "listener": listener.fileno(),
    }
    child = subprocess.Popen(
        [sys.executable, "-m", "cds_service.demo.hosting"],
        stdin=subprocess.PIPE,
        pass_fds=(listener.fileno(),),
    )
    assert child.stdin is not None  # noqa: S101 - PIPE was asked for
    child.stdin.write(json.dumps(orders).encode() + b"\n")
    child.stdin.flush()
    return child


def _wait_until_ready(place: DemoPlace, child: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _READY_SECONDS
    with new_session() as session:
        while time.monotonic() < end:
            if child.poll() is not None:
                raise NotStarted("The server stopped while starting. Its messages above say why.")
            try:
                if session.get(f"{place.url}/readyz", timeout=_READY_SECONDS).status_code == 200:
                    return
            except requests.RequestException:
                pass
            time.sleep(_POLL_SECONDS)
    raise NotStarted(f"The server was not ready within {_READY_SECONDS:.0f} seconds.")


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    finally:
        if child.stdin is not None:
            child.stdin.close()


class _Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with one process, since the sandbox lives in its memory, and threads for the calls back."""

    def __init__(self, place: DemoPlace, listener: int) -> None:
        self._place = place
        self._listener = listener
        super().__init__()

    def load_config(self) -> None:
        settings: dict[str, Any] = {
            "bind": f"fd://{self._listener}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "graceful_timeout": 2,
            "loglevel": "warning",
            "control_socket_disable": True,
            "proc_name": "relapse-cds demo",
            "when_ready": lambda _: Thread(target=_stop_with_parent, daemon=True).start(),
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return demo_application(self._place)


def _stop_with_parent() -> None:
    """Wait for the end of standard input, which comes with the end of the parent."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """The child: read the orders and serve."""
    line = bytearray()
    while not line.endswith(b"\n"):
        line += os.read(0, 1) or b"\n"
    orders = json.loads(line)
    secret = base64.b64decode(orders["secret"])
    place = DemoPlace(orders["host"], orders["port"], date.fromisoformat(orders["today"]), secret)
    _Server(place, orders["listener"]).run()


if __name__ == "__main__":
    main()
