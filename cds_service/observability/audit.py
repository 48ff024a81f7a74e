"""What the service says about itself: log lines from an allow-list of keys, and metrics of closed labels.

Free text cannot be logged. A value that is not a number, a boolean or a short word of plain characters is
replaced by its type, so no patient data, token or exception text can reach a line.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import PurePath
from types import TracebackType

from flask import g, has_request_context
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

LOGGER = logging.getLogger("relapse_cds")

KEYS = frozenset(
    {
        "at",
        "cards",
        "code",
        "count",
        "digest",
        "error",
        "evaluated",
        "event",
        "hookInstance",
        "key",
        "level",
        "line",
        "method",
        "milliseconds",
        "module",
        "need",
        "outcome",
        "patientIdForm",
        "port",
        "problem",
        "reason",
        "request",
        "resources",
        "route",
        "seconds",
        "service",
        "source",
        "status",
        "tenant",
        "version",
        "workers",
    }
)
"""Every key a log line may hold."""

_WORD = re.compile(r"[A-Za-z0-9._:/<>+-]{0,128}")


def log(event: str, level: int = logging.INFO, **fields: object) -> None:
    """One event, one line. Keys outside the allow-list are a programming error and raise KeyError."""
    unknown = fields.keys() - KEYS
    if unknown:
        raise KeyError(f"not a key of the log: {', '.join(sorted(unknown))}")
    if not LOGGER.isEnabledFor(level):
        return
    request = {"request": g.get("request_id")} if has_request_context() and "request_id" in g else {}
    line = {"event": event, **request, **fields}
    LOGGER.log(level, "%s", json.dumps({key: _plain(value) for key, value in line.items()}))


def _plain(value: object) -> object:
    if isinstance(value, bool | int) or value is None:
        return value
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, str) and _WORD.fullmatch(value):
        return value
    return f"<{type(value).__name__}>"


class _Line(logging.Formatter):
    """A record as one line of JSON. Text of other libraries is dropped: only logger and level stay."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without a line break."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        head = {"at": at, "level": record.levelname.lower()}
        own = json.loads(record.getMessage()) if record.name == LOGGER.name else {"module": record.name}
        return json.dumps({**head, **own})


def line_formatter() -> logging.Formatter:
    """The form of every line: one JSON object."""
    return _Line()


def configure_logging(level: str) -> None:
    """One JSON line per event on standard error; other libraries are heard from WARNING on, wordless."""
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(line_formatter())
    root = logging.getLogger()
    root.handlers[:] = [stream]
    root.setLevel(logging.WARNING)
    LOGGER.setLevel(level.upper())
    # Its retry warnings hold whole URLs; their text is dropped above, and they say nothing without it.
    logging.getLogger("urllib3").setLevel(logging.ERROR)


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


def answered(route: str, method: str, status: int, tenant: str, seconds: float) -> None:
    """One answered request. ``route`` is the rule of the URL map, never the path that was asked for."""
    known = method if method in METHODS else "other"
    REQUESTS.labels(route, known, str(status), tenant).inc()
    SECONDS.labels(route).observe(seconds)
    log(
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
    log("refused", logging.WARNING if status < 500 else logging.ERROR, problem=problem, code=status)


def crashed(error: BaseException) -> None:
    """An exception nobody expected: its type and the line of our code that it left, not its text."""
    place = _innermost(error.__traceback__)
    log(
        "crashed",
        logging.ERROR,
        error=type(error).__name__,
        module=PurePath(place.filename).stem if place else "unknown",
        line=place.lineno if place else 0,
    )


def _innermost(trace: TracebackType | None) -> traceback.FrameSummary | None:
    frames = traceback.extract_tb(trace)
    ours = [frame for frame in frames if "cds_service" in frame.filename or "fhir_mappings" in frame.filename]
    return next(reversed(ours or list(frames)), None)


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
