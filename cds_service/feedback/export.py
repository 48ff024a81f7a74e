"""Feedback as rows that a quality team can read."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TextIO

from cds_service.store import FeedbackEvent

COLUMNS = (
    "tenant",
    "service",
    "card",
    "topic",
    "ruleVersion",
    "outcome",
    "suggestion",
    "reasonCode",
    "reasonSystem",
    "reasonDisplay",
    "comment",
    "outcomeTimestamp",
    "receivedAt",
    "status",
)
"""Stable: columns may be added at the end, none is renamed."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def row(event: FeedbackEvent) -> dict[str, str]:
    """One event by column; moments in UTC, RFC 3339."""
    values = (
        event.tenant,
        event.service,
        event.card,
        event.topic,
        event.rule_version,
        event.outcome,
        event.suggestion,
        event.reason_code,
        event.reason_system,
        event.reason_display,
        event.comment,
        _moment(event.outcome_at),
        _moment(event.received_at),
        event.status,
    )
    return dict(zip(COLUMNS, values, strict=True))


def write_csv(events: Iterable[FeedbackEvent], out: TextIO) -> int:
    """Writes a header and one line an event; returns how many. A cell that a spreadsheet would run as a
    formula is led by an apostrophe."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    count = 0
    for event in events:
        writer.writerow([_harmless(cell) for cell in row(event).values()])
        count += 1
    return count


def write_json(events: Iterable[FeedbackEvent], out: TextIO) -> int:
    """Writes one JSON array, an object an event, leaving out what is empty; returns how many."""
    count = 0
    out.write("[")
    for count, event in enumerate(events, start=1):
        filled = {name: value for name, value in row(event).items() if value}
        out.write((",\n " if count > 1 else "\n ") + json.dumps(filled, ensure_ascii=False))
    out.write("\n]\n" if count else "]\n")
    return count


def _harmless(cell: str) -> str:
    return "'" + cell if cell.startswith(_FORMULA) else cell


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
