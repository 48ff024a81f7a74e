"""Metrics of closed labels: counts, times and the content in use. Nothing of a patient is a label."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

from cds_service.observability import log

REGISTRY = CollectorRegistry()
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
"""Upper bounds of the answer times, in seconds."""

REQUESTS = Counter(
    "http_requests", "Answered requests.", ["route", "method", "code", "tenant"], registry=REGISTRY
)
SECONDS = Histogram(
    "http_request_duration_seconds", "Time to answer.", ["route"], buckets=BUCKETS, registry=REGISTRY
)
PROBLEMS = Counter("problems", "Refused or failed calls.", ["problem"], registry=REGISTRY)
EVALUATIONS = Counter("cds_evaluations", "Evaluations by outcome.", ["outcome", "tenant"], registry=REGISTRY)
INCOMPLETE = Counter("incomplete", "Needs that were not seen.", ["key"], registry=REGISTRY)
MISMATCHES = Counter(
    "patient_mismatch", "Calls refused because of another patient's data.", ["tenant"], registry=REGISTRY
)
DEADLINES = Counter(
    "deadline_exceeded", "Calls in which a need was not read in time.", ["tenant"], registry=REGISTRY
)
CONTENT = Gauge(
    "content_info",
    "The knowledge in use.",
    ["digest", "version"],
    registry=REGISTRY,
    multiprocess_mode="max",
)

METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT"})


def known_method(method: str) -> str:
    """A method of the closed list, or ``other``: whoever calls can write anything there."""
    return method if method in METHODS else "other"


def answered(route: str, method: str, status: int, tenant: str, seconds: float) -> None:
    """One answered request. ``route`` is the rule of the URL map, never the path that was asked for."""
    known = known_method(method)
    REQUESTS.labels(route, known, str(status), tenant).inc()
    SECONDS.labels(route).observe(seconds)
    log.event(
        "answered",
        route=route,
        method=known,
        code=status,
        tenant=tenant,
        milliseconds=round(seconds * 1000, 1),
    )


def refused(problem: str, status: int) -> None:
    """A call that was refused or failed."""
    PROBLEMS.labels(problem).inc()
    log.event("refused", logging.WARNING if status < 500 else logging.ERROR, problem=problem, code=status)


def evaluated(outcome: str, tenant: str, missing: Iterable[str] = ()) -> None:
    """One finished evaluation: ``cards``, ``none``, ``incomplete`` or ``refused``."""
    EVALUATIONS.labels(outcome, tenant).inc()
    for key in missing:
        INCOMPLETE.labels(key).inc()


def content(digest: str, version: str) -> None:
    """The knowledge that decides."""
    CONTENT.labels(digest, version).set(1)


def exposition(multiprocess_dir: str) -> bytes:
    """The metrics in Prometheus text format; of all workers when they share a directory."""
    if not multiprocess_dir:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, path=multiprocess_dir)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
