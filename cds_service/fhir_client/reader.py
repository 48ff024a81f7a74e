"""Reading one patient's data from the EHR's FHIR server, for one evaluation."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import wait
from dataclasses import replace
from functools import cached_property
from types import TracebackType
from typing import Self, TypeVar

from cds_service.fhir_client.allowed_server import allowed_base
from cds_service.fhir_client.batching import pursue_in_batch
from cds_service.fhir_client.bulkhead import READINGS_AT_ONCE, Bulkhead
from cds_service.fhir_client.connections import client_tls
from cds_service.fhir_client.deadline import Deadline
from cds_service.fhir_client.medication_references import MOST_MEDICINES, dispense, medicines
from cds_service.fhir_client.paged_search import Found, follow, pursue
from cds_service.fhir_client.paging import PagingBlocked, confined_target
from cds_service.fhir_client.problem import RefusedServer
from cds_service.fhir_client.queries import (
    LABORATORY,
    SURVEY,
    Need,
    Search,
    asked_again,
    searches,
    usable_id,
)
from cds_service.fhir_client.searching import interpret
from cds_service.fhir_client.server_connection import Door
from cds_service.fhir_client.tokens import BearerToken, FhirAuthorization, bearer
from cds_service.fhir_client.transport import Failed, Reply, Request, Transport
from cds_service.http.fhir_base import FhirBase
from cds_service.observability import tracing
from cds_service.settings.model import Settings, Tenant
from fhir_mappings.assess import DATA_EMPTY, DATA_PRESENT, Availability, NeedData, NeedState, unknown_need

_NARROWED_SURVEY = ("server-error", "truncated")

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


class FhirReader:
    """The FHIR servers of all tenants, as one process knows them.

    A tenant names the known habits of its server (``habits``, or else ``profile``). Others are
    learned in the background when ``learns`` is true. The setting ``ca_file`` replaces the public
    certificate authorities.
    """

    def __init__(self, settings: Settings, *, learns: bool = True) -> None:
        self._settings = settings
        self._learns = learns
        self._lock = threading.Lock()
        self._doors: dict[tuple[str, FhirBase], Door] = {}
        self._bulkheads: dict[str, Bulkhead] = {}

    def open(
        self,
        tenant: Tenant,
        fhir_server: str,
        authorization: FhirAuthorization | None,
        deadline: Deadline,
    ) -> Reading:
        """Prepare to read. Raises ``RefusedServer`` before any name is resolved or socket opened."""
        base = allowed_base(fhir_server, tenant.fhir_servers, self._settings.development)
        if authorization is None and not tenant.open_fhir:
            raise RefusedServer("token-missing")
        token = bearer(authorization) if authorization is not None else None
        door, bulkhead = self._door(tenant, base)
        if bulkhead.full:
            raise RefusedServer("busy")
        if not door.breaker.enter():
            raise RefusedServer("breaker-open")
        door.learn_soon()
        return Reading(door, bulkhead, token, deadline, tenant.codes, self._settings.max_resources)

    def close(self) -> None:
        """Close all pooled connections; readings under way end by their deadlines."""
        with self._lock:
            doors, bulkheads = list(self._doors.values()), list(self._bulkheads.values())
            self._doors.clear()
            self._bulkheads.clear()
        for bulkhead in bulkheads:
            bulkhead.close()
        for door in doors:
            door.transport.close()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return client_tls(str(self._settings.ca_file or ""))

    def _door(self, tenant: Tenant, base: FhirBase) -> tuple[Door, Bulkhead]:
        key = (tenant.id, base)
        with self._lock:
            if key not in self._doors:
                self._doors[key] = self._new_door(tenant, base)
            if tenant.id not in self._bulkheads:
                self._bulkheads[tenant.id] = Bulkhead(
                    tenant.id, max(READINGS_AT_ONCE, self._settings.threads)
                )
            return self._doors[key], self._bulkheads[tenant.id]

    def _new_door(self, tenant: Tenant, base: FhirBase) -> Door:
        private = tenant.allow_private or self._settings.development
        transport = Transport(
            base, private, self._tls if base.scheme == "https" else None, self._settings.max_body_bytes
        )
        named = tenant.profile if tenant.habits == "none" else tenant.habits
        return Door(tenant.id, transport, named, self._learns)


class Reading:
    """One evaluation's access to one FHIR server: it holds the token, and nothing else does.

    Use it as a context manager, or call ``close``; the token is gone then.
    """

    def __init__(
        self,
        door: Door,
        bulkhead: Bulkhead,
        token: BearerToken | None,
        deadline: Deadline,
        local_codes: Mapping[str, Sequence[str]],
        most: int,
    ) -> None:
        self._door = door
        self._bulkhead = bulkhead
        self._token = token
        self._needs_token = token is not None
        self._deadline = deadline
        self._local_codes = local_codes
        self._most = most

    def fetch(self, needs: Sequence[Need], patient_id: str) -> dict[str, NeedData]:
        """The data of all needs, read in parallel; every need has its answer when the deadline ends."""
        record = self._door.record
        if not usable_id(patient_id):
            return {need.key: unknown_need("refused") for need in needs}
        if record.habits.wrong_version:
            return {need.key: unknown_need("wrong-version") for need in needs}
        asked = {
            need.key: searches(need, patient_id, self._local_codes.get(need.key, ()), record)
            for need in needs
        }
        with self._bulkhead.place() as taken:
            if not taken:
                return {need.key: unknown_need("refused") for need in needs}
            found = self._in_batch(asked) if record.habits.batch else self._in_parallel(asked)
            self._add_medicines(found)
            return {key: _fetched(part) for key, part in found.items()}

    def ask_again(self, needs: Sequence[Need], patient_id: str) -> dict[str, NeedData]:
        """The data of needs asked for in other words: short queries, codes without their systems."""
        asked = {need.key: asked_again(need, patient_id, self._door.record) for need in needs}
        with self._bulkhead.place() as taken:
            if not taken or not usable_id(patient_id):
                return {need.key: unknown_need("refused") for need in needs}
            return {key: _fetched(part) for key, part in self._in_parallel(asked).items()}

    def follow(self, need: Need, next_url: str) -> NeedData:
        """The pages after a prefetched one, from its next link on."""
        search = Search(need.key, need.resource_type, need.patient_parameter, (), "", 0, "")
        try:
            target = confined_target(next_url, self._door.base, self._door.base.path)
        except PagingBlocked:
            return unknown_need("paging-blocked")
        with self._bulkhead.place() as taken:
            if not taken:
                return unknown_need("refused")
            asked = Request(target, about=need.resource_type)
            page = interpret(self._send(asked), search)
            return _fetched(follow(page, asked, search, self._door, self._send, self._most))

    @property
    def base(self) -> FhirBase:
        """The server that is read."""
        return self._door.base

    def get(self, target: str) -> Reply | Failed:
        """One answer that is about no patient, such as a list of studies; ``target`` is path and query."""
        with self._bulkhead.place() as taken:
            return self._send(Request(target)) if taken else Failed("refused")

    def close(self) -> None:
        """Forget the token. Nothing can be read any more."""
        self._token = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _send(self, request: Request) -> Reply | Failed:
        token = self._token
        if self._needs_token and token is None:
            return Failed("unauthorised")
        return self._door.pass_through(request, token, self._deadline)

    def _pursue(self, search: Search) -> Found:
        found = pursue(search, self._door, self._send, self._most)
        if search.key != SURVEY.key or search.category or found.reason not in _NARROWED_SURVEY:
            return found
        # Refused without a category, or filled with vital signs: the results that matter are of one.
        narrowed = pursue(replace(search, category=LABORATORY), self._door, self._send, self._most)
        usable = found.reason == "truncated" or not narrowed.reason
        narrowed.join(found)
        narrowed.reason = "truncated" if usable else narrowed.reason
        return narrowed

    def _in_parallel(self, asked: Mapping[str, Sequence[Search]]) -> dict[str, Found]:
        parts = [part for group in asked.values() for part in group]
        found = {key: Found() for key in asked}
        for part, answer in zip(parts, self._at_once(self._pursue, parts), strict=True):
            found[part.key].join(answer or Found("timed-out"))
        return found

    def _in_batch(self, asked: Mapping[str, Sequence[Search]]) -> dict[str, Found]:
        parts = [part for group in asked.values() for part in group]
        answers = pursue_in_batch(parts, self._door, self._send, self._most)
        if answers is None:
            return self._in_parallel(asked)
        found = {key: Found() for key in asked}
        for part, answer in zip(parts, answers, strict=True):
            found[part.key].join(answer)
        return found

    def _add_medicines(self, found: Mapping[str, Found]) -> None:
        """Read the drugs that orders only refer to, all at once."""
        named = {key: medicines(part.entries, self._door.base) for key, part in found.items()}
        wanted = [(key, drug) for key, drugs in named.items() for drug in drugs[:MOST_MEDICINES]]
        for key, drugs in named.items():
            if any(drug.needed for drug in drugs[MOST_MEDICINES:]):
                found[key].reason = found[key].reason or "truncated"
        read = self._at_once(lambda item: dispense(item[1], self._send), wanted)
        for (key, drug), dispensed in zip(wanted, read, strict=True):
            late = "timed-out" if dispensed is None and drug.needed else ""
            found[key].reason = found[key].reason or (dispensed.reason if dispensed else late)
            if dispensed and dispensed.entry:
                found[key].entries.append(dispensed.entry)

    def _at_once(self, work: Callable[[_Given], _Made], items: Sequence[_Given]) -> list[_Made | None]:
        """``work`` done on all items in parallel; None for each that the deadline came before."""
        traced = tracing.carried(work)
        running = [self._bulkhead.executor.submit(traced, item) for item in items]
        done, late = wait(running, timeout=self._deadline.remaining())
        for future in late:
            future.cancel()
        return [future.result() if future in done else None for future in running]


def _fetched(found: Found) -> NeedData:
    if found.reason:
        state = NeedState(Availability.UNKNOWN, found.reason)
    else:
        state = DATA_PRESENT if found.entries else DATA_EMPTY
    return NeedData(state, found.entries, tuple(found.unreadable))
