"""FHIR Bulk Data Access 2.0: kick-off, polling, download, deletion, for one server.

Every address that a server hands out is checked before it is used: it is at the server's own origin, or at
one that whoever runs the command has named. A token goes to the server's own origin only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Any, Protocol
from urllib.parse import quote, urlsplit

import msgspec

from cds_service.fhir_client.deadline import Deadline
from cds_service.fhir_client.retrying import wished_pause
from cds_service.fhir_client.transport import Failed, Reply, Request, Transport
from cds_service.http.fhir_base import FhirBase, MalformedUrl, parse_base

NDJSON = "application/fhir+ndjson"
TRIES = 4
SHORTEST_WAIT, LONGEST_WAIT = 1.0, 300.0
DOWNLOAD_SECONDS = 6 * 3600.0
ANSWER_SECONDS = 60.0
_WAITING = frozenset({429, 502, 503, 504})


class BulkFailed(Exception):
    """The export cannot be had; the message says where it stopped and holds neither token nor data."""


class Access(Protocol):
    """Where the Authorization header comes from."""

    def header(self) -> str: ...
    def forget(self) -> None: ...


class OpenAccess:
    """A server that is read without a token, or with one that was handed over."""

    def __init__(self, token: str = "") -> None:
        self._header = f"Bearer {token}" if token else ""

    def header(self) -> str:
        """The header's value; empty: none is sent."""
        return self._header

    def forget(self) -> None:
        """There is no other."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is exported. ``group`` is a Group's id, ``"Patient"`` all patients, empty the whole system."""

    group: str = "Patient"
    types: tuple[str, ...] = ()
    since: str = ""

    def target(self, base: FhirBase) -> str:
        """The kick-off request."""
        level = {"": "", "Patient": "Patient/"}.get(self.group, f"Group/{quote(self.group, safe='')}/")
        query = [f"_type={quote(','.join(self.types), safe=',')}"] if self.types else []
        query += [f"_since={quote(self.since, safe='')}"] if self.since else []
        return f"{base.path}/{level}$export" + (f"?{'&'.join(query)}" if query else "")


class File(msgspec.Struct, frozen=True):
    """One file of a manifest. ``count`` is None where the server does not say how many resources it has."""

    type: str
    url: str
    count: int | None = None


class Manifest(msgspec.Struct, frozen=True):
    """What an export consists of."""

    transaction_time: str
    needs_token: bool
    files: tuple[File, ...]
    errors: tuple[File, ...] = ()


