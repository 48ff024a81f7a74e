"""``relapse-cds demo``: the service, a FHIR sandbox and an EHR page in one process."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from cds_service.cli.configured import today_or
from cds_service.cli.faults import FAILED, Unusable


def add_parser(subparsers: Any) -> None:
    """``demo [--host] [--port] [--once] [--all] [--today DATE]``."""
    parser = subparsers.add_parser(
        "demo",
        help="try everything: the service with synthetic patients, a FHIR sandbox and a demo EHR",
        description="Starts the service together with an embedded FHIR R4 sandbox of synthetic patients, "
        "dated relative to today, and a demo EHR page. No configuration, no real data, no authorisation.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8080, help="port to listen on (default 8080)")
    parser.add_argument("--once", action="store_true", help="show every patient's answer once and end")
    parser.add_argument(
        "--all", action="store_true", help="print every patient's cards, not only the first's"
    )
    parser.add_argument(
        "--today", metavar="DATE", help="date the charts relative to this day (default: today)"
    )
    parser.set_defaults(run=run)


_CONFIGURING = ("CONFIG", "SECRETS", "ENVIRONMENT", "PUBLIC_URL", "STORE", "TENANTS")


def refuse_production() -> None:
    """The demonstration is open to anybody: where a service in production is configured, it does not start.

    Raises Unusable naming the variables.
    """
    from cds_service.settings.faults import SettingsError
    from cds_service.settings.loading import load_settings
    from cds_service.settings.model import ENVIRONMENT_PREFIX

    names = [f"{ENVIRONMENT_PREFIX}{name}" for name in _CONFIGURING]
    found = [name for name in names if os.environ.get(name)]
    if not found:
        return
    try:
        is_development = load_settings().development
    except SettingsError:
        is_development = os.environ.get(f"{ENVIRONMENT_PREFIX}ENVIRONMENT") == "development"
    if not is_development:
        raise Unusable(
            f"the demonstration is open to anybody, and {', '.join(found)} configures a service in "
            'production; unset it, or set environment = "development"'
        )


def run(args: argparse.Namespace) -> int:
    """Run the demonstration until it is stopped."""
    from cds_service.demo.application import DemoPlace
    from cds_service.demo.command import run as run_demo
    from cds_service.demo.ehr import EhrError
    from cds_service.demo.hosting import NotStarted
    from cds_service.server.sockets import PortUnusable

    refuse_production()
    place = DemoPlace(args.host, args.port, today_or(args.today))
    try:
        return run_demo(place, once=args.once, every_card=args.all)
    except PortUnusable as fault:
        raise Unusable(str(fault)) from None
    except (NotStarted, EhrError) as fault:
        sys.stderr.write(f"relapse-cds: {fault}\n")
        return FAILED
