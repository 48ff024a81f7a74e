"""A server on a loopback socket that a test holds in its hand: it records all it is sent."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Self


@dataclass(frozen=True)
class Asked:
    """One HTTP request as it came over the wire."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """One HTTP reply, before it is put on the wire."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/fhir+json"})

    def head(self, length: int | None = None, **more: str) -> bytes:
        """Status line and headers; ``length`` replaces the true length of the body."""
        fields = {**self.headers, "Content-Length": str(len(self.body) if length is None else length), **more}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"HTTP/1.1 {self.status} X\r\n{lines}\r\n".encode("latin-1")

    def bytes(self) -> bytes:
        """The whole reply."""
        return self.head() + self.body


Respond = Callable[[Asked], Answer]


class LoopbackServer:
    """Accepts connections on 127.0.0.1 and answers each request by ``converse``.

    ``connections`` counts what was accepted, ``asked`` holds the requests that could be read.
    """

    def __init__(self, respond: Respond, tls: ssl.SSLContext | None = None) -> None:
        self.respond = respond
        self.connections = 0
        self.asked: list[Asked] = []
        self.stopped = threading.Event()
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def url(self) -> str:
        """The server's address, without a path."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def everything(self) -> str:
        """All requests as one text, to look for what must not be there."""
        return "\n".join(f"{a.method} {a.target} {dict(a.headers)} {a.body!r}" for a in self.asked)

    def close(self) -> None:
        """Stop at once; connections under way are cut."""
        self.stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(60)
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def converse(self, connection: socket.socket, asked: Asked) -> bool:
        """Answer one request; False ends the connection."""
        connection.sendall(self.respond(asked).bytes())
        return True

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._lock:
                self.connections += 1
                self._open.add(connection)
                self._threads = [*(old for old in self._threads if old.is_alive()), thread]
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        connection = plain
        try:
            if self._tls:
                connection = self._tls.wrap_socket(plain, server_side=True)
                with self._lock:
                    self._open.discard(plain)
                    self._open.add(connection)
            with connection.makefile("rb") as stream:
                while (asked := read_request(stream)) is not None:
                    with self._lock:
                        self.asked.append(asked)
                    if not self.converse(connection, asked):
                        return
        except OSError:
            return
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()
            plain.close()


def read_request(stream: BinaryIO) -> Asked | None:
    """The next request of a connection; None when the client has gone."""
    first = stream.readline(65_536).decode("latin-1").split()
    if len(first) < 2:
        return None
    headers: dict[str, str] = {}
    while line := stream.readline(65_536).decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", "0")))
    return Asked(first[0], first[1], headers, body)
