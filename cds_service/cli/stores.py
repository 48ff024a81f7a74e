"""The service's own store for a command that reads, copies or checks it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cds_service.cli.configured import configured
from cds_service.cli.faults import Unusable

if TYPE_CHECKING:
    from cds_service.settings.model import Settings
    from cds_service.store import Store


@contextmanager
def chosen_store() -> Iterator[Store]:
    """The store of the configuration, which must exist already. Raises Unusable with a plain line where it
    cannot be used."""
    from cds_service.app import store_of
    from cds_service.cli.store_faults import told
    from cds_service.store import StoreMisconfigured, StoreUnavailable

    settings = configured()
    check_exists(settings)
    try:
        store = store_of(settings)
        try:
            yield store
        finally:
            store.close()
    except (StoreMisconfigured, StoreUnavailable) as fault:
        raise Unusable(told(settings, fault)) from None


def check_exists(settings: Settings) -> None:
    """Raises Unusable where SQLite has no file: a command must not make an empty database and call it one."""
    kind, _, place = settings.store.partition(":///")
    if kind == "sqlite://" or (kind.startswith("sqlite") and not Path(place.partition("?")[0]).is_file()):
        raise Unusable("store: there is no such file; name the service's own store and run where it runs")


def moment_option(text: str) -> datetime:
    """A moment on the command line: ISO 8601; a date is its first instant; without an offset it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            "write a date or a moment such as 2026-11-01 or 2026-11-01T12:00:00Z"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
