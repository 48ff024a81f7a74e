"""Many threads of several processes write to one SQLite file: how long a write waits, and how many fail.

    python -m benchmarks.store_writers [--seconds 10] [--processes 2] [--threads 16] [--without-turns]

Each write is the four cards of one answer, committed before the next one begins, without a pause. That is
more than any EHR asks for: the longest wait is what counts. ``--without-turns`` leaves the waiting to SQLite.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from cds_service.store import ShownCard, Store, StoreUnavailable, open_store
from cds_service.store.write_lock import Turns

AT = datetime(2026, 11, 20, tzinfo=UTC)
CARDS = 4


def main() -> int:
    """Prints the counts and the waits as JSON; exit code 1 when a write failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--without-turns", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="relapse-cds-writers-") as folder:
        url = f"sqlite:///{folder}/store.db"
        open_store(url).close()
        spawned = multiprocessing.get_context("spawn")
        with spawned.Pool(chosen.processes) as pool:
            work = [(url, chosen.seconds, chosen.threads, chosen.without_turns)] * chosen.processes
            found = pool.starmap(write_for, work)
    waits = sorted(wait for waits, _ in found for wait in waits)
    failed = sum(count for _, count in found)
    report = {
        "turns": not chosen.without_turns,
        "writes": len(waits),
        "failed": failed,
        "milliseconds": {
            "median": round(waits[len(waits) // 2] * 1000),
            "99 %": round(waits[len(waits) * 99 // 100] * 1000),
            "longest": round(waits[-1] * 1000),
        },
    }
    print(json.dumps(report, indent=2))
    return 1 if failed else 0


def write_for(url: str, seconds: float, threads: int, without_turns: bool) -> tuple[list[float], int]:
    """The waits of one process, and how many writes failed."""
    if without_turns:
        Turns.taken = _no_turn  # type: ignore[method-assign, assignment]
    store, waits, failed = open_store(url), [], []
    end = time.monotonic() + seconds

    def write() -> None:
        while (start := time.monotonic()) < end:
            try:
                _record(store)
            except StoreUnavailable as fault:
                failed.append(fault.kind)
            waits.append(time.monotonic() - start)

    _at_once(write, threads)
    store.close()
    return waits, len(failed)


def _no_turn(_: Turns) -> Any:
    return nullcontext()


def _record(store: Store) -> None:
    store.evaluations.record(
        ShownCard("t", str(uuid4()), "all-relapse", "allFinding", "1", "d", "e" * 64, "p" * 64, AT)
        for _ in range(CARDS)
    )


def _at_once(work: Callable[[], None], threads: int) -> None:
    running = [threading.Thread(target=work) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


if __name__ == "__main__":
    sys.exit(main())
