"""A real HTTP server on loopback that publishes a JWK Set, or misbehaves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class KeyServer(ThreadingHTTPServer):
    """Answers each GET with ``behave(handler)`` and counts."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[dict[str, str]] = []
        self.behave: Callable[[BaseHTTPRequestHandler], None] = not_found

    @property
    def url(self) -> str:
        """The address of the document."""
        return f"http://127.0.0.1:{self.server_port}/keys/jwks.json"

    def publish(self, document: bytes, etag: str = "") -> None:
        """From now on answers with this document."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            if etag and handler.headers.get("If-None-Match") == etag:
                send(handler, 304, b"", ETag=etag)
            else:
                send(handler, 200, document, **({"ETag": etag} if etag else {}))

        self.behave = answer


class _Handler(BaseHTTPRequestHandler):
    server: KeyServer

    def do_GET(self) -> None:
        self.server.requests.append({name.lower(): value for name, value in self.headers.items()})
        try:
            self.server.behave(self)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    """A complete answer."""
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def not_found(handler: BaseHTTPRequestHandler) -> None:
    """There is nothing here."""
    send(handler, 404, b"")


def failing(handler: BaseHTTPRequestHandler) -> None:
    """A server in trouble."""
    send(handler, 500, b'{"keys": []}')


def html(handler: BaseHTTPRequestHandler) -> None:
    """A login page with status 200."""
    send(handler, 200, b"<html>Please log in</html>", Content_Type="text/html")


def large(handler: BaseHTTPRequestHandler) -> None:
    """Ten megabytes."""
    send(handler, 200, b'{"keys": [], "pad": "' + b"x" * 10_000_000 + b'"}')


def hanging_up(handler: BaseHTTPRequestHandler) -> None:
    """Ends in the middle of the body."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"keys": [')


def dripping(handler: BaseHTTPRequestHandler) -> None:
    """One byte at a time, for ever."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while True:
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


@contextmanager
def serving() -> Iterator[KeyServer]:
    """A running key server."""
    server = KeyServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
