"""``POST /cds-services/{id}/feedback``: answered 200 only after the batch is on the disk."""

from __future__ import annotations

from datetime import datetime

import orjson
from flask import Blueprint, Response, request
from prometheus_client import Counter

from cds_service.api.hook_calls import count_call, identify
from cds_service.api.problems import JSON
from cds_service.app_state import Parts, parts_of
from cds_service.auth import Caller
from cds_service.feedback.quiet import QuietTimes
from cds_service.feedback.receiving import Received, receive
from cds_service.http.body import read_bytes
from cds_service.http.problem import Problem, Refusal
from cds_service.observability import log, metrics
from cds_service.settings.model import Tenant
from cds_service.store import AuditEntry, StoreUnavailable
from cds_service.wire.feedback import MAX_ITEMS, FeedbackItem, read_feedback

feedback = Blueprint("feedback", __name__)

MOST_BYTES = MAX_ITEMS * 32_768
"""More than a hundred items can need."""

EVENTS = Counter("feedback", "Feedback events.", ["status", "tenant"], registry=metrics.REGISTRY)


@feedback.post("/cds-services/<service_id>/feedback")
@feedback.post("/cds-services//<service_id>/feedback", endpoint="feedback_after_two_slashes")
def give_feedback(service_id: str) -> Response:
    """Keeps what users did with cards."""
    parts = parts_of()
    if service_id not in parts.services:
        raise Refusal(Problem.UNKNOWN_PATH)
    at = parts.clock()
    caller = identify(parts, f"/cds-services/{service_id}/feedback")
    count_call(parts, caller.tenant.id)
    body = read_bytes(request, min(MOST_BYTES, parts.settings.max_body_bytes))
    items = read_feedback(body, at)
    try:
        received = receive(
            parts.store,
            items,
            tenant=caller.tenant.id if caller.is_authenticated else None,
            service=service_id,
            at=at,
            times=quiet_times(parts),
        )
    except StoreUnavailable:
        raise Refusal(Problem.OUT_OF_SERVICE, headers={"Retry-After": "5"}) from None
    _report(caller.tenant, items, received)
    _leave_trail(parts, caller, service_id, at, received)
    return Response(orjson.dumps({"received": len(items)}), 200, content_type=JSON)


def quiet_times(parts: Parts) -> QuietTimes:
    """How long cards stay away, by the settings and the reasons that the cards offer."""
    reasons = (reason for topic in parts.knowledge.card_topics for reason in topic.override_reasons)
    return QuietTimes.of(parts.settings.snooze_days, reasons)


def _report(tenant: Tenant, items: tuple[FeedbackItem, ...], received: Received) -> None:
    name = tenant.id
    EVENTS.labels("matched", name).inc(received.matched)
    EVENTS.labels("quarantined", name).inc(received.quarantined)
    log.event("feedback", tenant=name, count=len(items))
    if received.quarantined:
        log.event("feedback-quarantined", tenant=name, count=received.quarantined)


def _leave_trail(parts: Parts, caller: Caller, service_id: str, at: datetime, received: Received) -> None:
    """The audit trail says that feedback came. Without it the feedback is stored and acknowledged all the
    same."""
    fields: dict[str, str | int | float | bool] = {
        "service": service_id,
        "iss": caller.issuer,
        "jti": caller.jti,
        "matched": received.matched,
        "quarantined": received.quarantined,
    }
    kept = {name: value for name, value in fields.items() if value != ""}
    tenant = caller.tenant.id
    try:
        parts.store.audit.append([AuditEntry(at, "feedback", tenant, kept)])
    except StoreUnavailable:
        log.event("trail-not-written", count=1)
