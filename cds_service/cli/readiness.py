"""``relapse-cds readiness``: what a site's charts hold, what should be mapped, what could never be said."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from cds_service.cli.cohort import add_run_arguments, exit_code, told
from cds_service.cli.configured import moment
from cds_service.cli.faults import Unusable

TOKEN_VARIABLE = "RELAPSE_CDS_FHIR_TOKEN"  # noqa: S105 - the name of a variable, not a token

_FILES = f"""files in DIR:
  readiness.json   needs, codes and units, proposals, what could never be said
  readiness.txt    the same to read
  codes.toml       a proposed [tenants.codes] table: to be reviewed before it counts
  terminology.json with --terminology-server: our codes, valid, unknown or not answered

With --fhir-server a sample of charts with ALL is read from the server;
{TOKEN_VARIABLE} may hold its access token.
"""


def add_parser(subparsers: Any) -> None:
    """``readiness``."""
    parser = subparsers.add_parser(
        "readiness",
        help="say what a site's data can and cannot decide, and propose code mappings",
        epilog=_FILES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("export", metavar="EXPORT", nargs="?", default="", help="folder or file of an export")
    parser.add_argument("--fhir-server", metavar="URL", default="", help="read a sample of charts from here")
    parser.add_argument("--sample", metavar="N", type=int, default=50, help="charts read from the server")
    parser.add_argument("--terminology-server", metavar="URL", default="", help="check our codes there")
    parser.add_argument("--allow-private", action="store_true", help="the servers may have private addresses")
    parser.add_argument("--at", metavar="ISO", help="the moment of evaluation (default: now)")
    add_run_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Look and tell."""
    if bool(args.export) == bool(args.fhir_server):
        raise Unusable("readiness: name an export or --fhir-server, one of the two")
    from cds_service.cohort.readiness_run import Servers, run_readiness
    from cds_service.cohort.running import Order

    with told():
        order = Order.of(args, "readiness", moment(args.at))
        servers = Servers(
            fhir=args.fhir_server,
            terminology=args.terminology_server,
            token=os.environ.get(TOKEN_VARIABLE, ""),
            allow_private=args.allow_private,
            sample=args.sample,
        )
        text, errors = run_readiness(order, servers)
    sys.stdout.write(text)
    return exit_code(errors, order.out)
