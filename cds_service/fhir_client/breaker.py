"""Stops asking a server that keeps failing, so that the clinician is answered at once."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

WINDOW = 20
FAILED_SHARE = 0.5
FAILURES_IN_A_ROW = 5
OPEN_SECONDS = 10.0


class Breaker:
    """The circuit breaker of one tenant's FHIR base.

    It opens after five failures in a row, or when half of the last twenty calls failed. After ten
    seconds one reading is let through as a probe: its first success closes the breaker, its first
    failure opens it again. The lock is held for the change of state only, never during a call.
    ``changed`` is told when the breaker has opened (True) or closed (False).
    """

    def __init__(
        self,
        changed: Callable[[bool], None] = lambda is_open: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._changed = changed
        self._clock = clock
        self._lock = threading.Lock()
        self._recent: deque[bool] = deque(maxlen=WINDOW)
        self._in_a_row = 0
        self._opened: float | None = None
        self._probe_until = 0.0

    def enter(self) -> bool:
        """Whether a reading may begin. An open breaker lets one in after the pause, as the probe."""
        with self._lock:
            if self._opened is None:
                return True
            now = self._clock()
            if now < self._opened + OPEN_SECONDS or now < self._probe_until:
                return False
            self._probe_until = now + OPEN_SECONDS
            return True

    def admits(self) -> bool:
        """Whether a reading that has begun may send another request."""
        with self._lock:
            return self._opened is None or self._clock() < self._probe_until

    def report(self, answered: bool) -> None:
        """Tell how a request ended: whether the server answered, with whatever but a 5xx."""
        with self._lock:
            if answered:
                self._answered()
            else:
                self._failed()

    def _answered(self) -> None:
        if self._opened is not None:
            self._recent.clear()
            self._changed(False)
        self._opened = None
        self._probe_until = 0.0
        self._in_a_row = 0
        self._recent.append(True)

    def _failed(self) -> None:
        self._in_a_row += 1
        self._recent.append(False)
        full = len(self._recent) == WINDOW
        mostly_failed = full and self._recent.count(False) >= WINDOW * FAILED_SHARE
        if self._opened is not None or mostly_failed or self._in_a_row >= FAILURES_IN_A_ROW:
            if self._opened is None:
                self._changed(True)
            self._opened = self._clock()
            self._probe_until = 0.0
