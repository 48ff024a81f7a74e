"""Keeps tenants apart: each has its own bounded number of readings and of threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

READINGS_AT_ONCE = 32
"""At least; a process that answers more calls at a time has as many places."""
THREADS_FOR_A_READING = 3


class Bulkhead:
    """The threads that read for one tenant. Nothing queues for a place: full is said at once."""

    def __init__(self, tenant_id: str, readings: int = READINGS_AT_ONCE, threads: int = 0) -> None:
        self._lock = threading.Lock()
        self._free = readings
        self.executor = ThreadPoolExecutor(
            threads or readings * THREADS_FOR_A_READING, thread_name_prefix=f"fhir-{tenant_id}"
        )

    @property
    def full(self) -> bool:
        """True when no further reading may begin."""
        with self._lock:
            return self._free <= 0

    @contextmanager
    def place(self) -> Iterator[bool]:
        """A place for one fetch; yields False when there is none."""
        with self._lock:
            taken = self._free > 0
            self._free -= taken
        try:
            yield taken
        finally:
            with self._lock:
                self._free += taken

    def close(self) -> None:
        """Let running readings end by their own deadlines and take no new ones."""
        self.executor.shutdown(wait=False, cancel_futures=True)
