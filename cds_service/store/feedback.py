"""Feedback events: each distinct one once, matched to a shown card or quarantined."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from cds_service.store.engines import Engines
from cds_service.store.faults import reported
from cds_service.store.quiet import QuietRule, keep_quiet
from cds_service.store.tables import feedback

Status = Literal["matched", "quarantined"]


@dataclass(frozen=True, slots=True)
class FeedbackEvent:
    """One outcome of one card; for an accepted card, one event for each accepted suggestion.

    ``status`` is ``quarantined`` when this tenant was never shown the card; ``topic`` and
    ``rule_version`` are then empty. Empty text means that the EHR sent none.
    """

    tenant: str
    service: str
    card: str
    topic: str
    rule_version: str
    outcome: str
    suggestion: str
    reason_code: str
    reason_system: str
    reason_display: str
    comment: str
    outcome_at: datetime
    received_at: datetime
    status: Status


class Feedback:
    """What users did with the cards."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def add(self, events: Sequence[FeedbackEvent], rules: Sequence[QuietRule] = ()) -> int:
        """Stores a batch and its quiet rules in one durable transaction: all of it, or nothing.

        An event that is known already, by (tenant, card, outcome, time, suggestion), is left as it is.
        Returns how many were new.

        :raises StoreUnavailable: nothing was stored and nothing may be acknowledged.
        """
        with reported("storing feedback"), self._engines.writing() as connection:
            new = sum(_add(connection, event) for event in events)
            keep_quiet(connection, rules)
        return new

    def read(self, since: datetime | None = None) -> Iterator[FeedbackEvent]:
        """Every event received at or after ``since``, oldest first.

        :raises StoreUnavailable: the store could not be read.
        """
        query = select(*(feedback.c[field.name] for field in fields(FeedbackEvent)))
        query = query.order_by(feedback.c.received_at, feedback.c.id)
        if since is not None:
            query = query.where(feedback.c.received_at >= since)
        with reported("reading feedback"), self._engines.reading() as connection:
            with connection.execution_options(yield_per=500).execute(query) as rows:
                for row in rows.mappings():
                    yield FeedbackEvent(**row)

    def purge(self, before: datetime) -> int:
        """Forgets events received before that moment; returns how many."""
        with reported("purging feedback"), self._engines.writing() as connection:
            return connection.execute(delete(feedback).where(feedback.c.received_at < before)).rowcount


def _add(connection: Connection, event: FeedbackEvent) -> int:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(feedback).on_conflict_do_nothing().returning(feedback.c.id)
    return int(connection.execute(statement, asdict(event)).first() is not None)
