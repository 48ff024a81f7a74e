"""What the operator page tells: counts of calls and of feedback, nothing of any patient and no free text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from cds_service.store import ANY_TOPIC, FeedbackEvent, Firing, Unshown
from cds_service.store.usage_counts import LATENCY_BUCKETS_MS

Key = TypeVar("Key")

OTHER_REASON = "another reason of the EHR"
NO_REASON = "no reason given"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which part is looked at: the last ``days`` days up to ``today`` (UTC); empty text means all."""

    today: date
    days: int
    tenant: str = ""
    rule_version: str = ""

    @property
    def first(self) -> date:
        """The first day."""
        return self.today - timedelta(days=self.days - 1)

    @property
    def since(self) -> datetime:
        """The first moment."""
        return datetime.combine(self.first, datetime.min.time(), UTC)

    def holds(self, tenant: str, rule_version: str) -> bool:
        """Whether a tenant and a rule version are looked at."""
        return self.tenant in ("", tenant) and self.rule_version in ("", rule_version)


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls that are counted together. Latencies are upper bounds of their bucket, in milliseconds."""

    calls: int = 0
    with_cards: int = 0
    incomplete: int = 0
    latencies: tuple[tuple[int, int], ...] = ()

    @property
    def fire_rate(self) -> float | None:
        """The share of calls that were answered with cards; None without calls."""
        return self.with_cards / self.calls if self.calls else None

    @property
    def incomplete_share(self) -> float | None:
        """The share of calls in which some need was not seen; None without calls."""
        return self.incomplete / self.calls if self.calls else None

    def latency(self, share: float) -> str:
        """The bound below which that share of the calls was answered, in words."""
        seen, wanted = 0, share * self.calls
        for bound, count in self.latencies:
            seen += count
            if count and seen >= wanted:
                return bound_words(bound)
        return "none"


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What users did with the cards of one topic."""

    topic: str
    accepted: int
    overridden: int

    @property
    def acceptance(self) -> float | None:
        """The share of accepted among all that were answered; None without an answer."""
        answered = self.accepted + self.overridden
        return self.accepted / answered if answered else None


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything the page shows for one choice. ``groups`` is keyed by rule version and tenant."""

    all: Calls
    by_day: Sequence[tuple[date, Calls]]
    groups: Sequence[tuple[tuple[str, str], Calls]]
    statuses: Sequence[tuple[str, int]]
    outcomes: Sequence[Outcomes]
    reasons: Sequence[tuple[str, int]]
    accepted: int
    overridden: int
    quarantined: int
    unshown: Sequence[tuple[str, int]] = ()
    """What silent tenants would have been shown: topic and calls, most frequent first."""
    calls_unshown: int = 0
    """Calls of silent tenants that would have been answered with any card."""

    @property
    def acceptance(self) -> float | None:
        """The share of accepted among all cards that were answered."""
        return Outcomes("", self.accepted, self.overridden).acceptance


def figures(
    firings: Iterable[Firing],
    events: Iterable[FeedbackEvent],
    choice: Choice,
    topics: Mapping[str, str],
    reasons: Mapping[tuple[str, str], str],
) -> Figures:
    """Counts what the choice holds. ``topics`` names topic codes; ``reasons`` our (system, code) pairs."""
    rows = [row for row in firings if choice.holds(row.tenant, row.rule_version) and _in_days(row, choice)]
    given = [
        event
        for event in events
        if event.received_at >= choice.since and choice.holds(event.tenant, event.rule_version)
    ]
    matched = [event for event in given if event.status == "matched"]
    by_day = _grouped(rows, lambda row: row.day)
    statuses: Counter[str] = Counter()
    for row in rows:
        statuses[row.status] += row.calls
    why = Counter(_reason(event, reasons) for event in matched if event.outcome == "overridden")
    return Figures(
        all=_counted(rows),
        by_day=[(day, _counted(by_day.get(day.isoformat(), ()))) for day in _days(choice)],
        groups=[
            (key, _counted(own))
            for key, own in sorted(
                _grouped(rows, lambda row: (row.rule_version, row.tenant)).items(), reverse=True
            )
        ],
        statuses=statuses.most_common(),
        outcomes=_outcomes(matched, topics),
        reasons=why.most_common(),
        accepted=sum(event.outcome == "accepted" for event in matched),
        overridden=sum(event.outcome == "overridden" for event in matched),
        quarantined=len(given) - len(matched),
    )


def with_unshown(
    found: Figures, rows: Iterable[Unshown], choice: Choice, topics: Mapping[str, str]
) -> Figures:
    """The figures with what silent tenants would have been shown."""
    counts: Counter[str] = Counter()
    for row in rows:
        if choice.holds(row.tenant, row.rule_version) and _in_days(row, choice):
            counts[row.topic] += row.calls
    calls = counts.pop(ANY_TOPIC, 0)
    told = [(topics.get(topic, topic), count) for topic, count in counts.most_common()]
    return replace(found, unshown=told, calls_unshown=calls)


def bound_words(bound: int) -> str:
    """The bound of a latency bucket in words."""
    highest = LATENCY_BUCKETS_MS[-1]
    return f"over {highest} ms" if bound > highest else f"up to {bound} ms"


def _days(choice: Choice) -> list[date]:
    return [choice.first + timedelta(days=number) for number in range(choice.days)]


def _in_days(row: Firing | Unshown, choice: Choice) -> bool:
    return choice.first.isoformat() <= row.day <= choice.today.isoformat()


def _grouped(rows: Iterable[Firing], key: Callable[[Firing], Key]) -> dict[Key, list[Firing]]:
    found: dict[Key, list[Firing]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found


def _counted(rows: Iterable[Firing]) -> Calls:
    calls = with_cards = incomplete = 0
    latencies: Counter[int] = Counter()
    for row in rows:
        calls += row.calls
        with_cards += row.calls_with_cards
        incomplete += row.calls if row.incomplete else 0
        latencies[row.latency_ms] += row.calls
    return Calls(calls, with_cards, incomplete, tuple(sorted(latencies.items())))


def _outcomes(events: Iterable[FeedbackEvent], topics: Mapping[str, str]) -> list[Outcomes]:
    counts = Counter((event.topic, event.outcome) for event in events)
    codes = sorted({topic for topic, _ in counts})
    return [
        Outcomes(topics.get(code, code), counts[code, "accepted"], counts[code, "overridden"])
        for code in codes
    ]


def _reason(event: FeedbackEvent, reasons: Mapping[tuple[str, str], str]) -> str:
    """Only reasons that we offered are shown in words: an EHR's own display may hold anything."""
    if not event.reason_code:
        return NO_REASON
    known = reasons.get((event.reason_system, event.reason_code))
    if known is None and not event.reason_system:
        known = next((text for (_, code), text in reasons.items() if code == event.reason_code), None)
    return known or OTHER_REASON
