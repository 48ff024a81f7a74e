"""Metrics of reading. Labels are tenants of the configuration, resource types of needs, and reasons."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from cds_service.fhir_client.searching import status_reason
from cds_service.fhir_client.transport import Failed, Reply, Request
from cds_service.observability import metrics

REQUESTS = Counter(
    "fhir_requests", "Requests to FHIR servers.", ["tenant", "resource", "outcome"], registry=metrics.REGISTRY
)
SECONDS = Histogram(
    "fhir_seconds",
    "Time of a request to a FHIR server.",
    ["tenant"],
    buckets=metrics.BUCKETS,
    registry=metrics.REGISTRY,
)
BREAKER = Gauge(
    "breaker_state",
    "1 while a tenant's FHIR server is not asked, because it kept failing.",
    ["tenant"],
    registry=metrics.REGISTRY,
    multiprocess_mode="max",
)


def exchanged(tenant: str, request: Request, outcome: Reply | Failed, seconds: float) -> None:
    """Count one exchange. ``resource`` is empty where the need is not known, as on a prefetched page."""
    REQUESTS.labels(tenant, request.about, outcome_word(outcome)).inc()
    SECONDS.labels(tenant).observe(seconds)


def breaker(tenant: str, is_open: bool) -> None:
    """Tell whether a tenant's server is asked."""
    BREAKER.labels(tenant).set(int(is_open))


def outcome_word(outcome: Reply | Failed) -> str:
    """How an exchange ended, as a word of a closed list."""
    if isinstance(outcome, Failed):
        return outcome.reason
    return "answered" if outcome.status == 200 else status_reason(outcome.status)
