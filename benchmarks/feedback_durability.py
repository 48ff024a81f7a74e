"""Kills the service with SIGKILL under feedback load, many times, and counts what was lost.

    python -m benchmarks.feedback_durability [--rounds 200] [--seconds 1] [--postgresql | --store URL]

Two gunicorn workers with four threads, eight clients, three events a batch. Every batch answered with 200
must be in the store, each event once, and SQLite's own integrity check must pass. A killed process says
nothing about a loss of power: for that the store commits with synchronous FULL.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.progress import Progress

from tests.cds_service.databases import ThrowAwayPostgresql
from tests.cds_service.feedback.durability import run


def main() -> int:
    """Runs the rounds, prints the counts as JSON; exit code 1 when anything was lost or doubled."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=1.0, help="load before each kill")
    parser.add_argument("--store", help="database URL (default: a new SQLite file)")
    parser.add_argument("--postgresql", action="store_true", help="a PostgreSQL of this run's own")
    args = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="relapse-cds-durability-") as name, Progress() as progress:
        bar = progress.add_task("kill -9 rounds", total=args.rounds)
        with _postgresql() if args.postgresql else contextlib.nullcontext(args.store) as given:
            outcome = run(
                given or f"sqlite:///{name}/store.db",
                Path(name),
                args.rounds,
                args.seconds,
                lambda number: progress.update(bar, completed=number),
            )
    report = {
        "rounds": len(outcome.lost),
        "acknowledged": sum(map(len, outcome.acknowledged)),
        "lost": sum(outcome.lost),
        "lostByRound": {number: lost for number, lost in enumerate(outcome.lost, start=1) if lost},
        "twice": outcome.twice,
        "unexpectedStatuses": len(outcome.wrong),
        "sourceChanged": outcome.source_changed,
        "seconds": round(time.monotonic() - began),
    }
    print(json.dumps(report, indent=2))
    return 1 if any(outcome.lost) or outcome.twice or outcome.wrong or outcome.source_changed else 0


@contextlib.contextmanager
def _postgresql() -> Iterator[str]:
    server = ThrowAwayPostgresql()
    server.start()
    try:
        yield server.new_database()
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main())
