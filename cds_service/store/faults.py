"""What can go wrong with the store, told without quoting a statement, a value or a driver's message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError


class StoreUnavailable(Exception):
    """The store could not be read or written: locked, full, read-only or unreachable.

    The caller answers 503; nothing may be acknowledged. ``what`` names the failed work and
    ``kind`` the class of the driver's exception; the driver's own text may quote rows and is dropped.
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
    """Turns every fault of the database into :class:`StoreUnavailable`, cutting the cause off."""
    try:
        yield
    except (SQLAlchemyError, OSError) as fault:
        raise StoreUnavailable(what, type(fault).__name__) from None
