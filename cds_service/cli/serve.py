"""``relapse-cds serve``: the service on a WSGI server."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from cds_service.cli.configured import configured, indented
from cds_service.cli.faults import Unusable

if TYPE_CHECKING:
    from cds_service.settings.model import Settings


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
    from cds_service.observability.shared_metrics import MetricsUnusable, shared_metrics

    try:
        with shared_metrics():
            return _serve(args)
    except MetricsUnusable as fault:
        raise Unusable(str(fault)) from None


def _serve(args: argparse.Namespace) -> int:
    settings = _with_options(configured(), args)
    from cds_service.cli.store_faults import told
    from cds_service.server.gunicorn_server import serve
    from cds_service.server.sockets import PortUnusable
    from cds_service.settings.faults import SettingsError
    from cds_service.store import StoreMisconfigured, StoreUnavailable
    from fhir_mappings.assess import KnowledgeError

    try:
        serve(settings)
    except SettingsError as fault:
        raise Unusable(f"the configuration cannot be used:\n{indented(str(fault))}") from None
    except KnowledgeError as fault:
        raise Unusable(f"the knowledge cannot be used:\n{indented(str(fault))}") from None
    except (StoreMisconfigured, StoreUnavailable) as fault:
        raise Unusable(told(settings, fault)) from None
    except PortUnusable as fault:
        raise Unusable(str(fault)) from None
    return 0


def _with_options(settings: Settings, args: argparse.Namespace) -> Settings:
    """The settings with what the command line says instead. Raises Unusable naming the option."""
    from pydantic import ValidationError

    from cds_service.settings.faults import faults_of
    from cds_service.settings.model import Settings

    options = {key: getattr(args, key) for key in ("host", "port", "workers", "threads")}
    given = {key: value for key, value in options.items() if value is not None}
    try:
        return Settings(**{**dict(settings), **given})
    except ValidationError as error:
        raise Unusable("; ".join(f"--{fault.key}: {fault.remedy}" for fault in faults_of(error))) from None
