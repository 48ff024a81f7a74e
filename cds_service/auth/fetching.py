"""Reads one JWK Set document, from a file or from the address that is configured for the tenant."""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from cds_service.auth.keys import KeySet, NotAKeySet, read_key_set
from cds_service.fhir_client.bodies import TooLarge, Undecodable, read_body
from cds_service.fhir_client.connections import Exchange, client_tls, current_exchange
from cds_service.fhir_client.deadline import Deadline
from cds_service.fhir_client.transport import GuardedAdapter
from cds_service.http.fhir_base import MalformedUrl, parse_base

MAX_DOCUMENT_BYTES = 262_144
FETCH_SECONDS = 5.0


class NoKeys(Exception):
    """The document could not be had or read. ``why`` is one of a closed set of words."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document that was read. ``keys`` None: unchanged since the entity tag that was shown."""

    keys: KeySet | None
    etag: str = ""


class Origin(Protocol):
    """Where a tenant's keys come from."""

    def fetch(self, etag: str) -> Fetched:
        """The document. Raises NoKeys."""
        ...


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A JWK Set in a file of ours, exchanged out of band (CDS Hooks, "Trusting CDS Clients")."""

    path: Path

    def fetch(self, etag: str) -> Fetched:
        """Reads the file. Raises NoKeys."""
        try:
            with self.path.open("rb") as file:
                document = file.read(MAX_DOCUMENT_BYTES + 1)
        except OSError:
            raise NoKeys("unreadable-file") from None
        return Fetched(_key_set(document))


@dataclass(frozen=True, slots=True)
class KeyAddress:
    """The configured ``jku``. Only this address is ever asked, and no redirect from it is followed.

    The adapter is used without a ``requests.Session``: proxies, netrc files and cookies of the
    environment cannot take part. ``http_admitted`` and ``allow_private`` are for development and for
    hospital-internal hosts.
    """

    url: str
    http_admitted: bool = False
    allow_private: bool = False
    tls: ssl.SSLContext = field(default_factory=client_tls, repr=False)

    def fetch(self, etag: str) -> Fetched:
        """One GET within five seconds, at most 256 KiB. Raises NoKeys."""
        exchange = Exchange(Deadline.after(FETCH_SECONDS), self.allow_private)
        mark = current_exchange.set(exchange)
        try:
            return self._fetch(etag)
        except (TooLarge, Undecodable):
            raise NoKeys("unusable-body") from None
        except (requests.RequestException, HTTPError, http.client.HTTPException, OSError, ValueError):
            raise NoKeys("refused" if exchange.refused else "unreachable") from None
        finally:
            current_exchange.reset(mark)

    def _fetch(self, etag: str) -> Fetched:
        try:
            base = parse_base(self.url)
        except MalformedUrl:
            raise NoKeys("malformed-url") from None
        if base.scheme == "http" and not self.http_admitted:
            raise NoKeys("http-in-production")
        adapter = GuardedAdapter(base, self.tls, connections=1)
        try:
            response = adapter.send(
                self._prepared(base.authority + (urlsplit(self.url).path or "/"), etag),
                stream=True,
                timeout=(FETCH_SECONDS, FETCH_SECONDS),
                verify=True,
                proxies={},
            )
            return _read(response, etag)
        finally:
            adapter.close()

    def _prepared(self, url: str, etag: str) -> requests.PreparedRequest:
        headers = {
            "Accept": "application/jwk-set+json, application/json;q=0.9",
            "Accept-Encoding": "gzip",
            "User-Agent": "relapse-cds",
        }
        if etag:
            headers["If-None-Match"] = etag
        prepared = requests.PreparedRequest()
        prepared.prepare(method="GET", url=url, headers=headers)
        return prepared


def _read(response: requests.Response, etag: str) -> Fetched:
    try:
        if response.status_code == 304 and etag:
            return Fetched(None, etag)
        if response.status_code != 200:
            raise NoKeys("status-not-200")
        body = read_body(response.raw, response.headers.get("Content-Encoding", ""), MAX_DOCUMENT_BYTES)
        found = response.headers.get("ETag", "")
        return Fetched(_key_set(body), found if len(found) <= 256 and found.isprintable() else "")
    finally:
        response.close()


def _key_set(document: bytes) -> KeySet:
    if len(document) > MAX_DOCUMENT_BYTES:
        raise NoKeys("unusable-body")
    try:
        return read_key_set(document)
    except NotAKeySet:
        raise NoKeys("not-a-key-set") from None
