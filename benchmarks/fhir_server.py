"""A FHIR server that answers every query after the same time, on real sockets, a thread for each."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from benchmarks.charts import Json, searchset

BASE = "/fhir"


@dataclass
class SlowServer:
    """What it holds, how long it takes, and what it was asked (by resource type)."""

    resources: Sequence[Json]
    seconds: float
    asked: Counter[str] = field(default_factory=Counter)
    url: str = ""

    def answer(self, path: str, query: Mapping[str, str]) -> bytes:
        """The answer to one query, after the time it takes."""
        parts = path.removeprefix(BASE).strip("/").split("/")
        if parts == ["metadata"]:
            return orjson.dumps({"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"})
        self.asked[parts[0]] += 1
        time.sleep(self.seconds)
        found = [one for one in self.resources if one["resourceType"] == parts[0]]
        if len(parts) == 2:
            return orjson.dumps(next(one for one in found if one["id"] == parts[1]))
        codes = set(query["code"].split(",")) if "code" in query else set()
        return orjson.dumps(searchset([one for one in found if not codes or _codes(one) & codes]))


@contextmanager
def slow_server(resources: Sequence[Json], seconds: float) -> Iterator[SlowServer]:
    """The server on a free port, until the context ends."""
    server = SlowServer(resources, seconds)
    listener = _Listener(("127.0.0.1", 0), _handler(server))
    listener.daemon_threads = True
    server.url = f"http://127.0.0.1:{listener.server_address[1]}{BASE}"
    thread = threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


class _Listener(ThreadingHTTPServer):
    request_queue_size = 64


def _handler(server: SlowServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            body = server.answer(parts.path, query)
            self.send_response(200)
            self.send_header("Content-Type", "application/fhir+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Silence."""

    return Handler


def _codes(resource: Json) -> set[str]:
    return {f"{one['system']}|{one['code']}" for one in resource.get("code", {}).get("coding", ())}
