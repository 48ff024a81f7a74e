"""``relapse-cds feedback export``: what users did with the cards, one row an event."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import Any

from cds_service.cli.configured import configured
from cds_service.cli.faults import FAILED, Unusable
from cds_service.cli.stores import check_exists

_COLUMNS = """columns:
  tenant, service, card, topic, ruleVersion, outcome (accepted|overridden), suggestion,
  reasonCode, reasonSystem, reasonDisplay, comment, outcomeTimestamp, receivedAt,
  status (matched|quarantined: this tenant was never shown that card)

A comment is what a clinician typed and may name a patient: treat the export as patient data.
A card that nobody answered is in no row: no feedback is not agreement.
"""


def add_parser(subparsers: Any) -> None:
    """``feedback export``."""
    parser = subparsers.add_parser("feedback", help="export what users did with the cards")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    export = actions.add_parser(
        "export",
        help="write one row for each feedback event to standard output",
        description="Writes one row for each feedback event to standard output, oldest first.",
        epilog=_COLUMNS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    form = export.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="comma-separated values with a header (default)")
    form.add_argument("--json", action="store_true", help="one JSON array")
    export.add_argument("--since", metavar="ISO", help="only what was received at or after this moment")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Export; returns 1 where the store cannot be read."""
    from cds_service.cli.store_faults import told
    from cds_service.feedback.export import write_csv, write_json
    from cds_service.store import StoreMisconfigured, StoreUnavailable, open_store

    since = _since(args.since)
    settings = configured()
    check_exists(settings)
    write = write_json if args.json else write_csv
    try:
        store = open_store(settings.store)
        try:
            write(store.feedback.read(since), sys.stdout)
        finally:
            store.close()
    except StoreMisconfigured as fault:
        raise Unusable(told(settings, fault)) from None
    except StoreUnavailable as fault:
        sys.stderr.write(f"relapse-cds: {told(settings, fault)}\n")
        return FAILED
    return 0


def _since(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Unusable(
            "--since: write a date or a moment such as 2026-11-01 or 2026-11-01T12:00:00Z"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
