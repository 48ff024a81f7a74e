"""How often the rules fire, by rule version and tenant: counts only, nothing of any patient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Insert, select
from sqlalchemy.dialects import postgresql, sqlite

from cds_service.store.engines import Engines
from cds_service.store.faults import reported
from cds_service.store.tables import firings, silent_counts

LATENCY_BUCKETS_MS = (25, 50, 100, 250, 500, 1000, 2000, 5000)
"""Upper bounds; a slower call counts under 60000."""
_SLOWEST = 60_000


@dataclass(frozen=True, slots=True)
class Call:
    """One evaluation that was answered. ``incomplete``: some need was not seen.

    ``unshown`` are the topics of the cards that a silent tenant was not shown.
    """

    at: datetime
    tenant: str
    service: str
    rule_version: str
    status: str
    incomplete: bool
    latency_ms: float
    cards: int
    unshown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unshown:
    """Calls of one day in which a silent tenant was not shown a card of a topic; ``ANY_TOPIC``: any card."""

    day: str
    tenant: str
    service: str
    rule_version: str
    topic: str
    calls: int


ANY_TOPIC = ""


@dataclass(frozen=True, slots=True)
class Firing:
    """Calls of one day that ended alike; ``latency_ms`` is the bucket's upper bound."""

    day: str
    tenant: str
    service: str
    rule_version: str
    status: str
    incomplete: bool
    latency_ms: int
    calls: int
    calls_with_cards: int


class Firings:
    """The daily counts."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def add(self, calls: Iterable[Call]) -> None:
        """Adds the calls to the counts, all or none.

        :raises StoreUnavailable: nothing was counted.
        """
        seen: Counter[_Key] = Counter()
        fired: Counter[_Key] = Counter()
        silent: Counter[tuple[str, ...]] = Counter()
        for call in calls:
            key = _key(call)
            seen[key] += 1
            fired[key] += call.cards > 0
            silent.update((*key[:4], topic) for topic in {ANY_TOPIC, *call.unshown} if call.unshown)
        if not seen:
            return
        rows = [_row(key, seen[key], fired[key]) for key in sorted(seen)]
        dialect = sqlite if self._engines.is_sqlite else postgresql
        insert = dialect.insert(firings)
        statement = insert.on_conflict_do_update(
            index_elements=list(firings.primary_key),
            set_={
                "calls": firings.c.calls + insert.excluded.calls,
                "calls_with_cards": firings.c.calls_with_cards + insert.excluded.calls_with_cards,
            },
        )
        with reported("counting calls"), self._engines.writing(quick=True) as connection:
            connection.execute(statement, rows)
            if silent:
                connection.execute(*self._of_silent(silent))

    def _of_silent(self, silent: Mapping[tuple[str, ...], int]) -> tuple[Insert, list[dict[str, object]]]:
        dialect = sqlite if self._engines.is_sqlite else postgresql
        insert = dialect.insert(silent_counts)
        statement = insert.on_conflict_do_update(
            index_elements=list(silent_counts.primary_key),
            set_={"calls": silent_counts.c.calls + insert.excluded.calls},
        )
        names = [column.name for column in silent_counts.primary_key]
        return statement, [
            {**dict(zip(names, key, strict=True)), "calls": count} for key, count in sorted(silent.items())
        ]

    def read_unshown(self) -> Iterator[Unshown]:
        """What silent tenants would have been shown, by day.

        :raises StoreUnavailable: the store could not be read.
        """
        query = select(silent_counts).order_by(*silent_counts.primary_key)
        with reported("reading the counts"), self._engines.reading() as connection:
            for row in connection.execute(query).mappings():
                yield Unshown(**row)

    def read(self) -> Iterator[Firing]:
        """Every count, by day.

        :raises StoreUnavailable: the store could not be read.
        """
        query = select(firings).order_by(*firings.primary_key)
        with reported("reading the counts"), self._engines.reading() as connection:
            for row in connection.execute(query).mappings():
                yield Firing(**{**row, "incomplete": bool(row["incomplete"])})


_Key = tuple[str, str, str, str, str, int, int]


def _key(call: Call) -> _Key:
    day = call.at.astimezone(UTC).date().isoformat()
    bucket = next((bound for bound in LATENCY_BUCKETS_MS if call.latency_ms <= bound), _SLOWEST)
    return day, call.tenant, call.service, call.rule_version, call.status, int(call.incomplete), bucket


def _row(key: _Key, calls: int, calls_with_cards: int) -> dict[str, object]:
    names = (column.name for column in firings.primary_key)
    return {**dict(zip(names, key, strict=True)), "calls": calls, "calls_with_cards": calls_with_cards}
