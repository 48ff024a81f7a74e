"""A bulk export server that behaves as it is told: real sockets, real tokens, every way of going wrong."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt

LINES: dict[str, list[Any]] = {
    "Patient": [{"resourceType": "Patient", "id": "1"}],
    "Condition": [
        {"resourceType": "Condition", "id": str(number), "subject": {"reference": "Patient/1"}}
        for number in range(3)
    ],
}


@dataclass
class Told:
    """How the server behaves, and what it saw."""

    key: Any = None
    """The public key of the client; None: no token is asked for."""
    kid: str = "k1"
    polls: int = 2
    retry_after: str = "0"
    tokens_end_after: int = 1_000
    """A token is good for that many requests."""
    throttled: int = 0
    cut: int = 0
    """So many downloads are broken off."""
    wrong_count: bool = False
    packed: bool = False
    manifest: Callable[[str], Any] | None = None
    location: str = ""
    status_code: int = 0
    redirect: str = ""
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and Authorization of everything that came."""
    assertions: list[dict[str, Any]] = field(default_factory=list)
    uses: int = 0
    token: str = ""


def ndjson(kind: str) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in LINES[kind])


@contextmanager
def bulk_server(told: Told) -> Iterator[str]:
    """The base URL of the server, until the context ends."""

    class Handler(_Handler):
        state = told

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/fhir"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    state: Told
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        state, path = self.state, self.path.partition("?")[0]
        self._note()
        if path == "/fhir/.well-known/smart-configuration":
            self._answer(200, {"token_endpoint": f"{self._base}/token"})
        elif not self._admitted():
            self._answer(401, {})
        elif state.throttled:
            state.throttled -= 1
            self._answer(429, {}, {"Retry-After": "0"})
        elif path.endswith("$export"):
            if state.redirect:
                self._answer(302, {}, {"Location": state.redirect})
            elif state.status_code:
                self._answer(state.status_code, {"resourceType": "OperationOutcome"})
            else:
                self._answer(202, {}, {"Content-Location": state.location or f"{self._base}/status/1"})
        elif path == "/fhir/status/1":
            self._status()
        elif path.startswith("/fhir/files/"):
            self._file(path.rpartition("/")[2])
        else:
            self._answer(404, {})

    def do_POST(self) -> None:
        state = self.state
        self._note()
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        assertion = form["client_assertion"][0]
        assert jwt.get_unverified_header(assertion)["kid"] == state.kid
        claims = jwt.decode(assertion, state.key, ["RS384", "ES384"], audience=f"{self._base}/token")
        state.assertions.append({**claims, "scope": form["scope"][0]})
        state.uses, state.token = 0, f"token-{len(state.assertions)}"
        self._answer(200, {"access_token": state.token, "token_type": "bearer", "expires_in": 300})

    def do_DELETE(self) -> None:
        self._note()
        self._answer(202, {})

    @property
    def _base(self) -> str:
        return f"http://{self.headers['Host']}/fhir"

    def _note(self) -> None:
        self.state.requests.append((self.command, self.path, self.headers.get("Authorization", "")))

    def _admitted(self) -> bool:
        state = self.state
        if state.key is None:
            return True
        state.uses += 1
        good = self.headers.get("Authorization") == f"Bearer {state.token}"
        return good and state.uses <= state.tokens_end_after

    def _status(self) -> None:
        state = self.state
        if state.polls:
            state.polls -= 1
            self._answer(202, {}, {"Retry-After": state.retry_after, "X-Progress": "half"})
            return
        output = [
            {"type": kind, "url": f"{self._base}/files/{kind}", "count": len(lines) + state.wrong_count}
            for kind, lines in LINES.items()
        ]
        manifest = {
            "transactionTime": "2026-06-15T00:00:00Z",
            "requiresAccessToken": state.key is not None,
            "output": output,
            "error": [],
        }
        self._answer(200, state.manifest(self._base) if state.manifest else manifest)

    def _file(self, kind: str) -> None:
        state, body = self.state, ndjson(kind)
        headers = {}
        if state.packed:
            body, headers = gzip.compress(body), {"Content-Encoding": "gzip"}
        if state.cut:
            state.cut -= 1
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
            return
        self._send(200, body, headers)

    def _answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(body).encode(), headers or {})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return
