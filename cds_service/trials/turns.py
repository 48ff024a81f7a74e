"""One process at a time asks the registry, however many workers share the cache file."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def one_at_a_time(cache_file: Path | None) -> Iterator[bool]:
    """True while this process has the turn; False at once when another has it.

    The lock goes with the process, so that a crash leaves none behind. Without a cache file every
    process is on its own.
    """
    if cache_file is None:
        yield True
        return
    try:
        cache_file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(cache_file.with_name(f"{cache_file.name}.lock"), os.O_CREAT | os.O_RDWR, 0o600)
    except OSError:
        yield False
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        yield False
        return
    try:
        yield True
    finally:
        os.close(handle)
