"""What can go wrong with the store, told without quoting a statement, a value or a driver's message."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError


class StoreUnavailable(Exception):
    """The store could not be read or written: locked, full, read-only or unreachable.

    The caller answers 503; nothing may be acknowledged. ``what`` names the failed work and ``kind`` the
    fault: the database's own code (``SQLITE_BUSY``, an SQLSTATE) or else the class of the exception. The
    driver's text may quote rows and is dropped.
    """

    def __init__(self, what: str, kind: str) -> None:
        super().__init__(f"store unavailable while {what} ({kind})")
        self.what = what
        self.kind = kind


class StoreMisconfigured(ValueError):
    """The store's URL cannot be used. The message says what to write instead and never quotes the URL,
    which may hold a password."""


@contextmanager
def reported(what: str) -> Iterator[None]:
    """Turns every fault of the database into :class:`StoreUnavailable`, cutting the cause off. The log gets
    what failed and the database's code for it, so that an operator sees why calls are answered 503."""
    try:
        yield
    except (SQLAlchemyError, OSError) as fault:
        # Not above: prometheus-client must not be imported before the server has shared its metrics.
        from cds_service.observability import log

        kind = _code(fault)
        log.event("store-unavailable", logging.ERROR, source=what.replace(" ", "-"), error=kind)
        raise StoreUnavailable(what, kind) from None


def _code(fault: SQLAlchemyError | OSError) -> str:
    """The name that SQLite or PostgreSQL gives a fault; without one, the class of the exception."""
    driver = fault.orig if isinstance(fault, DBAPIError) else None
    code = getattr(driver, "sqlite_errorname", None) or getattr(driver, "sqlstate", None)
    return str(code or type(fault).__name__)
