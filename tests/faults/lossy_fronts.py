"""Gateways between the service and a FHIR server that change the address of a search.

Each is a kind that was seen in the field: what comes back is a good answer to another question.
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable
from dataclasses import replace
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from tests.faults.wire import Answer, Asked, LoopbackServer

Change = Callable[[Asked], Asked]
Spoil = Callable[[Asked, Answer], Answer]
_HANDED_ON = ("authorization", "content-type", "accept", "prefer")


def as_it_is(_: Asked, answer: Answer) -> Answer:
    """Answers are handed back as they came."""
    return answer


class Front(LoopbackServer):
    """Hands every request on to ``upstream``, changed, and puts its own address into the answers.

    ``spoil`` changes an answer before it is handed back.
    """

    def __init__(self, upstream: str, change: Change, spoil: Spoil = as_it_is) -> None:
        self._change, self._spoil = change, spoil
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
            return self._spoil(asked, Answer(reply.status, body, _media_type(reply.headers)))
        finally:
            connection.close()


def _media_type(headers: Message) -> dict[str, str]:
    return {"Content-Type": headers.get("Content-Type", "application/fhir+json")}


def unchanged(asked: Asked) -> Asked:
    """The control: nothing is lost."""
    return asked


def _in_query(change: Callable[[str], str]) -> Change:
    """A front that changes what follows the question mark of a GET."""

    def changed(asked: Asked) -> Asked:
        path, mark, query = asked.target.partition("?")
        return replace(asked, target=f"{path}{mark}{change(query)}") if mark else asked

    return changed


def _in_parameters(change: Callable[[list[tuple[str, str]]], list[tuple[str, str]]]) -> Change:
    return _in_query(lambda query: urlencode(change(parse_qsl(query, keep_blank_values=True))))


def slashes_joined(asked: Asked) -> Asked:
    return replace(asked, target=re.sub("//+", "/", asked.target))


def _decoded(query: str) -> str:
    """As by a gateway that decodes before it hands on, so that the server decodes twice."""
    return quote(unquote(query), safe="=&,:/|+%")


def _codes(change: Callable[[str], str]) -> Change:
    """A front that changes the list of codes and nothing else."""
    names = ("code", "combo-code", "component-code")
    return _in_parameters(
        lambda pairs: [(name, change(value) if name in names else value) for name, value in pairs]
    )


def _too_long_to_hand_on(longest: int) -> Change:
    """Long addresses lose what does not fit."""
    return _in_query(lambda query: query[:longest])


LOSSLESS: dict[str, Change] = {
    "slashes joined": slashes_joined,
    "codes in another order": _codes(lambda value: ",".join(reversed(value.split(",")))),
    "encoded otherwise": _in_query(lambda query: quote(unquote(query), safe="=&,:/|")),
    "a parameter added": _in_query(lambda query: f"{query}&_format=json"),
    "codes doubled": _codes(lambda value: f"{value},{value}"),
    "codes dropped": _in_parameters(lambda pairs: [pair for pair in pairs if not pair[0].endswith("code")]),
    "order not kept": _in_parameters(lambda pairs: [pair for pair in pairs if pair[0] != "_sort"]),
    "parameters doubled": _in_query(lambda query: f"{query}&{query}"),
}
"""Fronts whose answers hold everything that was asked for, and perhaps more."""

LOSSY: dict[str, Change] = {
    "encoded slashes joined": _in_query(lambda query: re.sub("(?i)%2f%2f", "%2F", query)),
    "slashes dropped": _codes(lambda value: value.replace("/", "")),
    "systems dropped, pipe kept": _codes(lambda value: re.sub(r"[^,|]*\|", "|", value)),
    "pipes dropped": _codes(lambda value: value.replace("|", "")),
    "pipes as commas": _codes(lambda value: value.replace("|", ",")),
    "cut at the first pipe": _codes(lambda value: value.partition("|")[0]),
    "the first code alone": _codes(lambda value: value.partition(",")[0]),
    "the last code alone": _codes(lambda value: value.rpartition(",")[2]),
    "lists taken literally": _codes(lambda value: value.replace(",", "\\,")),
    "encoded twice": _codes(lambda value: quote(value, safe="")),
    "decoded twice": _in_query(_decoded),
    "cut after 200": _too_long_to_hand_on(200),
    "cut after 600": _too_long_to_hand_on(600),
    "codes in upper case": _codes(str.upper),
    "codes emptied": _codes(lambda _: ""),
    "digits of the check lost": _codes(lambda value: re.sub(r"-\d(?=,|$)", "", value)),
    "another patient": _in_parameters(
        lambda pairs: [(name, "nobody" if name == "patient" else value) for name, value in pairs]
    ),
}
"""Fronts that lose a part of what was asked for, each as a good answer to another question."""


def without_links(_: Asked, answer: Answer) -> Answer:
    """The answer without its links: nothing says which question the server understood."""
    return _in_bundle(answer, lambda bundle: bundle.pop("link", None))


def _in_bundle(answer: Answer, change: Callable[[dict[str, Any]], Any]) -> Answer:
    content = json.loads(answer.body or b"{}")
    if content.get("resourceType") != "Bundle":
        return answer
    change(content)
    return replace(answer, body=json.dumps(content).encode())
