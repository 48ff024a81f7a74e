"""The earlier marrows that decide criterion B, found without a comparison of every pair.

Marrows whose days answer alike are told apart by their values alone, and there the lowest decide: a rise
that is not seen against them is seen against no other. So the cost grows with the results and not with
their pairs.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.moments import Moment, separated_by_hours, within_days
from fhir_mappings.clinical.samples import Sample

_LOWEST = Decimal("-Infinity")


@dataclass(slots=True)
class _Lowest:
    """Of samples that come one by one: the two lowest of each kind. Two, for one may be the later marrow."""

    thresholds: Sequence[Decimal]
    kept: dict[tuple[object, ...], tuple[Sample, ...]] = field(default_factory=dict)

    def add(self, sample: Sample) -> None:
        value = sample.value
        above = tuple(value.is_above(threshold) for threshold in self.thresholds)
        high, low = value.high, value.low
        self._keep(("high", high is None, *above), sample, high if high is not None else _LOWEST)
        self._keep(("low", *above), sample, low if low is not None else _LOWEST)

    def samples(self) -> tuple[Sample, ...]:
        """What is kept, each once."""
        return tuple({id(one): one for kept in self.kept.values() for one in kept}.values())

    def _keep(self, kind: tuple[object, ...], sample: Sample, bound: Decimal) -> None:
        kept = self.kept.get(kind, ())
        if len(kept) == 2 and _bound(kind, kept[1]) <= bound:
            return
        self.kept[kind] = tuple(sorted((*kept, sample), key=lambda one: _bound(kind, one))[:2])


def _bound(kind: tuple[object, ...], sample: Sample) -> Decimal:
    bound = sample.value.high if kind[0] == "high" else sample.value.low
    return bound if bound is not None else _LOWEST


class _Group:
    """The marrows of one day, or month or year, whose times of day can be compared with each other."""

    def __init__(self, samples: list[Sample], thresholds: Sequence[Decimal]) -> None:
        self.day = samples[0].day
        self._timed = self.day.instant is not None
        if self._timed:
            samples = sorted(samples, key=_instant)
        self._instants = [_instant(one) for one in samples] if self._timed else []
        self._until: list[tuple[Sample, ...]] = [()]
        lowest = _Lowest(thresholds)
        for sample in samples:
            lowest.add(sample)
            self._until.append(lowest.samples())

    def before(self, later: Moment, hours: int) -> tuple[Answer, tuple[Sample, ...]]:
        """Whether they lie ``hours`` before ``later``, and the lowest of those that may."""
        instant, own = later.instant, self.day.instant
        if own and instant and (own.tzinfo is None) == (instant.tzinfo is None):
            count = bisect_right(self._instants, instant - timedelta(hours=hours))
            return Answer.YES, self._until[count]
        apart = separated_by_hours(self.day, later, hours)
        return apart, () if apart is Answer.NO else self._until[-1]


class EarlierMarrows:
    """The marrows of a window, ready to be asked which of them decide for a later one.

    ``thresholds`` are the percentages that an earlier marrow alone is held against.
    """

    def __init__(
        self, marrow: Iterable[Sample], hours: int, days: int, thresholds: Sequence[Decimal]
    ) -> None:
        self._hours, self._days, self._thresholds = hours, days, thresholds
        together: dict[tuple[object, ...], list[Sample]] = {}
        for sample in marrow:
            together.setdefault(_alike(sample.day), []).append(sample)
        groups = (_Group(samples, thresholds) for samples in together.values())
        self._groups = sorted(groups, key=lambda group: group.day.first)
        self._firsts = [group.day.first for group in self._groups]
        self._lasts: list[date] = list(accumulate((group.day.last for group in self._groups), max))
        self._known: dict[Moment, tuple[Sample, ...]] = {}

    def deciding(self, later: Moment) -> tuple[Sample, ...]:
        """Marrows of which one answers yes if any of the window does, and one is unsure if none answers yes
        and any is unsure."""
        if later not in self._known:
            self._known[later] = tuple(self._found(later))
        return self._known[later]

    def _found(self, later: Moment) -> Iterator[Sample]:
        alike: dict[tuple[Answer, Answer], _Lowest] = {}
        # Groups that ended longer ago come first, and those that begin after the later marrow last.
        begin = bisect_left(self._lasts, later.first - timedelta(days=self._days))
        for group in self._groups[begin : bisect_right(self._firsts, later.first)]:
            near = within_days(group.day, later, self._days)
            if near is Answer.NO:
                continue
            apart, samples = group.before(later, self._hours)
            lowest = alike.setdefault((near, apart), _Lowest(self._thresholds))
            for sample in samples:
                lowest.add(sample)
        for lowest in alike.values():
            yield from lowest.samples()


def _alike(day: Moment) -> tuple[object, ...]:
    zoned = day.instant.tzinfo is not None if day.instant else None
    return (day.first, day.last, zoned)


def _instant(sample: Sample) -> datetime:
    instant = sample.day.instant
    if instant is None:
        raise ValueError("a marrow without a time of day")
    return instant
