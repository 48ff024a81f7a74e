"""``relapse-cds audit``: whether the audit trail still is what was written, and the trail as JSON lines."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cds_service.cli.faults import FAILED, Unusable
from cds_service.cli.stores import chosen_store, moment_option

if TYPE_CHECKING:
    from cds_service.store import AuditReport, Store

_REASONS = {
    "changed": "its content was changed after it was written",
    "row-before-missing": "the entry before it was taken out, changed or moved",
    "beginning-missing": "entries before it are gone that the service did not forget",
    "sealed-without-key": "it was not sealed with the secret, though entries before it were, or should be",
    "unknown-key": "it was sealed with another secret; name that with --former-secret-file",
}
_EXAMPLES = """examples:
  relapse-cds audit verify
  relapse-cds audit verify --head SEAL          a seal that the log named earlier (event trail-head)
  relapse-cds audit verify --former-secret-file old-audit-secret
  relapse-cds audit export --since 2026-11-01 > trail.ndjson

Exit code 1: the trail does not hold.
Without audit_secret whoever can write to the database can seal anew.
"""


def add_parser(subparsers: Any) -> None:
    """``audit verify`` and ``audit export``."""
    parser = subparsers.add_parser("audit", help="verify or export the audit trail", epilog=_EXAMPLES)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser("verify", help="check that no entry was changed, added or taken out")
    check.add_argument("--head", default="", metavar="SEAL", help="a seal that must still be in the trail")
    check.add_argument(
        "--former-secret-file",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a file with an audit_secret used before; may be repeated",
    )
    check.add_argument(
        "--unkeyed-until",
        type=moment_option,
        metavar="ISO",
        help="take entries without the secret up to this moment: the end of an upgrade to a keyed trail",
    )
    check.add_argument("--json", action="store_true", help="the report as JSON")
    export = actions.add_parser("export", help="write the trail to standard output, one JSON object a line")
    export.add_argument("--since", type=moment_option, metavar="ISO", help="only entries from this moment on")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Verify or export; returns 1 where the trail does not hold or the store cannot be read."""
    with chosen_store() as store:
        if args.action == "export":
            return _export(store, args.since)
        return _verify(store, args)


def _verify(store: Store, args: argparse.Namespace) -> int:
    from cds_service.store import Seals

    secrets = [store.audit_secret] if store.audit_secret else []
    seals = Seals(*secrets, *(_secret(path) for path in args.former_secret_file))
    report = store.audit.verify(seals, args.head, args.unkeyed_until)
    sys.stdout.write(f"{json.dumps(_as_json(report))}\n" if args.json else _told(report, bool(secrets)))
    return 0 if report.holds else FAILED


def _told(report: AuditReport, has_secret: bool) -> str:
    lines = [f"entry {one.id}: {one.reason}: {_REASONS[one.reason]}" for one in report.breaks]
    if report.broken > len(report.breaks):
        lines.append(f"and {report.broken - len(report.breaks)} more")
    if report.head_found is False:
        lines.append("the seal named by --head is not there: the end was taken off, or all was replaced")
    lines.append(f"{report.entries} entries, {report.keyed} of them sealed with a secret")
    if not has_secret:
        lines.append("no audit_secret is configured: whoever can write to the database could seal anew")
    lines.append(f"newest seal: {report.head or 'none'}")
    lines.append("the trail holds" if report.holds else "THE TRAIL DOES NOT HOLD")
    return "\n".join(lines) + "\n"


def _as_json(report: AuditReport) -> dict[str, Any]:
    body: dict[str, Any] = {
        "holds": report.holds,
        "entries": report.entries,
        "keyed": report.keyed,
        "broken": report.broken,
        "breaks": [{"id": one.id, "reason": one.reason} for one in report.breaks],
        "head": report.head,
    }
    return body if report.head_found is None else {**body, "headFound": report.head_found}


def _export(store: Store, since: datetime | None) -> int:
    for sealed in store.audit.read(since):
        entry = sealed.entry
        line = {
            "id": sealed.id,
            "at": entry.at.astimezone(UTC).isoformat(),
            "event": entry.event,
            "tenant": entry.tenant,
            "fields": dict(entry.fields),
            "previous": sealed.previous,
            "digest": sealed.digest,
        }
        sys.stdout.write(f"{json.dumps(line)}\n")
    return 0


def _secret(path: Path) -> bytes:
    try:
        secret = path.read_text("utf-8").removesuffix("\n").encode()
    except (OSError, UnicodeDecodeError):
        raise Unusable(f"--former-secret-file: {path} cannot be read") from None
    if not secret:
        raise Unusable(f"--former-secret-file: {path} is empty")
    return secret
