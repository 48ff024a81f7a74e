"""``relapse-cds load-demo``: write the demonstration patients to a FHIR R4 server."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from typing import Any

from cds_service.cli.configured import today_or
from cds_service.cli.faults import FAILED, Unusable


def add_parser(subparsers: Any) -> None:
    """``load-demo --fhir-server URL [--token TOKEN] [--today DATE]``."""
    parser: ArgumentParser = subparsers.add_parser(
        "load-demo",
        help="write the demonstration patients to a FHIR R4 server",
        description="Writes the synthetic demonstration patients to a FHIR R4 server and prints their ids. "
        "Every resource has a fixed id, so loading again replaces and does not duplicate.",
    )
    parser.add_argument("--fhir-server", required=True, metavar="URL", help="base URL of the FHIR R4 server")
    parser.add_argument("--token", metavar="TOKEN", help="bearer token that may write there")
    parser.add_argument(
        "--today", metavar="DATE", help="date the charts relative to this day (default: today)"
    )
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """Load the patients and print one line for each."""
    from cds_service.demo.demo_patients import load_patients
    from cds_service.demo.loading import NotLoaded, load
    from cds_service.http.fhir_base import MalformedUrl, parse_base

    try:
        parse_base(args.fhir_server)
    except MalformedUrl:
        raise Unusable("--fhir-server: write a base URL such as https://ehr.example.org/fhir") from None
    patients = load_patients(today_or(args.today))
    try:
        load(args.fhir_server, patients, args.token)
    except NotLoaded as fault:
        sys.stderr.write(f"relapse-cds: {fault}\n")
        return FAILED
    for patient in patients:
        sys.stdout.write(f"{patient.id:<20} {patient.name:<24} {patient.story}\n")
    return 0
