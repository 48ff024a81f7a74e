"""The only door through which patient data come in: one pooled transport per tenant and FHIR base.

It uses the adapter of ``requests`` without a ``requests.Session``. Redirects, cookies, netrc files
and proxies of the environment all live in the session, so that none of them can happen here.
"""

from __future__ import annotations

import http.client
import logging
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.poolmanager import PoolManager

from cds_service.fhir_client.bodies import TooLarge, Undecodable, read_body, unpacked
from cds_service.fhir_client.connections import Exchange, GuardedPool, GuardedTlsPool, current_exchange
from cds_service.fhir_client.deadline import Deadline
from cds_service.http.fhir_base import FhirBase
from cds_service.observability import tracing


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a FHIR server. ``target`` is what follows the authority: path and query.

    ``about`` is the resource type that is read, for the metrics; ``asked_by`` names the search parameter
    that carries the codes, and is empty where none does.
    """

    target: str
    method: str = "GET"
    body: bytes | None = field(default=None, repr=False)
    media_type: str = ""
    about: str = ""
    asked_by: str = ""
    accept: str = "application/fhir+json, application/json;q=0.9"
    prefer: str = ""
    explains: bool = False
    """Whether the body of a 400 or 401 is read too: a token endpoint names its error there."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete reply. ``body`` is unpacked; it is empty for every status but 200 (see ``explains``)."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """No usable reply. ``reason`` is a reason of ``NeedState``; ``repeatable`` when nothing had come."""

    reason: str
    repeatable: bool = False


class GuardedAdapter(HTTPAdapter):
    """The adapter whose pool opens guarded sockets to one base and nowhere else."""

    def __init__(self, base: FhirBase, tls: ssl.SSLContext | None, connections: int) -> None:
        # urllib3 writes whole URLs, which name the patient, at levels up to WARNING.
        logging.getLogger("urllib3").setLevel(logging.CRITICAL)
        self._base = base
        self._tls = tls
        super().__init__(pool_connections=1, pool_maxsize=connections)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **_: Any) -> None:
        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, ssl_context=self._tls)
        self.poolmanager.pool_classes_by_scheme = {"http": GuardedPool, "https": GuardedTlsPool}

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        """The pool of the base, whatever URL is asked for."""
        base = self._base
        pool: HTTPConnectionPool = self.poolmanager.connection_from_host(base.host, base.port, base.scheme)
        return pool

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """The TLS context decides; there is no way to switch verification off."""
        conn.cert_reqs = "CERT_REQUIRED"


class Transport:
    """Sends requests to one FHIR base and never raises for what a server or a network does."""

    def __init__(
        self,
        base: FhirBase,
        allow_private: bool,
        tls: ssl.SSLContext | None,
        limit: int,
        connections: int = 32,
    ) -> None:
        self.base = base
        self._allow_private = allow_private
        self._limit = limit
        self._adapter = GuardedAdapter(base, tls, connections)

    def send(self, request: Request, authorization: str, deadline: Deadline) -> Reply | Failed:
        """One exchange. ``authorization`` is the header's value, or empty for none."""
        if deadline.expired:
            return Failed("timed-out")
        exchange = Exchange(deadline, self._allow_private)
        outcome = self._attempt(request, authorization, exchange)
        # The server may close an idle connection just when it is used (RFC 9112, 9.3.1). That says nothing
        # about the server, and everything sent here only reads: it is sent anew, on a fresh connection.
        if isinstance(outcome, Failed) and outcome.repeatable and not exchange.dialled:
            self._adapter.poolmanager.clear()
            outcome = self._attempt(request, authorization, Exchange(deadline, self._allow_private))
        return outcome

    def _attempt(self, request: Request, authorization: str, exchange: Exchange) -> Reply | Failed:
        mark = current_exchange.set(exchange)
        try:
            return self._exchange(request, authorization, exchange.deadline)
        except TooLarge:
            return Failed("too-large")
        except (Undecodable, UnicodeError):
            return Failed("malformed")
        except (requests.RequestException, HTTPError, http.client.HTTPException, OSError, ValueError):
            return _failure(exchange)
        finally:
            current_exchange.reset(mark)

    def download(
        self, request: Request, authorization: str, deadline: Deadline, into: IO[bytes]
    ) -> Reply | Failed:
        """One exchange whose body goes to ``into`` as it comes, unpacked; the reply has none.

        A body that is cut is ``Failed("truncated")``, one above the limit ``Failed("too-large")``.
        Raises OSError where ``into`` cannot be written.
        """
        exchange = Exchange(deadline, self._allow_private)
        mark = current_exchange.set(exchange)
        try:
            return self._downloaded(self._prepared(request, authorization), exchange, into)
        finally:
            current_exchange.reset(mark)

    def _downloaded(
        self, prepared: requests.PreparedRequest, exchange: Exchange, into: IO[bytes]
    ) -> Reply | Failed:
        left = exchange.deadline.remaining()
        try:
            response = self._adapter.send(prepared, stream=True, timeout=(left, left), proxies={})
        except (requests.RequestException, HTTPError, http.client.HTTPException, OSError, ValueError):
            return _failure(exchange)
        try:
            headers = {name.lower(): value for name, value in response.headers.items()}
            if response.status_code != 200:
                return Reply(response.status_code, headers, b"")
            parts = unpacked(response.raw, headers.get("content-encoding", ""), self._limit)
            for part in _until_cut(parts):
                if isinstance(part, Failed):
                    return part
                into.write(part)
            return Reply(200, headers, b"")
        finally:
            response.raw.close()

    def close(self) -> None:
        """Close the pooled connections."""
        self._adapter.close()

    def _exchange(self, request: Request, authorization: str, deadline: Deadline) -> Reply | Failed:
        prepared, left = self._prepared(request, authorization), deadline.remaining()
        response = self._adapter.send(prepared, stream=True, timeout=(left, left), verify=True, proxies={})
        try:
            headers = {name.lower(): value for name, value in response.headers.items()}
            if response.status_code not in ((200, 400, 401) if request.explains else (200,)):
                return Reply(response.status_code, headers, b"")
            body = read_body(response.raw, headers.get("content-encoding", ""), self._limit)
            return Reply(response.status_code, headers, body)
        finally:
            response.raw.close()

    def _prepared(self, request: Request, authorization: str) -> requests.PreparedRequest:
        headers = {
            "Accept": request.accept,
            "Accept-Encoding": "gzip",
            "Cache-Control": "no-cache",
            "User-Agent": "relapse-cds",
            **tracing.outgoing(),
        }
        if request.media_type:
            headers["Content-Type"] = request.media_type
        if request.prefer:
            headers["Prefer"] = request.prefer
        if authorization:
            headers["Authorization"] = authorization
        prepared = requests.PreparedRequest()
        prepared.prepare(
            method=request.method,
            url=self.base.authority + request.target,
            headers=headers,
            data=request.body,
        )
        return prepared


def _until_cut(parts: Iterator[bytes]) -> Iterator[bytes | Failed]:
    """The parts of a body, and at their end what is wrong with them."""
    while True:
        try:
            part = next(parts, b"")
        except TooLarge:
            yield Failed("too-large")
            return
        except (Undecodable, HTTPError, http.client.HTTPException, OSError):
            yield Failed("truncated")
            return
        if not part:
            return
        yield part


def _failure(exchange: Exchange) -> Failed:
    if exchange.refused:
        return Failed("refused")
    if exchange.deadline.expired:
        return Failed("timed-out")
    return Failed("server-error", repeatable=exchange.received == 0)
