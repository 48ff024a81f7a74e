"""Log lines: one JSON object an event, its keys from an allow-list.

Free text cannot be logged. A value that is not a number, a boolean or a short word of plain characters is
replaced by its type, so no patient data, token or exception text can reach a line.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePath
from types import TracebackType

from flask import g, has_request_context

from cds_service.observability import tracing
from cds_service.observability.plain_values import plain

LOGGER = logging.getLogger("relapse_cds")

KEYS: Mapping[str, str] = {
    "at": "moment of the line, UTC",
    "cards": "number of cards",
    "code": "HTTP status of the answer",
    "count": "how many of what the event names",
    "digest": "digest of the knowledge, or the newest seal of the audit trail",
    "error": "class of an exception, the database's code for a fault, or the EHR's OAuth error code",
    "evaluated": "number of evaluations",
    "event": "what happened; see the events",
    "hookInstance": "the EHR's id of the call",
    "key": "id of a public key (kid)",
    "level": "info, warning or error",
    "line": "line of our code that an unexpected exception left",
    "method": "HTTP method",
    "milliseconds": "time from the first line of the request to the answer",
    "module": "module of our code, or the library that warned (its text is dropped)",
    "need": "a clinical need of the knowledge, such as conditions or marrow",
    "outcome": "how it ended",
    "patientIdForm": "the form of a patient id that was normalised, never the id",
    "port": "port that is listened on",
    "problem": "what was answered; see errors.md",
    "reason": "why, as a word of a closed list",
    "request": "the X-Request-Id of the answer",
    "resources": "number of FHIR resources",
    "route": "rule of the URL map, never the path that was asked for",
    "seconds": "how long it took or will take",
    "service": "id of the hook service",
    "source": "which list of trials, or which work of the store",
    "status": "status of an answer or of an assessment",
    "tenant": "id of the tenant in the configuration, or none",
    "trace": "id of the OpenTelemetry trace, where tracing is on",
    "version": "version of the knowledge, or revision of the store's tables",
    "workers": "number of processes",
}
"""Every key a log line may hold, and what it means."""


def event(name: str, level: int = logging.INFO, **fields: object) -> None:
    """One event, one line. Keys outside the allow-list are a programming error and raise KeyError."""
    unknown = fields.keys() - KEYS
    if unknown:
        raise KeyError(f"not a key of the log: {', '.join(sorted(unknown))}")
    if not LOGGER.isEnabledFor(level):
        return
    request = {"request": g.get("request_id")} if has_request_context() and "request_id" in g else {}
    if trace := tracing.trace_id():
        request["trace"] = trace
    line = {"event": name, **request, **fields}
    LOGGER.log(level, "%s", json.dumps({key: plain(value) for key, value in line.items()}))


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


def crashed(error: BaseException) -> None:
    """An exception nobody expected: its type and the line of our code that it left, not its text."""
    place = _innermost(error.__traceback__)
    event(
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
