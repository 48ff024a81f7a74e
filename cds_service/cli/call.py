"""``relapse-cds call``: acts as an EHR that opens one chart."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cds_service.cli.configured import site_settings, site_tenant
from cds_service.cli.faults import FAILED, Unusable
from cds_service.cli.keys import signing_key
from cds_service.cli.presets import HABITS, PRESETS, as_text

if TYPE_CHECKING:
    import requests

    from cds_service.demo.ehr import HookReply

OWN_ADDRESS = "http://relapse-cds.localhost"
"""Where the service is reached when it runs in this process; nothing listens there."""


def add_parser(subparsers: Any) -> None:
    """``call --fhir-server URL | --preset NAME --patient ID [--service URL] [--no-prefetch] ...``."""
    parser = subparsers.add_parser(
        "call",
        help="act as an EHR: fire the hook for a patient of a FHIR server and print the cards",
        description="Acts as an EHR that opens a chart: reads discovery, fills the prefetch templates from "
        "the FHIR server, posts patient-view and prints the cards. Without --service the service runs "
        "inside this command, so that a FHIR sandbox is all that is needed.",
    )
    parser.add_argument("--fhir-server", metavar="URL", help="base URL of a FHIR R4 server")
    parser.add_argument("--preset", metavar="NAME", help="a public FHIR server by name; see --list-presets")
    parser.add_argument("--list-presets", action="store_true", help="print the presets and end")
    parser.add_argument(
        "--habits",
        choices=HABITS,
        help="how the FHIR server is known to differ (default: the preset's, or none)",
    )
    parser.add_argument("--patient", metavar="ID", help="FHIR id of the patient")
    parser.add_argument(
        "--service", metavar="URL", help="base URL of a running service (default: in-process)"
    )
    parser.add_argument("--service-id", default="all-relapse", metavar="ID", help="default: all-relapse")
    parser.add_argument(
        "--no-prefetch", action="store_true", help="send no data; the service reads the FHIR server itself"
    )
    parser.add_argument(
        "--token", metavar="TOKEN", help="access token of the FHIR server, where it needs one"
    )
    parser.add_argument(
        "--sign-with", type=Path, metavar="KEY.json", help="sign each call as an EHR does; see keys make"
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="in-process: a site's codes, knowledge and criteria"
    )
    parser.add_argument(
        "--tenant", metavar="ID", default="", help="whose local codes count, where several are configured"
    )
    parser.add_argument("--json", action="store_true", help="print the response body")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Call, and print the answer."""
    from cds_service.demo.ehr import EhrError, call_hook, new_session

    if args.list_presets:
        sys.stdout.write(as_text())
        return 0
    _settle(args)
    with new_session() as session:
        if args.sign_with is not None:
            from cds_service.cli.signed_calls import SignedCalls

            session.auth = SignedCalls(args.service or OWN_ADDRESS, signing_key(args.sign_with))
        if args.service is None:
            _mount_service(session, args)
        try:
            reply = call_hook(
                args.service or OWN_ADDRESS,
                args.service_id,
                args.fhir_server,
                args.patient,
                token=args.token,
                prefetch=not args.no_prefetch,
                session=session,
            )
        except EhrError as error:
            sys.stderr.write(f"relapse-cds: {error}\n")
            return FAILED
    if args.json:
        sys.stdout.write(json.dumps(reply.body, indent=2, ensure_ascii=False) + "\n")
        return 0 if reply.status == 200 else FAILED
    return _print(reply, prefetch=not args.no_prefetch)


_SITE_KEYS = ("knowledge_dir", "knowledge_overlay", "criteria_set", "repopulation")
"""What of a site's configuration decides."""


def _settle(args: argparse.Namespace) -> None:
    """Fills in what a preset says. Raises Unusable where the server or the patient is not known."""
    if not args.patient:
        raise Unusable("--patient: write the FHIR id of a patient of that server")
    if bool(args.fhir_server) == bool(args.preset):
        raise Unusable("--fhir-server, --preset: give one of them; --list-presets shows the presets")
    args.habits = args.habits or "none"
    if not args.preset:
        return
    preset = PRESETS.get(args.preset)
    if preset is None:
        raise Unusable(f"--preset: no such preset; choose one of {', '.join(PRESETS)}")
    if not preset.open_fhir and not args.token:
        raise Unusable(f"--token: {preset.name} needs an access token. {preset.note}")
    args.fhir_server = preset.fhir_server
    if args.habits == "none":
        args.habits = preset.habits


def _print(reply: HookReply, *, prefetch: bool) -> int:
    from cds_service.cards import cards_as_text
    from cds_service.cards.text import clean

    write = sys.stdout.write
    write(f"HTTP {reply.status} in {reply.milliseconds:.0f} ms; prefetch sent: ")
    write(", ".join(reply.prefetched) or "none")
    write(f"; not filled: {', '.join(reply.left_out)}\n" if reply.left_out and reply.prefetched else "\n")
    if prefetch and not reply.prefetched:
        write("The FHIR server answered no query with FHIR. Check --fhir-server and --token.\n")
    if reply.status == 200:
        write(f"\n{cards_as_text(reply.cards)}\n" if reply.cards else "\nNo cards.\n")
        return 0
    for issue in reply.body.get("issue", ()):
        write(f"\n{clean(str(issue.get('details', {}).get('text', '')))}\n")
        if issue.get("diagnostics"):
            write(f"{clean(str(issue['diagnostics']))}\n")
    return FAILED


def _mount_service(session: requests.Session, args: argparse.Namespace) -> None:
    """Makes the service answer at ``OWN_ADDRESS``, within this process."""
    from pydantic import ValidationError

    from cds_service.app import create_app
    from cds_service.cli.in_process import InProcess
    from cds_service.observability.log import configure_logging
    from cds_service.settings.model import Settings, Tenant

    site = site_settings(args.config)
    try:
        ehr = Tenant(
            id="call",
            codes=site_tenant(site, args.tenant).codes,
            fhir_servers=(args.fhir_server,),
            allow_private=True,
            open_fhir=not args.token,
            profile="sandbox",
            habits=args.habits,
        )
    except ValidationError:
        raise Unusable("--fhir-server: write a base URL such as https://ehr.example.org/fhir") from None
    settings = Settings.embedded(
        public_url=OWN_ADDRESS,
        tenants=(ehr,),
        explain=True,
        deadline_ms=15_000,
        log_level="error",
        **{key: getattr(site, key) for key in _SITE_KEYS},
    )
    configure_logging(settings.log_level)
    session.mount(OWN_ADDRESS, InProcess(create_app(settings)))
