"""The ways in which a FHIR server or the network before it goes wrong, each as a few bytes or none.

A mode is given the connection, the request and the true answer. It returns whether the connection may
be used again. Modes that block do so until the client has gone or the server is stopped.
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.faults.wire import Answer, Asked

HTML = {"Content-Type": "text/html"}
_LINGER_ZERO = struct.pack("ii", 1, 0)


class Scene:
    """What a mode works with."""

    def __init__(self, connection: socket.socket, asked: Asked, true: Answer, stopped: threading.Event):
        self.connection = connection
        self.asked = asked
        self.true = true
        self.stopped = stopped

    def send(self, data: bytes) -> bool:
        """Send and keep the connection."""
        self.connection.sendall(data)
        return True

    def cut(self, data: bytes) -> bool:
        """Send and close the connection."""
        self.connection.sendall(data)
        return False

    def reset(self) -> bool:
        """Close with RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        return False

    def drip(self, data: bytes, pause: float = 0.03) -> bool:
        """One byte at a time, until somebody has enough."""
        for index in range(len(data)):
            if self.stopped.wait(pause):
                return False
            self.connection.sendall(data[index : index + 1])
        return True

    def wait(self) -> bool:
        """Say nothing until the client has gone."""
        self.connection.settimeout(0.05)
        while not self.stopped.is_set():
            try:
                if not self.connection.recv(1):
                    return False
            except TimeoutError:
                continue
        return False

    @property
    def second_page(self) -> bool:
        """Whether this request is for a later page."""
        return "_page=" in self.asked.target


def _bundle_with(scene: Scene, change: Callable[[dict[str, Any]], None]) -> bool:
    content = json.loads(scene.true.body or b"{}")
    change(content)
    return scene.send(replace(scene.true, body=json.dumps(content).encode()).bytes())


def _next_to(url: str) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        if content.get("resourceType") == "Bundle":
            others = [link for link in content.get("link", []) if link["relation"] != "next"]
            content["link"] = [*others, {"relation": "next", "url": url}]

    return change


def _without_next(content: dict[str, Any]) -> None:
    content["link"] = [link for link in content.get("link", []) if link["relation"] != "next"]


def _without_entries(content: dict[str, Any]) -> None:
    content.pop("entry", None)


def _with_error(content: dict[str, Any]) -> None:
    issue = {"severity": "error", "code": "exception"}
    outcome = {"resource": {"resourceType": "OperationOutcome", "issue": [issue]}}
    content.pop("entry", None)
    content["entry"] = [outcome]


def _as_stu3(content: dict[str, Any]) -> None:
    for entry in content.get("entry", []):
        if entry["resource"]["resourceType"] == "Condition":
            entry["resource"]["clinicalStatus"] = "active"


def _spoil_entries(content: dict[str, Any]) -> None:
    for entry in content.get("entry", []):
        entry["resource"]["code"] = "not a concept"


