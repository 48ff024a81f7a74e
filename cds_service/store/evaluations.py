"""Which cards were shown to which tenant, on which rule version and evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import orjson
from sqlalchemy import RowMapping, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from cds_service.store.engines import Engines
from cds_service.store.faults import reported
from cds_service.store.tables import evaluations


@dataclass(frozen=True, slots=True)
class ShownCard:
    """One card as it left the service.

    ``patient`` is the pseudonym of :meth:`Store.pseudonym`, never the id. ``evidence_key`` stands for the
    evidence of this topic: equal keys, unchanged evidence. ``suggestions`` maps a suggestion's uuid to
    the key of what it proposes.
    """

    tenant: str
    card: str
    service: str
    topic: str
    rule_version: str
    digest: str
    evidence_key: str
    patient: str
    at: datetime
    suggestions: Mapping[str, str] = field(default_factory=dict)


class Evaluations:
    """The record of shown cards, by tenant and card uuid."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        dialect = sqlite if engines.is_sqlite else postgresql
        # Built once: every call that shows cards records them before it answers.
        self._insert = dialect.insert(evaluations).on_conflict_do_nothing()

    def record(self, cards: Iterable[ShownCard]) -> None:
        """Stores the cards, durably, before they are sent. A card that is recorded already stays as it
        is: an EHR's retry shows the same card.

        :raises StoreUnavailable: nothing was stored; the cards must not be sent.
        """
        rows = [_row(card) for card in cards]
        if not rows:
            return
        with reported("recording cards"), self._engines.writing() as connection:
            connection.execute(self._insert, rows)

    def find(self, tenant: str | None, cards: Iterable[str]) -> dict[str, ShownCard]:
        """Those of the cards that this tenant was shown, by uuid. Without a tenant: those that were shown
        to any, provided that one tenant only was shown the card.

        :raises StoreUnavailable: the store could not be read.
        """
        query = select(evaluations).where(evaluations.c.card.in_(sorted(set(cards))))
        if tenant is not None:
            query = query.where(evaluations.c.tenant == tenant)
        with reported("looking up cards"), self._engines.reading() as connection:
            found = [_card(row) for row in connection.execute(query).mappings()]
        shown = Counter(card.card for card in found)
        return {card.card: card for card in found if shown[card.card] == 1}

    def purge(self, before: datetime) -> int:
        """Forgets cards shown before that moment; returns how many."""
        with reported("purging cards"), self._engines.writing() as connection:
            return connection.execute(delete(evaluations).where(evaluations.c.evaluated_at < before)).rowcount


def _card(row: RowMapping) -> ShownCard:
    return ShownCard(
        tenant=row["tenant"],
        card=row["card"],
        service=row["service"],
        topic=row["topic"],
        rule_version=row["rule_version"],
        digest=row["digest"],
        evidence_key=row["evidence_key"],
        patient=row["patient"],
        at=row["evaluated_at"],
        suggestions=orjson.loads(row["suggestions"]),
    )


def _row(card: ShownCard) -> dict[str, object]:
    return {
        "tenant": card.tenant,
        "card": card.card,
        "service": card.service,
        "topic": card.topic,
        "rule_version": card.rule_version,
        "digest": card.digest,
        "evidence_key": card.evidence_key,
        "patient": card.patient,
        "suggestions": orjson.dumps(dict(card.suggestions), option=orjson.OPT_SORT_KEYS).decode(),
        "evaluated_at": card.at,
    }
