"""``relapse-cds load-demo``: write the demonstration patients to a FHIR R4 server."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from datetime import UTC, date, datetime
from typing import Any

_EPILOG = "Exit codes: 0 written, 1 the server did not take the patients, 2 an argument is wrong."


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser: ArgumentParser = subparsers.add_parser(
        "load-demo",
        help="write the demonstration patients to a FHIR R4 server",
        description="Write the synthetic demonstration patients to a FHIR R4 server and print their ids. "
        "Every resource has a fixed id, so loading again replaces and does not duplicate.",
        epilog=_EPILOG,
    )
    parser.add_argument("--fhir-server", required=True, metavar="URL", help="base URL of the FHIR R4 server")
    parser.add_argument("--token", metavar="TOKEN", help="bearer token that may write there")
    parser.add_argument(
        "--today", metavar="DATE", help="date the charts relative to this day (default: today)"
    )
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """Load the patients and print one line for each."""
    from cds_service.demo.cohort import load_patients
    from cds_service.demo.loading import NotLoaded, load

    try:
        today = date.fromisoformat(args.today) if args.today else datetime.now(UTC).date()
    except ValueError:
        print("--today needs a date such as 2026-01-31.", file=sys.stderr)
        return 2
    patients = load_patients(today)
    try:
        load(args.fhir_server, patients, args.token)
    except NotLoaded as fault:
        print(fault, file=sys.stderr)
        return 1
    for patient in patients:
        print(f"{patient.id:<20} {patient.name:<24} {patient.story}")
    return 0
