"""Writers of one SQLite file take turns.

SQLite lets one connection write at a time and has no queue: whoever finds it busy sleeps, up to 100 ms,
and looks again. Under steady load the same writer can be unlucky for seconds and then fails, although the
database was never held for long. Here the threads of a process queue first, and one thread of each process
asks for the turn every half millisecond.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import uniform

if sys.platform != "win32":
    import fcntl

SUFFIX = "-turn"
"""Of the empty file beside the database. The database itself may not be opened for this: closing it again
would drop the locks that SQLite holds on it in this process."""
_PAUSE_SECONDS = 0.0005


class Turns:
    """The turns of one database file. Safe to use from several threads and processes."""

    def __init__(self, database: str, patience: float) -> None:
        self._path = database + SUFFIX
        self._patience = patience
        self.forget()

    def forget(self) -> None:
        """After a fork: the parent's turn and its open file are not ours."""
        self._mutex = threading.Lock()
        self._file: int | None = None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """The turn, for as long as the block runs.

        :raises TimeoutError: it did not come within the patience.
        """
        end = time.monotonic() + self._patience
        if not self._mutex.acquire(timeout=self._patience):
            raise TimeoutError
        try:
            self._lock_file(end)
            try:
                yield
            finally:
                self._unlock_file()
        finally:
            self._mutex.release()

    def close(self) -> None:
        """Closes the file, which stays: another process may be using it."""
        with self._mutex:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _lock_file(self, end: float) -> None:
        if sys.platform == "win32":
            return  # No such lock: there only SQLite's own waiting keeps processes apart.
        if self._file is None:
            self._file = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise TimeoutError from None
            time.sleep(uniform(_PAUSE_SECONDS / 2, _PAUSE_SECONDS))  # noqa: S311 - spreads, hides nothing

    def _unlock_file(self) -> None:
        if sys.platform != "win32" and self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)
