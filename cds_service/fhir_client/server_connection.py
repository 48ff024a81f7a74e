"""Everything one process keeps for one tenant's FHIR base, and how one request passes through it."""

from __future__ import annotations

import threading
import time

from cds_service.fhir_client import metrics as measures
from cds_service.fhir_client.breaker import Breaker
from cds_service.fhir_client.capability import NAMED, Habits, Record, learn
from cds_service.fhir_client.deadline import Deadline
from cds_service.fhir_client.retrying import RetryBudget, pause_before_retry
from cds_service.fhir_client.tokens import BearerToken
from cds_service.fhir_client.transport import Failed, Reply, Request, Transport
from cds_service.observability import tracing

LEARNING_SECONDS = 10.0
LEARN_AGAIN_SECONDS = 24 * 3600.0
TRY_AGAIN_SECONDS = 600.0
_FAIR_CHANCE = 0.1
"""A request that began with less time than this, in seconds, says nothing about the server."""


class Door:
    """Transport, breaker, retry budget and capability record of one tenant's base."""

    def __init__(self, tenant_id: str, transport: Transport, habits: str, learns: bool) -> None:
        self._tenant_id = tenant_id
        self.transport = transport
        self.base = transport.base
        self.breaker = Breaker(lambda is_open: measures.breaker(tenant_id, is_open))
        self.retries = RetryBudget()
        self.record = Record(NAMED.get(habits, Habits()))
        self._learns = learns and habits not in NAMED
        self._learn_after = 0.0
        self._lock = threading.Lock()

    def pass_through(self, request: Request, token: BearerToken | None, deadline: Deadline) -> Reply | Failed:
        """Send a request, and once more where that can help."""
        self.retries.earn()
        outcome = self._once(request, token, deadline)
        pause = pause_before_retry(request, outcome, deadline)
        if pause is None or not self.retries.spend():
            return outcome
        time.sleep(pause)
        return self._once(request, token, deadline)

    def learn_soon(self) -> None:
        """Read the server's CapabilityStatement in the background, if that is due."""
        with self._lock:
            due = self._learns and time.monotonic() >= self._learn_after
            if due:
                self._learn_after = time.monotonic() + LEARN_AGAIN_SECONDS
        if due:
            threading.Thread(target=self.learn_now, daemon=True, name="fhir-capability").start()

    def learn_now(self) -> None:
        """Read the CapabilityStatement; it is public, so that no token is sent."""
        request = Request(f"{self.base.path}/metadata", about="CapabilityStatement")
        reply = self.transport.send(request, "", Deadline.after(LEARNING_SECONDS))
        if isinstance(reply, Reply) and reply.status == 200:
            self.record.habits = learn(self.record.habits, reply.body)
        else:
            self._learn_after = time.monotonic() + TRY_AGAIN_SECONDS

    def _once(self, request: Request, token: BearerToken | None, deadline: Deadline) -> Reply | Failed:
        if token is not None and token.expired:
            return Failed("unauthorised")
        if not self.breaker.admits():
            return Failed("breaker-open")
        fair = deadline.remaining() >= _FAIR_CHANCE
        start = time.monotonic()
        about = {"relapse_cds__tenant": self._tenant_id, "relapse_cds__resource": request.about}
        with tracing.span("fhir", **about) as mark:
            outcome = self.transport.send(request, token.header() if token else "", deadline)
            mark(relapse_cds__outcome=measures.outcome_word(outcome))
        measures.exchanged(self._tenant_id, request, outcome, time.monotonic() - start)
        self._tell_breaker(outcome, fair)
        return outcome

    def _tell_breaker(self, outcome: Reply | Failed, fair: bool) -> None:
        if isinstance(outcome, Reply):
            self.breaker.report(outcome.status < 500)
        elif outcome.reason == "server-error" or (outcome.reason == "timed-out" and fair):
            self.breaker.report(False)
