"""Sockets that keep a deadline and dial only admitted addresses.

``requests`` knows a timeout per read, so a server that drips one byte at a time holds a caller for
ever. Here every single send and receive is given what is left of the whole exchange, below TLS and
below the header parser. The address guard runs on the very address that is dialled, so a name that
resolves differently the second time gains nothing.
"""

from __future__ import annotations

import socket
import ssl
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import certifi
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from cds_service.fhir_client.addresses import may_dial
from cds_service.fhir_client.deadline import Deadline
from cds_service.fhir_client.dns import resolve

LEAST_CONNECT_SECONDS = 0.3
CONNECT_SHARE = 0.25


@dataclass(slots=True)
class Exchange:
    """One request and its reply, as the sockets of this thread see it."""

    deadline: Deadline
    allow_private: bool
    refused: bool = False
    """An address or a certificate was refused."""
    received: int = 0
    """Bytes that came back so far; 0 means that a second try cannot repeat an effect."""
    dialled: bool = False
    """A connection was opened for this exchange, or tried; otherwise an idle one was taken."""


current_exchange: ContextVar[Exchange] = ContextVar("current_exchange")
"""Set by the transport around each exchange; a socket cannot work outside one."""


def _time_left() -> float:
    remaining = current_exchange.get().deadline.remaining()
    if remaining <= 0.0:
        raise TimeoutError("the deadline has passed")
    return remaining


class DeadlineSocket(socket.socket):
    """A plain socket whose every wait ends with the exchange's deadline."""

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        self.settimeout(_time_left())
        count = super().recv_into(buffer, nbytes, flags)
        current_exchange.get().received += count
        return count

    def sendall(self, data: Any, flags: int = 0) -> None:
        self.settimeout(_time_left())
        super().sendall(data, flags)


class DeadlineTlsSocket(ssl.SSLSocket):
    """A TLS socket whose handshake and every wait end with the exchange's deadline."""

    def do_handshake(self, block: bool = False) -> None:
        self.settimeout(_time_left())
        try:
            super().do_handshake(block)
        except ssl.SSLCertVerificationError:
            current_exchange.get().refused = True
            raise

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002 - the name of the overridden one
        self.settimeout(_time_left())
        outcome: Any = super().read(len, buffer)
        current_exchange.get().received += outcome if buffer is not None else outcome.__len__()
        return outcome

    def send(self, data: Any, flags: int = 0) -> int:
        self.settimeout(_time_left())
        return super().send(data, flags)


def client_tls(ca_file: str = "") -> ssl.SSLContext:
    """The one TLS context: TLS 1.2 at least, certificate and name always verified.

    ``ca_file`` replaces the trust in public authorities by a hospital's own.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = DeadlineTlsSocket
    if ca_file:
        context.load_verify_locations(ca_file)
    else:
        context.load_default_certs()
        context.load_verify_locations(certifi.where())
    return context


def _dial(host: str, port: int, options: Any) -> socket.socket:
    """Connect to the first admitted address that answers. Raises ``OSError``."""
    exchange = current_exchange.get()
    exchange.dialled = True
    targets = resolve(host, port, exchange.deadline)
    admitted = [target for target in targets if may_dial(str(target[1][0]), exchange.allow_private)]
    if targets and not admitted:
        exchange.refused = True
        raise OSError("every address of the host is refused")
    fault: OSError = OSError("the host has no address")
    for family, address in admitted:
        attempt = DeadlineSocket(family, socket.SOCK_STREAM)
        try:
            for option in options or []:
                attempt.setsockopt(*option)
            left = _time_left()
            attempt.settimeout(min(left, max(LEAST_CONNECT_SECONDS, left * CONNECT_SHARE)))
            attempt.connect(address)
            return attempt
        except OSError as error:
            attempt.close()
            fault = error
    raise fault


class _GuardedConnect:
    """Replaces how urllib3 opens the socket; shared by the http and the https connection."""

    _dns_host: str
    port: int
    socket_options: Any

    def _new_conn(self) -> socket.socket:
        try:
            return _dial(self._dns_host, self.port, self.socket_options)
        except OSError as error:
            raise NewConnectionError(self, "no connection") from error  # type: ignore[arg-type]


class GuardedConnection(_GuardedConnect, HTTPConnection):
    """An http connection that dials through the guard."""


class GuardedTlsConnection(_GuardedConnect, HTTPSConnection):
    """An https connection that dials through the guard."""


class GuardedPool(HTTPConnectionPool):
    """The pool of http connections."""

    ConnectionCls = GuardedConnection


class GuardedTlsPool(HTTPSConnectionPool):
    """The pool of https connections."""

    ConnectionCls = GuardedTlsConnection
