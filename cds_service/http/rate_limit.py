"""How many calls a tenant may make in a minute, counted over all worker processes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from multiprocessing import get_context

SECONDS = 60.0


class CallRate:
    """One token bucket for each tenant, in memory that forked workers share.

    Made before the workers are forked. ``per_minute`` 0: nothing is counted.
    """

    def __init__(self, tenants: Sequence[str], per_minute: int) -> None:
        self._most = float(per_minute)
        self._places = {name: 2 * place for place, name in enumerate(tenants)}
        # For each tenant: the calls left, and the moment of the monotonic clock, which all processes share.
        self._buckets = get_context("fork").Array("d", [self._most, 0.0] * max(1, len(tenants)))

    def wait(self, tenant: str) -> float:
        """Takes one call from the tenant's bucket; returns 0, or the seconds until the next is free."""
        place = self._places.get(tenant)
        if not self._most or place is None:
            return 0.0
        with self._buckets.get_lock():
            now = time.monotonic()
            left, then = self._buckets[place], self._buckets[place + 1]
            left = min(self._most, left + (now - then) * self._most / SECONDS)
            admitted = left >= 1.0
            self._buckets[place] = left - 1.0 if admitted else left
            self._buckets[place + 1] = now
        return 0.0 if admitted else (1.0 - left) * SECONDS / self._most
