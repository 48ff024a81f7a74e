"""Requests of a command to a server that whoever runs it has named: guarded like the service's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec

from cds_service.cohort.site import Unusable
from cds_service.fhir_client.connections import client_tls
from cds_service.fhir_client.deadline import Deadline
from cds_service.fhir_client.transport import Failed, Reply, Request, Transport
from cds_service.http.fhir_base import MalformedUrl, parse_base

ANSWER_SECONDS = 60.0
LARGEST_ANSWER = 64 * 1024 * 1024
MOST_PAGES = 200
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


class CommandClient:
    """Sends requests to one server. No redirect is followed; private addresses only where allowed."""

    def __init__(self, url: str, token: str, *, allow_private: bool, ca_file: str = "") -> None:
        try:
            self.base = parse_base(url)
        except MalformedUrl as fault:
            raise Unusable(f"{url!r}: {fault}") from None
        if self.base.scheme == "http" and not allow_private:
            raise Unusable(f"{self.base.url}: an http address; only with --allow-private, for a test")
        if token and not _TOKEN.fullmatch(token):
            raise Unusable("the access token is not a bearer token")
        self._authorization = f"Bearer {token}" if token else ""
        tls = client_tls(ca_file) if self.base.scheme == "https" else None
        self._transport = Transport(self.base, allow_private, tls, LARGEST_ANSWER, connections=4)

    def get(self, target: str) -> Reply | Failed:
        """One request below the base; ``target`` is path and query, as in a relative URL."""
        return self._send(Request(f"{self.base.path}/{target}"))

    def post(self, target: str, body: Any) -> Reply | Failed:
        """One operation with a body."""
        encoded = msgspec.json.encode(body)
        return self._send(Request(f"{self.base.path}/{target}", "POST", encoded, "application/fhir+json"))

    def search(self, target: str) -> Iterator[bytes]:
        """The resources of a search, page by page, as lines. Raises Unusable where the server fails."""
        path = f"{self.base.path}/{target}"
        for _page in range(MOST_PAGES):
            reply = self._send(Request(path))
            if isinstance(reply, Failed) or reply.status != 200:
                why = reply.reason if isinstance(reply, Failed) else f"status {reply.status}"
                raise Unusable(f"{self.base.url}: the server does not answer a search ({why})")
            bundle = decoded(reply)
            for entry in bundle.get("entry") or ():
                if isinstance(entry, dict) and isinstance(entry.get("resource"), dict):
                    yield msgspec.json.encode(entry["resource"])
            path = self._next(bundle)
            if not path:
                return

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def _send(self, request: Request) -> Reply | Failed:
        return self._transport.send(request, self._authorization, Deadline.after(ANSWER_SECONDS))

    def _next(self, bundle: dict[str, Any]) -> str:
        """The next page, which must be at the same server."""
        links = [link for link in bundle.get("link") or () if isinstance(link, dict)]
        url = next((str(link.get("url", "")) for link in links if link.get("relation") == "next"), "")
        if not url:
            return ""
        parts = urlsplit(url)
        try:
            here = parse_base(f"{parts.scheme}://{parts.netloc}").authority == self.base.authority
        except MalformedUrl:
            here = False
        if not here or not self.base.contains(parts.path):
            raise Unusable(f"{self.base.url}: the next page is at another server; it is not read")
        return f"{parts.path}?{parts.query}" if parts.query else parts.path


def decoded(reply: Reply) -> dict[str, Any]:
    """The JSON object of a reply; empty where it is none."""
    try:
        found = msgspec.json.decode(reply.body)
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}
