"""Measures the service on this machine: ``python -m benchmarks``, or ``make bench``.

Every figure is a ratio to a floor of the same run. Nothing here is a test: what a shared machine measures
may differ from day to day by a tenth. ``--write`` puts the table into docs/performance.md.
"""

from __future__ import annotations

import argparse

from rich.console import Console

from benchmarks import fetching, hook_calls, report, starting
from benchmarks.report import Row

FETCHING_GOAL = 1.1
QUERY_SECONDS = 0.1


def main(arguments: list[str] | None = None) -> int:
    """Measures, prints and, where asked, writes. Returns 0: a goal that is not met is no failure."""
    chosen = _parser().parse_args(arguments)
    plan = hook_calls.Plan(sizes=tuple(chosen.sizes), rounds=chosen.rounds, block=chosen.block)
    console = Console(stderr=True)
    with console.status("calls with prefetch"):
        rows = hook_calls.measure(plan)
    with console.status("calls without prefetch"):
        rows += _fetching(chosen.rounds, chosen.query_seconds, min(chosen.sizes))
    with console.status("starts"):
        rows += _starting(min(chosen.rounds, 5))
    text = f"{report.table(rows)}\n\n{report.machine()}"
    print(text)
    if chosen.write:
        report.write(text)
    return 0


def _fetching(rounds: int, seconds: float, resources: int) -> list[Row]:
    found = fetching.measure(rounds, seconds, resources)
    words = f"{found.ratio.text}; {found.milliseconds:.0f} ms, {found.queries_with} queries"
    return [
        Row("without prefetch, against conditions + slowest query", words, found.ratio.median, FETCHING_GOAL),
        Row("queries for a chart without ALL", str(found.queries_without), found.queries_without, 1),
    ]


def _starting(rounds: int) -> list[Row]:
    found = starting.measure(rounds)
    return [
        Row("start: imports", f"{found.import_seconds:.2f} s CPU, {found.import_mib:.0f} MiB"),
        Row("start: imports and create_app", f"{found.create_seconds:.2f} s CPU, {found.create_mib:.0f} MiB"),
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[200, 2_000, 5_000], help="resources in a chart"
    )
    parser.add_argument("--rounds", type=int, default=11, help="interleaved rounds of each comparison")
    parser.add_argument(
        "--block", type=float, default=0.05, help="seconds of CPU time in each block of calls"
    )
    parser.add_argument("--query-seconds", type=float, default=QUERY_SECONDS, help="time of one FHIR query")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
