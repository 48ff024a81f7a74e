"""``relapse-cds export``: a Bulk Data export from a FHIR server into a folder."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from cds_service.cli.cohort import told
from cds_service.cli.faults import Unusable

TOKEN_VARIABLE = "RELAPSE_CDS_FHIR_TOKEN"  # noqa: S105 - the name of a variable, not a token

_MORE = f"""SMART backend services: register a client with its public key and --key-id, then
  relapse-cds export https://ehr.example.org/fhir --client-id ID --key private.pem --key-id KID \\
      --out DIR

Without --client-id the server is read with the token in {TOKEN_VARIABLE}, or without one.
Where a site has its own tool for exports, its folder is enough: relapse-cds cohort FOLDER.
Addresses that the server names are contacted at its own origin only, or where --file-server
names them.
"""


def add_parser(subparsers: Any) -> None:
    """``export``."""
    parser = subparsers.add_parser(
        "export",
        help="fetch a FHIR Bulk Data export",
        epilog=_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("server", metavar="URL", help="base of the FHIR server")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="where the files go")
    parser.add_argument("--group", metavar="ID", default="Patient", help="a Group; default: all patients")
    parser.add_argument("--types", metavar="LIST", default="", help="resource types; default: all")
    parser.add_argument("--since", metavar="ISO", default="", help="only what changed since this moment")
    parser.add_argument("--client-id", metavar="ID", default="", help="this client at the server")
    parser.add_argument("--key", metavar="FILE", type=Path, help="PEM with the private key (RSA or P-384)")
    parser.add_argument("--key-id", metavar="KID", default="", help="kid of the key at the server")
    parser.add_argument("--scope", default="system/*.rs", help="scopes (default: system/*.rs)")
    parser.add_argument("--token-url", metavar="URL", default="", help="the token endpoint")
    parser.add_argument("--file-server", metavar="URL", action="append", default=[], help="where files are")
    parser.add_argument("--config", metavar="FILE", type=Path, help="the site's configuration (TOML)")
    parser.add_argument("--tenant", metavar="ID", default="", help="whose export it is")
    parser.add_argument("--allow-private", action="store_true", help="admit http and private addresses")
    parser.add_argument("--resume", action="store_true", help="go on with an export that was stopped")
    parser.add_argument("--keep", action="store_true", help="do not delete the export at the server")
    parser.add_argument("--hours", type=float, default=24.0, help="how long it may take (default: 24)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Export and tell."""
    from cds_service.cohort.export_run import BulkOrder, run_export, types_of
    from cds_service.cohort.site import site_of
    from cds_service.fhir_client.bulk_export import Order

    with told():
        asked = BulkOrder(
            server=args.server,
            out=args.out,
            order=Order(args.group, types_of(args.types), args.since),
            site=site_of(args.config, args.tenant),
            client=_client(args),
            token=os.environ.get(TOKEN_VARIABLE, ""),
            token_url=args.token_url,
            file_servers=tuple(args.file_server),
            allow_private=args.allow_private,
            resume=args.resume,
            keep=args.keep,
            hours=args.hours,
        )
        sys.stdout.write(run_export(asked))
    return 0


def _client(args: argparse.Namespace) -> Any:
    from cds_service.fhir_client.backend_services import Client

    if not args.client_id:
        return None
    if args.key is None or not args.key_id:
        raise Unusable("--client-id: name --key and --key-id too")
    try:
        return Client(args.client_id, args.key.read_bytes(), args.key_id, args.scope)
    except OSError as fault:
        raise Unusable(f"{args.key}: {fault.strerror}") from None