def _chunked_cut(scene: Scene) -> bool:
    head = b"HTTP/1.1 200 X\r\nContent-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\n\r\n"
    half = scene.true.body[: len(scene.true.body) // 2]
    return scene.cut(head + f"{len(half):x}\r\n".encode() + half + b"\r\n")


def _zipped(scene: Scene, data: bytes) -> bool:
    headers = {**scene.true.headers, "Content-Encoding": "gzip"}
    return scene.send(replace(scene.true, body=data, headers=headers).bytes())


def _later_status(scene: Scene, status: int) -> bool:
    return scene.send((Answer(status) if scene.second_page else scene.true).bytes())


BOMB = gzip.compress(b'{"resourceType":"Bundle","x":"' + b"0" * 40_000_000, 9)

MODES: dict[str, Callable[[Scene], bool]] = {
    "reset-before-reply": lambda s: s.reset(),
    "reset-in-body": lambda s: s.cut(s.true.bytes()[:-20]) or s.reset(),
    "close-before-reply": lambda s: False,
    "drip-body": lambda s: s.send(s.true.head()) and s.drip(s.true.body),
    "drip-headers": lambda s: s.drip(s.true.bytes()),
    "endless-headers": lambda s: s.send(b"HTTP/1.1 200 X\r\n") and s.drip(b"A: b\r\n" * 500, 0.01),
    "truncated": lambda s: s.cut(s.true.bytes()[: -len(s.true.body) // 2 or None]),
    "length-too-long": lambda s: s.cut(s.true.head(len(s.true.body) + 100) + s.true.body),
    "length-too-short": lambda s: s.send(s.true.head(len(s.true.body) // 2) + s.true.body),
    "chunked-cut": _chunked_cut,
    "second-reply-smuggled": lambda s: s.send(s.true.bytes() + Answer(body=b"{}").bytes()),
    "gzip-bomb": lambda s: _zipped(s, BOMB),
    "gzip-cut": lambda s: _zipped(s, gzip.compress(s.true.body)[:-9]),
    "gzip-named-only": lambda s: _zipped(s, s.true.body),
    "html-200": lambda s: s.send(Answer(200, b"<html><body>Sign in</body></html>", HTML).bytes()),
    "no-content-204": lambda s: s.send(Answer(204).bytes()),
    "empty-200": lambda s: s.send(Answer(200).bytes()),
    "throttled-429": lambda s: s.send(Answer(429).bytes()),
    "throttled-429-short-wait": lambda s: s.send(Answer(429, headers={"Retry-After": "0"}).bytes()),
    "throttled-429-long-wait": lambda s: s.send(Answer(429, headers={"Retry-After": "60"}).bytes()),
    "unavailable-503": lambda s: s.send(Answer(503).bytes()),
    "unavailable-503-wait": lambda s: s.send(Answer(503, headers={"Retry-After": "1"}).bytes()),
    "server-error-500": lambda s: s.send(Answer(500, b"{}").bytes()),
    "gateway-timeout-504": lambda s: s.send(Answer(504, b"<html>", HTML).bytes()),
    "forbidden-403": lambda s: s.send(Answer(403).bytes()),
    "token-expired-401": lambda s: _later_status(s, 401),
    "page-two-500": lambda s: _later_status(s, 500),
    "page-two-410": lambda s: _later_status(s, 410),
    "page-two-blackhole": lambda s: s.wait() if s.second_page else s.send(s.true.bytes()),
    "slow-first-byte": lambda s: s.wait(),
    "late": lambda s: not s.stopped.wait(0.05) and s.send(s.true.bytes()),
    "page-loop": lambda s: _bundle_with(s, _next_to(s.asked.target)),
    "next-to-other-host": lambda s: _bundle_with(s, _next_to("http://127.0.0.2:9/fhir/Observation?_page=1")),
    "next-to-file": lambda s: _bundle_with(s, _next_to("file:///etc/hostname")),
    "next-dropped": lambda s: _bundle_with(s, _without_next),
    "entries-dropped": lambda s: _bundle_with(s, _without_entries),
    "error-outcome-inside": lambda s: _bundle_with(s, _with_error),
    "stu3-conditions": lambda s: _bundle_with(s, _as_stu3),
    "entries-spoilt": lambda s: _bundle_with(s, _spoil_entries),
    "bare-outcome-200": lambda s: s.send(Answer(200, b'{"resourceType":"OperationOutcome"}').bytes()),
    "bad-json": lambda s: s.send(replace(s.true, body=s.true.body[:-1] + b",").bytes()),
    "array": lambda s: s.send(replace(s.true, body=b"[]").bytes()),
    "other-json": lambda s: s.send(replace(s.true, body=b'{"detail":"not found"}').bytes()),
    "not-http": lambda s: s.cut(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "redirect": lambda s: s.send(Answer(302, headers={"Location": "http://127.0.0.2:9/fhir"}).bytes()),
    "wrong-content-type": lambda s: s.send(replace(s.true, headers={"Content-Type": "text/plain"}).bytes()),
    "byte-order-mark": lambda s: s.send(replace(s.true, body=b"\xef\xbb\xbf" + s.true.body).bytes()),
    "zipped": lambda s: _zipped(s, gzip.compress(s.true.body)),
}
"""Every mode by name."""

HARMLESS = {"late", "wrong-content-type", "byte-order-mark", "zipped"}
"""No faults: the data must come through them."""

EITHER = {"second-reply-smuggled"}
"""The first reply is true; what follows it on the wire is dropped or makes a later one unusable."""
