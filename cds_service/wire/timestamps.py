"""Moments as CDS Hooks writes them: RFC 3339 section 5.6, always with a zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

_RFC_3339 = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt](?P<minute>[0-9]{2}:[0-9]{2}):(?P<second>[0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]{1,12}))?(?P<zone>[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


class NotATimestamp(ValueError):
    """Not a moment in RFC 3339. The message says what to write."""


def read_timestamp(value: Any) -> datetime:
    """The moment in UTC, to the microsecond. A leap second counts as the second after it.

    :raises NotATimestamp: not text, no zone, no such day or time.
    """
    match = _RFC_3339.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise NotATimestamp("write a moment with its zone, such as 2026-11-20T09:30:00Z")
    is_leap = match["second"] == "60"
    zone = "+00:00" if match["zone"] in "Zz" else match["zone"]
    fraction = (match["fraction"] or "").ljust(6, "0")[:6]
    try:
        moment = datetime.fromisoformat(
            f"{match['day']}T{match['minute']}:{'59' if is_leap else match['second']}.{fraction}{zone}"
        )
        return (moment + timedelta(seconds=is_leap)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotATimestamp("there is no such day or time") from None
