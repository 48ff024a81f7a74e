"""Log lines: one JSON object an event, its keys from an allow-list.

Free text cannot be logged. A value that is not a number, a boolean or a short word of plain characters is
replaced by its type, so no patient data, token or exception text can reach a line.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from pathlib import PurePath
from types import TracebackType

from flask import g, has_request_context

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


def event(name: str, level: int = logging.INFO, **fields: object) -> None:
    """One event, one line. Keys outside the allow-list are a programming error and raise KeyError."""
    unknown = fields.keys() - KEYS
    if unknown:
        raise KeyError(f"not a key of the log: {', '.join(sorted(unknown))}")
    if not LOGGER.isEnabledFor(level):
        return
    request = {"request": g.get("request_id")} if has_request_context() and "request_id" in g else {}
    line = {"event": name, **request, **fields}
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
