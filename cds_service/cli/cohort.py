"""``relapse-cds cohort``: what the service would have said about every patient of an export."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cds_service.cli.configured import counted, moment
from cds_service.cli.faults import FAILED, Unusable

INCOMPLETE = 3
"""The exit code of a run over an export of which some lines could not be read."""

_FILES = """files in DIR (all of them patient data; nobody else may read them):
  rows.csv, .ndjson, .parquet   one row for each patient whose chart opened, sorted by patient
  summary.json                  counts, what keeps charts from being decided, checksum
  report.html                   one page to print: counts only, those below 5 as "<5"
  errors.ndjson                 file, offset and reason of what was not read or belongs to nobody

exit code 3: done, and errors.ndjson is not empty
"""


def add_parser(subparsers: Any) -> None:
    """``cohort EXPORT`` and ``cohort compare``."""
    parser = subparsers.add_parser(
        "cohort",
        help="assess every patient of a Bulk Data export",
        description="Assesses every patient of an export: NDJSON files (plain or gzip) or Bundles. "
        "Nobody is contacted. `relapse-cds cohort compare DIR_A DIR_B` compares two runs.",
        epilog=_FILES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("export", metavar="EXPORT", help="folder or file; or the word `compare`")
    parser.add_argument("others", nargs="*", metavar="DIR", type=Path, help=argparse.SUPPRESS)
    add_run_arguments(parser)
    parser.add_argument("--at", metavar="ISO", help="the moment of evaluation (default: now); a date is UTC")
    parser.add_argument("--engine", choices=("local", "spark"), default="local", help="who does the work")
    parser.add_argument("--parquet", action="store_true", help="write rows.parquet too (extra `parquet`)")
    parser.set_defaults(run=run)


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """What every command over an export takes."""
    parser.add_argument("--out", metavar="DIR", type=Path, help="where the files go")
    parser.add_argument("--config", metavar="FILE", type=Path, help="the site's configuration (TOML)")
    parser.add_argument(
        "--tenant", metavar="ID", default="", help="whose export it is, where several are configured"
    )
    parser.add_argument("--base", metavar="URL", action="append", default=[], help="FHIR base of the export")
    parser.add_argument("--workers", metavar="N", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--resume", action="store_true", help="go on with a run that was stopped")
    parser.add_argument(
        "--pseudonyms", action="store_true", help="write the tenant's pseudonyms instead of ids"
    )
    parser.add_argument(
        "--key-table", metavar="FILE", type=Path, help="with --pseudonyms: id of each pseudonym, here"
    )
    parser.add_argument("--small-cells", action="store_true", help="show counts from 1 to 4 in the report")


def run(args: argparse.Namespace) -> int:
    """Run or compare."""
    if args.export == "compare":
        return _compare(args.others)
    from cds_service.cohort.running import Order, run_cohort

    if args.others:
        raise Unusable("cohort: name one export")
    with told():
        order = Order.of(args, "cohort", moment(args.at))
        summary = run_cohort(order, engine=args.engine, parquet=args.parquet).summary
    status = ", ".join(f"{count} {name}" for name, count in summary["status"].items()) or "no chart opened"
    sys.stdout.write(
        f"{counted(summary['patients'], 'patient')}, {counted(summary['resources'], 'resource')}, "
        f"{counted(summary['opened'], 'chart')} opened: {status}\n{order.out / 'report.html'}\n"
    )
    return exit_code(summary["errors"], order.out)


@contextmanager
def told() -> Iterator[None]:
    """What keeps a run from being done, as a fault of this command line."""
    from cds_service.cohort.site import Unusable as NotDone

    try:
        yield
    except NotDone as fault:
        raise Unusable(str(fault)) from None


def exit_code(errors: int, out: Path) -> int:
    """The exit code of a run, and a line on standard error where lines could not be read."""
    if not errors:
        return 0
    sys.stderr.write(
        f"relapse-cds: {counted(errors, 'line')} or files could not be read or belonged to nobody: "
        f"{out / 'errors.ndjson'}\n"
    )
    return INCOMPLETE


def _compare(folders: list[Path]) -> int:
    from cds_service.cohort.comparing import Unreadable, compare

    if len(folders) != 2:
        raise Unusable("cohort compare: name two folders of results")
    try:
        found = compare(*folders)
    except Unreadable as fault:
        raise Unusable(str(fault)) from None
    sys.stdout.write(found.text())
    return FAILED if found.lost else 0
