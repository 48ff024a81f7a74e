"""``relapse-cds serve``: the service on a WSGI server."""

from __future__ import annotations

import argparse
from typing import Any

from cds_service.cli.configured import configured
from cds_service.cli.faults import Unusable


def add_parser(subparsers: Any) -> None:
    """``serve [--host] [--port] [--workers] [--threads]``."""
    parser = subparsers.add_parser(
        "serve",
        help="serve EHRs with the configuration of RELAPSE_CDS_CONFIG",
        description="Serves EHRs. Reads the TOML file named by RELAPSE_CDS_CONFIG and the variables "
        "RELAPSE_CDS_*; these options win over both. Put nginx in front (deploy/).",
    )
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (default 8080)")
    parser.add_argument("--workers", type=int, help="worker processes (default 2)")
    parser.add_argument("--threads", type=int, help="threads of each worker (default 16)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    from pydantic import ValidationError

    from cds_service.configuration import SettingsError
    from cds_service.server import serve
    from cds_service.settings import Settings
    from cds_service.store import StoreMisconfigured, StoreUnavailable
    from fhir_mappings.assess import KnowledgeError

    changes = {key: getattr(args, key) for key in ("host", "port", "workers", "threads")}
    settings = configured()
    given = {key: value for key, value in changes.items() if value is not None}
    try:
        settings = Settings(**{**dict(settings), **given})
    except ValidationError:
        raise Unusable(f"{', '.join(f'--{key}' for key in given)}: out of range; see --help") from None
    try:
        serve(settings)
    except (KnowledgeError, SettingsError, StoreMisconfigured, StoreUnavailable) as fault:
        raise Unusable(str(fault)) from None
    return 0
