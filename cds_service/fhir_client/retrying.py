"""One second try, and only where it can help: a read, early enough, and not too often."""

from __future__ import annotations

import random
import re
import threading
import time
from email.utils import parsedate_to_datetime

from cds_service.fhir_client.deadline import Deadline
from cds_service.fhir_client.transport import Failed, Reply, Request

LEAST_SHARE_LEFT = 0.4
SHORTEST_PAUSE = 0.02
LONGEST_PAUSE = 0.08
RETRIED_SHARE = 0.1
MOST_SAVED = 10.0
_GATEWAY = (502, 503, 504)
_THROTTLED = 429
_DIGITS = re.compile(r"[0-9]{1,9}")


class RetryBudget:
    """At most one retry for every ten calls of a tenant, so that retries cannot become a storm."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._saved = 3.0

    def earn(self) -> None:
        """Count one first try."""
        with self._lock:
            self._saved = min(MOST_SAVED, self._saved + RETRIED_SHARE)

    def spend(self) -> bool:
        """Take one retry; False when none is saved."""
        with self._lock:
            if self._saved < 1.0:
                return False
            self._saved -= 1.0
            return True


def pause_before_retry(request: Request, outcome: Reply | Failed, deadline: Deadline) -> float | None:
    """Seconds to wait before the one second try; None where there is to be none."""
    if request.method != "GET" or deadline.share_left() < LEAST_SHARE_LEFT:
        return None
    jitter = random.uniform(SHORTEST_PAUSE, LONGEST_PAUSE)  # noqa: S311 - spreads load, hides nothing
    if isinstance(outcome, Failed):
        return jitter if outcome.repeatable else None
    if outcome.status not in (*_GATEWAY, _THROTTLED):
        return None
    wished = wished_pause(outcome)
    if wished is None:
        return jitter if outcome.status in _GATEWAY else None
    return wished + jitter if wished + jitter < deadline.remaining() / 2 else None


def wished_pause(reply: Reply) -> float | None:
    """The pause a server asks for, in seconds (RFC 9110 10.2.3; ``x-ms-retry-after-ms``)."""
    milliseconds = reply.headers.get("x-ms-retry-after-ms", "").strip()
    if _DIGITS.fullmatch(milliseconds):
        return int(milliseconds) / 1000
    text = reply.headers.get("retry-after", "").strip()
    if _DIGITS.fullmatch(text):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time()) if text else None
    except (ValueError, OverflowError):
        return None
