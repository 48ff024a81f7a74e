"""One bulk export from its order to the folder: kick-off, polling, files, deletion, audit."""

from __future__ import annotations

import getpass
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgspec

from cds_service.cohort.progress import waiting
from cds_service.cohort.site import Site, Unusable
from cds_service.cohort.work_folder import make_private, replacing
from cds_service.fhir_client.backend_services import Client, NotAuthorized, TokenSource, token_endpoint
from cds_service.fhir_client.bulk_export import (
    Access,
    BulkClient,
    BulkFailed,
    Manifest,
    OpenAccess,
    Order,
)
from cds_service.fhir_client.connections import client_tls
from cds_service.fhir_client.transport import Transport
from cds_service.http.fhir_base import MalformedUrl, parse_base

LARGEST_FILE = 64 * 1024**3
_STATE = ".export.json"


@dataclass(frozen=True, slots=True)
class BulkOrder:
    """What was asked for on the command line."""

    server: str
    out: Path
    order: Order
    site: Site
    client: Client | None = None
    token: str = ""
    token_url: str = ""
    file_servers: tuple[str, ...] = ()
    allow_private: bool = False
    resume: bool = False
    keep: bool = False
    hours: float = 24.0


class _State(msgspec.Struct):
    """What an export that was stopped goes on from. Addresses may carry secrets: it is private, and goes."""

    order: str
    status_url: str
    manifest: Manifest | None = None
    done: dict[str, int] = {}


def run_export(asked: BulkOrder) -> str:
    """Fetches the export; returns what is told. Raises Unusable."""
    try:
        return _run(asked)
    except (BulkFailed, NotAuthorized) as fault:
        raise Unusable(f"{asked.server}: {fault}") from None
    except OSError as fault:
        raise Unusable(f"{asked.out}: {fault.strerror or 'cannot be written'}; go on with --resume") from None


def _run(asked: BulkOrder) -> str:
    make_private(asked.out)
    asked.out.chmod(0o700)
    transport = _transport(asked.server, asked)
    others = [_transport(url, asked) for url in asked.file_servers]
    client = BulkClient(transport, _access(asked, transport), others, hours=asked.hours)
    state = _begun(asked, client)
    with waiting(f"export from {transport.base.url}") as tell:
        if state.manifest is None:
            state.manifest = client.wait(state.status_url, tell)
            _keep(asked, state)
        for number, file in enumerate(state.manifest.files):
            name = f"{file.type}.{number:03}.ndjson"
            if name not in state.done or not (asked.out / name).exists():
                tell(name)
                state.done[name] = client.download(state.manifest, file, _Opening(asked.out / name))
                _keep(asked, state)
        errors = _errors(asked, client, state.manifest)
    _finish(asked, client, state)
    resources = sum(state.done.values())
    as_of = state.manifest.transaction_time or "a time that is not stated"
    text = f"{resources} resources in {len(state.done)} files, as of {as_of}"
    return f"{text}\n{errors}{asked.out}\n"


def _begun(asked: BulkOrder, client: BulkClient) -> _State:
    """The export that goes on, or a new one."""
    place, told = asked.out / _STATE, hashlib.sha256(repr((asked.server, asked.order)).encode()).hexdigest()
    if place.exists():
        if not asked.resume:
            raise Unusable(f"{asked.out}: an unfinished export is here; go on with it with --resume")
        state = msgspec.json.decode(place.read_bytes(), type=_State)
        if state.order != told:
            raise Unusable(f"{asked.out}: the unfinished export is another one; give another --out")
        return state
    if any(asked.out.glob("*.ndjson")):
        raise Unusable(f"{asked.out}: there are files already; give an empty folder")
    state = _State(told, client.start(asked.order))
    _keep(asked, state)
    return state


def _keep(asked: BulkOrder, state: _State) -> None:
    with replacing(asked.out / _STATE) as file:
        file.write(msgspec.json.encode(state))


def _errors(asked: BulkOrder, client: BulkClient, manifest: Manifest) -> str:
    """What the server says it could not export; its words are kept, not shown."""
    if not manifest.errors:
        return ""
    lines = 0
    for number, file in enumerate(manifest.errors):
        place = asked.out / f"OperationOutcome.error.{number:03}.ndjson"
        lines += client.download(manifest, file, _Opening(place))
    return f"warning: the server names {lines} faults of its own: OperationOutcome.error.*.ndjson\n"


def _finish(asked: BulkOrder, client: BulkClient, state: _State) -> None:
    deleted = not asked.keep and client.delete(state.status_url)
    manifest = {
        "transactionTime": state.manifest.transaction_time if state.manifest else "",
        "server": asked.server,
        "group": asked.order.group,
        "types": asked.order.types,
        "since": asked.order.since,
        "files": state.done,
        "deletedAtServer": deleted,
    }
    with replacing(asked.out / "manifest.json") as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    fields: dict[str, str | int | float | bool] = {
        "user": getpass.getuser(),
        "server": asked.server,
        "files": len(state.done),
        "resources": sum(state.done.values()),
        "deletedAtServer": deleted,
    }
    asked.site.note("export", datetime.now(UTC), fields, asked.out)
    (asked.out / _STATE).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Opening:
    """Opens a file anew for every try; it takes its name only when it came whole."""

    path: Path

    def __call__(self) -> AbstractContextManager[IO[bytes]]:
        return self._opened()

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        with replacing(self.path) as file:
            yield file


def _access(asked: BulkOrder, transport: Transport) -> Access:
    if asked.client is None:
        return OpenAccess(asked.token)
    url = asked.token_url or token_endpoint(transport)
    if url.startswith(transport.base.authority + "/"):
        return TokenSource(transport, asked.client, url)
    return TokenSource(_transport(_origin(url), asked), asked.client, url)


def _origin(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.partition('/')[0]}"


def _transport(url: str, asked: BulkOrder) -> Transport:
    try:
        base = parse_base(url)
    except MalformedUrl as fault:
        raise Unusable(f"{url!r}: {fault}") from None
    if base.scheme == "http" and not asked.allow_private:
        raise Unusable(f"{base.url}: an http address; only with --allow-private, for a test")
    authority = asked.site.settings.ca_file
    tls = client_tls(str(authority or "")) if base.scheme == "https" else None
    return Transport(base, asked.allow_private, tls, LARGEST_FILE, connections=4)


def types_of(text: str) -> tuple[str, ...]:
    """The types of a comma-separated list. Raises Unusable."""
    found: Sequence[str] = [one.strip() for one in text.split(",") if one.strip()]
    if any(not one.isalpha() for one in found):
        raise Unusable("--types: write resource types such as Condition,Observation")
    return tuple(found)
