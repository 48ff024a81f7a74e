"""``relapse-cds store``: back the store up, restore it, check it, and bring its tables to a version."""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cds_service.cli.configured import configured, counted
from cds_service.cli.faults import FAILED, Unusable
from cds_service.cli.stores import check_exists

if TYPE_CHECKING:
    from cds_service.settings.model import Settings
    from cds_service.store.backup import BackupContents
    from cds_service.store.engines import Engines

_EXAMPLES = """examples:
  relapse-cds store backup relapse-cds-$(date +%F).backup      while the service runs
  relapse-cds store check --backup relapse-cds-2026-11-30.backup
  relapse-cds store restore relapse-cds-2026-11-30.backup      into an empty store, service stopped
  relapse-cds store check                                      tables, integrity, audit trail
  relapse-cds store migrate --to 0001                          before an older version is installed

A backup of SQLite can be restored into PostgreSQL and the other way round. It holds what
clinicians typed and the keys of the pseudonyms: keep it as the database is kept.
"""


def add_parser(subparsers: Any) -> None:
    """``store backup|restore|check|migrate``."""
    parser = subparsers.add_parser("store", help="back up, restore or check the store", epilog=_EXAMPLES)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    backup = actions.add_parser("backup", help="copy every row of one moment into a new file")
    backup.add_argument("file", type=Path, metavar="FILE", help="a file that does not exist yet")
    backup.set_defaults(run=_backup)
    restore = actions.add_parser(
        "restore", help="fill the configured store, which must be empty, from a backup"
    )
    restore.add_argument("file", type=Path, metavar="FILE")
    restore.set_defaults(run=_restore)
    check = actions.add_parser("check", help="check the store, or with --backup a backup; changes nothing")
    check.add_argument("--backup", type=Path, metavar="FILE", help="read a backup to its end instead")
    check.set_defaults(run=_check)
    migration = actions.add_parser(
        "migrate", help="bring the tables to this version, or back to an older one"
    )
    migration.add_argument("--to", default="head", metavar="REVISION", help="default: this version's newest")
    migration.set_defaults(run=_migrate)


def _backup(args: argparse.Namespace) -> int:
    from cds_service.app_state import software_version
    from cds_service.store.backup import write_backup

    if args.file.exists():
        raise Unusable(f"{args.file}: exists already; name a new file")
    partial = args.file.with_name(f"{args.file.name}.partial")
    check_exists(configured())
    with _engines() as engines:
        try:
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                contents = write_backup(engines, file, datetime.now(UTC), software_version())
                file.flush()
                os.fsync(file.fileno())
            partial.rename(args.file)
        except OSError as fault:
            raise Unusable(
                f"{args.file}: cannot be written ({(fault.strerror or 'fault').lower()})"
            ) from None
        finally:
            partial.unlink(missing_ok=True)
    sys.stdout.write(f"{args.file}: {_told(contents)}\n")
    return 0


def _restore(args: argparse.Namespace) -> int:
    from cds_service.store.backup import NotABackup, NotEmpty, restore

    with _opened(args.file) as file, _engines() as engines:
        try:
            contents = restore(engines, file)
        except (NotABackup, NotEmpty) as fault:
            raise Unusable(f"{args.file}: {fault}") from None
    sys.stdout.write(f"restored {_told(contents)}\n")
    return 0


def _check(args: argparse.Namespace) -> int:
    if args.backup is not None:
        return _check_backup(args.backup)
    from cds_service.store.checking import check_store

    settings = configured()
    check_exists(settings)
    secret = settings.audit_secret.get_secret_value().encode() if settings.audit_secret else None
    with _engines() as engines:
        report = check_store(engines, secret)
    sys.stdout.writelines(f"{line}\n" for line in [*report.lines, *_file_lines(settings)])
    sys.stdout.writelines(f"FAULT: {fault}\n" for fault in report.faults)
    return FAILED if report.faults else 0


def _check_backup(path: Path) -> int:
    from cds_service.store.backup import NotABackup, read_contents

    with _opened(path) as file:
        try:
            contents = read_contents(file)
        except NotABackup as fault:
            sys.stdout.write(f"FAULT: {path}: {fault}\n")
            return FAILED
    sys.stdout.write(f"{path}: whole; {_told(contents)}\n")
    return 0


def _migrate(args: argparse.Namespace) -> int:
    from cds_service.store.faults import reported
    from cds_service.store.migration import migrate, revision_of, revisions

    known = [*revisions(), "head"]
    if args.to not in known:
        raise Unusable(f"--to: write one of {', '.join(known)}")
    check_exists(configured())
    with _engines() as engines, reported("migrating it"):
        before = revision_of(engines)
        migrate(engines, args.to)
        after = revision_of(engines)
    sys.stdout.write(f"tables: {before or 'none'} -> {after}\n")
    return 0


@contextmanager
def _engines() -> Iterator[Engines]:
    """The configured database as it stands, not migrated. Raises Unusable with a plain line."""
    from cds_service.cli.store_faults import told
    from cds_service.store import StoreMisconfigured, StoreUnavailable
    from cds_service.store.opening import engines_of

    settings = configured()
    try:
        engines = engines_of(settings.store)
        try:
            yield engines
        finally:
            engines.close()
    except (StoreMisconfigured, StoreUnavailable) as fault:
        raise Unusable(told(settings, fault)) from None


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        file = path.open("rb")
    except OSError as fault:
        raise Unusable(f"{path}: cannot be read ({(fault.strerror or 'fault').lower()})") from None
    with file:
        yield file


def _told(contents: BackupContents) -> str:
    rows = counted(sum(contents.tables.values()), "row")
    each = ", ".join(f"{name} {count}" for name, count in sorted(contents.tables.items()))
    at = contents.at.astimezone(UTC).isoformat(timespec="seconds")
    made_by = f"tables {contents.revision or 'none'}, version {contents.software}"
    return f"{rows} of {at}, {made_by}: {each or 'empty'}"


def _file_lines(settings: Settings) -> list[str]:
    """Who else may read SQLite's file."""
    kind, _, place = settings.store.partition(":///")
    path = Path(place.partition("?")[0])
    if not kind.startswith("sqlite") or not path.is_file():
        return []
    others = stat.S_IMODE(path.stat().st_mode) & 0o077
    return [f"warning: {path} can be read by other users; run: chmod 600 {path}"] if others else []
