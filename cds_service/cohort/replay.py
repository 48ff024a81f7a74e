"""A chart as it stood, day by day: when a card would have come first, how often, and how early.

What the record did not hold on a day is left out: a result before it was issued, a Condition before it was
recorded, an order before it was written. An export holds no history of its resources, so that a state of
today (a Condition that says relapse) counts from the day on which its resource was recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

import msgspec

from cds_service.cohort.rows import Row

RELAPSE = frozenset({"relapse", "probable"})


class Shown(msgspec.Struct, frozen=True):
    """What one step would have shown: topics, and those of them that repeat what was shown before."""

    at: str
    status: str
    topics: tuple[str, ...]
    repeats: int


class History(msgspec.Struct, frozen=True):
    """One patient over all steps. Days are ISO dates, empty where there is none."""

    patient: str
    first_card: str
    first_status: str
    proof: str
    """The day of the sample, or of the record, that first proved the relapse."""
    action: str
    """What was done first after it: salvage, trial or transplant-referral."""
    action_day: str
    steps: tuple[Shown, ...]

    @property
    def lead_days(self) -> int | None:
        """From the first proof to what was done."""
        return _days(self.proof, self.action_day)

    @property
    def card_lead_days(self) -> int | None:
        """From the first card to what was done: what the service would have gained."""
        return _days(self.first_card, self.action_day)


class _Period(msgspec.Struct):
    start: str | None = None


class _Collection(msgspec.Struct, rename="camel"):
    collected_date_time: str | None = None


class _Known(msgspec.Struct, rename="camel"):
    resource_type: str | None = None
    issued: str | None = None
    recorded_date: str | None = None
    authored_on: str | None = None
    date: str | None = None
    effective_date_time: str | None = None
    effective_instant: str | None = None
    effective_period: _Period | None = None
    performed_date_time: str | None = None
    performed_period: _Period | None = None
    onset_date_time: str | None = None
    onset_period: _Period | None = None
    period: _Period | None = None
    collection: _Collection | None = None


_known = msgspec.json.Decoder(_Known)


def known_on(line: bytes) -> str:
    """The day on which a line stood in the record at the latest; empty where it states none.

    A day that is known to the month only counts as its last: nothing is found earlier than it was.
    """
    try:
        found = _known.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return ""
    periods = (found.effective_period, found.performed_period, found.onset_period, found.period)
    starts = [period.start for period in periods if period is not None]
    stated = (
        found.issued,
        found.recorded_date,
        found.authored_on,
        found.date,
        found.effective_date_time,
        found.effective_instant,
        found.performed_date_time,
        found.onset_date_time,
        found.collection.collected_date_time if found.collection is not None else None,
        *starts,
    )
    return next((_last_day(text) for text in stated if text), "")


def as_it_stood(lines: Iterable[bytes], day: str) -> list[bytes]:
    """The lines that the record held on a day; a patient who died later was alive."""
    return [_alive(line, day) for line in lines if known_on(line) <= day]


Assess = Callable[[Sequence[bytes], datetime], Row | None]
SaysNothingNew = Callable[[str, str], bool]


def history(
    patient: str,
    lines: Sequence[bytes],
    steps: Sequence[datetime],
    assess: Assess,
    quiet_days: int,
    nothing_new: SaysNothingNew,
) -> History:
    """The steps of one patient. Every card that is shown counts as answered: it then stays quiet for
    ``quiet_days``, or until there is new evidence."""
    quiet: dict[str, tuple[str, datetime]] = {}
    shown: list[Shown] = []
    first: Row | None = None
    proof = ""
    for at in steps:
        row = assess(as_it_stood(lines, at.date().isoformat()), at)
        if row is None:
            continue
        topics, repeats = _shown(row, at, quiet, quiet_days, nothing_new)
        if topics:
            shown.append(Shown(at.date().isoformat(), row.status, topics, repeats))
            first = first or row
        if not proof and row.status in RELAPSE:
            proof = row.event_date or at.date().isoformat()
    return History(
        patient=patient,
        first_card=shown[0].at if shown else "",
        first_status=first.status if first is not None else "",
        proof=proof,
        action="",
        action_day="",
        steps=tuple(shown),
    )


def with_action(found: History, actions: Iterable[tuple[str, str]]) -> History:
    """The history with the first action (day, what) on or after the proof."""
    if not found.proof:
        return found
    later = sorted((day, what) for day, what in actions if day >= found.proof[: len(day)])
    if not later:
        return found
    return msgspec.structs.replace(found, action_day=later[0][0], action=later[0][1])


def steps_between(first: datetime, last: datetime, every: timedelta) -> list[datetime]:
    """The moments that are looked at: from the first on, and the last."""
    moments = []
    while first < last:
        moments.append(first)
        first += every
    return [*moments, last]


def _shown(
    row: Row,
    at: datetime,
    quiet: dict[str, tuple[str, datetime]],
    quiet_days: int,
    nothing_new: SaysNothingNew,
) -> tuple[tuple[str, ...], int]:
    topics: list[str] = []
    repeats = 0
    for topic, key in zip(row.topics, row.card_keys, strict=True):
        before = quiet.get(topic)
        same = before is not None and nothing_new(before[0], key)
        if before is not None and same and at < before[1]:
            continue
        topics.append(topic)
        repeats += same
        quiet[topic] = key, at + timedelta(days=quiet_days)
    return tuple(topics), repeats


def _last_day(text: str) -> str:
    day = text[:10]
    if len(day) == 4:
        return f"{day}-12-31"
    if len(day) == 7:
        return f"{day}-31"
    return day


def _alive(line: bytes, day: str) -> bytes:
    if b"deceasedDateTime" not in line:
        return line
    try:
        patient = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return line
    if isinstance(patient, dict) and str(patient.get("deceasedDateTime", ""))[:10] > day:
        del patient["deceasedDateTime"]
        return msgspec.json.encode(patient)
    return line


def _days(first: str, last: str) -> int | None:
    try:
        return (date.fromisoformat(last) - date.fromisoformat(first)).days
    except ValueError:
        return None


def median(numbers: Collection[int]) -> float | None:
    """The middle of some numbers; None where there are none."""
    ordered = sorted(numbers)
    if not ordered:
        return None
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def cards_by_day(histories: Iterable[History]) -> Iterator[tuple[str, int]]:
    """How many cards each step would have shown to everybody together."""
    counts: dict[str, int] = {}
    for found in histories:
        for step in found.steps:
            counts[step.at] = counts.get(step.at, 0) + len(step.topics)
    yield from sorted(counts.items())