class BulkClient:
    """One server. ``others`` are transports to further origins that files may be fetched from."""

    def __init__(
        self,
        transport: Transport,
        access: Access,
        others: Collection[Transport] = (),
        *,
        sleep: Callable[[float], None] = time.sleep,
        hours: float = 24.0,
    ) -> None:
        self._transport = transport
        self._access = access
        self._others = {other.base.authority: other for other in others}
        self._sleep = sleep
        self._until = Deadline.after(hours * 3600)

    def start(self, order: Order) -> str:
        """Orders an export; returns the address at which it is asked after. Raises BulkFailed."""
        request = Request(order.target(self._transport.base), prefer="respond-async")
        reply = self._patiently(request, "the kick-off")
        if reply.status != 202:
            raise BulkFailed(f"the server does not begin an export (status {reply.status}){_told(reply)}")
        return self._own(reply.headers.get("content-location", ""), "the kick-off")

    def wait(self, status_url: str, progress: Callable[[str], None] = lambda _text: None) -> Manifest:
        """Asks until the export is complete. Raises BulkFailed."""
        request = Request(self._path(status_url), accept="application/json")
        waited = SHORTEST_WAIT
        while True:
            reply = self._patiently(request, "the status")
            if reply.status == 200:
                return self._manifest(reply)
            if reply.status != 202:
                raise BulkFailed(f"the export ended without data (status {reply.status}){_told(reply)}")
            progress(reply.headers.get("x-progress", "")[:80])
            wished = wished_pause(reply)
            self._pause(wished if wished is not None else waited)
            waited = min(waited * 1.5, LONGEST_WAIT)

    def download(
        self, manifest: Manifest, file: File, into: Callable[[], AbstractContextManager[IO[bytes]]]
    ) -> int:
        """Fetches one file whole into what ``into`` opens anew for every try; returns its lines.

        Raises BulkFailed where it stays cut, or has other than the stated number of resources.
        """
        why = ""
        for attempt in range(TRIES):
            if attempt:
                self._pause(2.0**attempt)
            try:
                with into() as opened:
                    counted = _Counted(opened)
                    why = self._fetch(manifest, file, counted)
                    if not why and file.count is not None and counted.lines != file.count:
                        why = f"{counted.lines} resources where {file.count} are stated"
                    if why:
                        raise _Again
                return counted.lines
            except _Again:
                continue
        raise BulkFailed(f"a file of {file.type} cannot be fetched: {why}")

    def delete(self, status_url: str) -> bool:
        """Lets the server forget the export; whether it said that it did."""
        request = Request(self._path(status_url), "DELETE")
        reply = self._send(self._transport, request, self._access.header())
        return isinstance(reply, Reply) and reply.status in (200, 202, 204)

    def _fetch(self, manifest: Manifest, file: File, into: _Counted) -> str:
        """Why a file did not come whole; empty: it did."""
        transport = self._transport_of(file.url)
        own = transport is self._transport
        parts = urlsplit(file.url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        header = self._access.header() if own and manifest.needs_token else ""
        request = Request(target, accept=NDJSON)
        deadline = Deadline.after(min(DOWNLOAD_SECONDS, self._until.remaining()))
        reply = transport.download(request, header, deadline, into)  # type: ignore[arg-type]
        if isinstance(reply, Failed):
            return reply.reason
        if reply.status == 401:
            self._access.forget()
        if reply.status in _WAITING:
            self._pause(wished_pause(reply) or SHORTEST_WAIT)
        return "" if reply.status == 200 else f"status {reply.status}"

    def _manifest(self, reply: Reply) -> Manifest:
        try:
            found = msgspec.json.decode(reply.body)
        except msgspec.DecodeError:
            found = None
        if not isinstance(found, dict) or not isinstance(found.get("output"), list):
            raise BulkFailed("the server's manifest cannot be understood")
        files = tuple(self._files(found["output"]))
        errors = tuple(self._files(found.get("error") or ()))
        return Manifest(
            str(found.get("transactionTime", "")), bool(found.get("requiresAccessToken")), files, errors
        )

    def _files(self, listed: Any) -> Iterator[File]:
        for one in listed:
            if not isinstance(one, Mapping) or not isinstance(one.get("url"), str):
                raise BulkFailed("the server's manifest names a file without an address")
            self._transport_of(one["url"])
            kind, count = str(one.get("type", "resources")), one.get("count")
            if not kind.isalnum():
                raise BulkFailed("the server's manifest names a type of odd characters")
            yield File(kind, one["url"], count if isinstance(count, int) else None)

    def _patiently(self, request: Request, what: str) -> Reply:
        """A reply that is no request to wait. One refused token is renewed."""
        renewed, failures = False, 0
        while True:
            reply = self._send(self._transport, request, self._access.header())
            if isinstance(reply, Failed):
                failures += 1
                if reply.reason == "refused" or failures >= TRIES:
                    raise BulkFailed(f"{what} is not answered ({reply.reason})")
                self._pause(2.0**failures)
            elif reply.status == 401 and not renewed:
                renewed = True
                self._access.forget()
            elif reply.status in _WAITING:
                failures += reply.status != 429
                if failures >= TRIES:
                    raise BulkFailed(f"{what} is not answered (status {reply.status})")
                wished = wished_pause(reply)
                self._pause(wished if wished is not None else 10.0)
            else:
                return reply

    def _send(self, transport: Transport, request: Request, authorization: str) -> Reply | Failed:
        return transport.send(request, authorization, Deadline.after(ANSWER_SECONDS))

    def _pause(self, seconds: float) -> None:
        if self._until.expired:
            raise BulkFailed("the export takes longer than was allowed for it")
        self._sleep(min(max(seconds, SHORTEST_WAIT), LONGEST_WAIT, max(self._until.remaining(), 0.1)))

    def _own(self, url: str, what: str) -> str:
        """An address at the server's own origin. Raises BulkFailed."""
        base = self._transport.base
        url = f"{base.authority}{url}" if url.startswith("/") else url
        try:
            parts = urlsplit(url)
            same = parse_base(f"{parts.scheme}://{parts.netloc}").authority == base.authority
        except (MalformedUrl, ValueError):
            same = False
        if not same:
            raise BulkFailed(f"{what} names an address at another server; it is not contacted")
        return url

    def _path(self, url: str) -> str:
        parts = urlsplit(self._own(url, "the kick-off"))
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def _transport_of(self, url: str) -> Transport:
        try:
            parts = urlsplit(url)
            authority = parse_base(f"{parts.scheme}://{parts.netloc}").authority
        except (MalformedUrl, ValueError):
            raise BulkFailed("the manifest names a file at an address that is none") from None
        if authority == self._transport.base.authority:
            return self._transport
        if authority not in self._others:
            raise BulkFailed(
                f"the manifest names a file at {authority}; allow it with --file-server {authority}"
            )
        return self._others[authority]


class _Again(Exception):
    """The file did not come whole."""


class _Counted:
    """Counts the lines of what is written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._ends = 0
        self._open = False

    @property
    def lines(self) -> int:
        """Lines so far, the last one also without its end."""
        return self._ends + self._open

    def write(self, data: bytes) -> int:
        """Writes on."""
        self._ends += data.count(b"\n")
        self._open = not data.endswith(b"\n")
        return self._file.write(data)


def _told(reply: Reply) -> str:
    """What the server may mean, for whoever runs the command."""
    meanings = {
        400: ": it does not know this export; try another --group or fewer --types",
        401: ": it does not accept the token",
        403: ": the client may not export",
        404: ": it has no bulk export here, or the export is gone",
        410: ": the export is gone",
        413: ": it is too large; export a group",
    }
    return meanings.get(reply.status, "")
