"""Gateways between the service and a FHIR server that change the address of a search.

Each is a kind that was seen in the field: what comes back is a good answer to another question.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable
from dataclasses import replace
from email.message import Message
from urllib.parse import urlsplit

from tests.faults.wire import Answer, Asked, LoopbackServer

Change = Callable[[Asked], Asked]
_HANDED_ON = ("authorization", "content-type", "accept", "prefer")


class Front(LoopbackServer):
    """Hands every request on to ``upstream``, changed, and puts its own address into the answers."""

    def __init__(self, upstream: str, change: Change) -> None:
        self._change = change
        parts = urlsplit(upstream)
        self._upstream, self._path = f"{parts.scheme}://{parts.netloc}", parts.path
        self._address = parts.netloc
        super().__init__(self._pass_on)

    @property
    def base(self) -> str:
        """The FHIR base as a client sees it."""
        return self.url + self._path

    def _pass_on(self, asked: Asked) -> Answer:
        changed = self._change(asked)
        connection = http.client.HTTPConnection(self._address, timeout=120)
        try:
            headers = {name: asked.headers[name] for name in _HANDED_ON if name in asked.headers}
            connection.putrequest(changed.method, changed.target, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            if changed.method == "POST":
                connection.putheader("Content-Length", str(len(changed.body)))
            connection.endheaders(changed.body or None)
            reply = connection.getresponse()
            body = reply.read().replace(self._upstream.encode(), self.url.encode())
            return Answer(reply.status, body, _media_type(reply.headers))
        finally:
            connection.close()


def _media_type(headers: Message) -> dict[str, str]:
    return {"Content-Type": headers.get("Content-Type", "application/fhir+json")}


def unchanged(asked: Asked) -> Asked:
    """The control: nothing is lost."""
    return asked


def slashes_joined(asked: Asked) -> Asked:
    """Runs of slashes become one, in the query too, as a public SMART proxy does it."""
    return replace(asked, target=re.sub("//+", "/", asked.target))
