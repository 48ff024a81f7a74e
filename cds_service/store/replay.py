"""Tokens that were used: each is good for one call, whichever worker or host sees it first."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from cds_service.store.engines import Engines
from cds_service.store.faults import reported
from cds_service.store.tables import replay

PURGE_EVERY = timedelta(minutes=5)
KEPT_AFTER_EXPIRY = timedelta(days=1)
"""A clock that ran ahead and was set back makes tokens good again: none of them may have been forgotten."""


class Replay:
    """First use of (iss, jti), decided by the database's primary key."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._purged_at: datetime | None = None

    def is_first_use(self, iss: str, jti: str, expires_at: datetime, at: datetime) -> bool:
        """Records the token; True for exactly one of any number of simultaneous callers.

        Only a digest is kept. It is forgotten a day after ``expires_at``, when the token is refused anyway.

        :raises StoreUnavailable: unknown; the call must be refused with 503.
        """
        row = {"token": _digest(iss, jti), "expires_at": expires_at}
        # PostgreSQL's quick way loses its last commits when the server dies: that a token was used, too.
        writing = self._engines.writing(quick=self._engines.is_sqlite)
        with reported("checking a token for replay"), writing as connection:
            if self._is_purge_due(at):
                connection.execute(delete(replay).where(replay.c.expires_at < at - KEPT_AFTER_EXPIRY))
            dialect = sqlite if self._engines.is_sqlite else postgresql
            statement = dialect.insert(replay).on_conflict_do_nothing().returning(replay.c.token)
            is_first = connection.execute(statement, row).first() is not None
        return is_first

    def _is_purge_due(self, at: datetime) -> bool:
        if self._purged_at is not None and abs(at - self._purged_at) < PURGE_EVERY:
            return False
        self._purged_at = at
        return True


def _digest(iss: str, jti: str) -> str:
    # The length keeps ("ab", "c") and ("a", "bc") apart.
    return hashlib.sha256(f"{len(iss)}:{iss}{jti}".encode()).hexdigest()
