"""Two runs over the same export: who is told something else, from what to what, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from cds_service.cohort.results import read_rows

_WHY = (
    "criteria_met",
    "missing_needs",
    "unread_reports",
    "evidence",
    "event_date",
    "site",
    "phase",
    "lineage",
)
_ABSENT: Mapping[str, Any] = {"status": "not opened", "topics": []}


class Unreadable(Exception):
    """A folder holds no results; the message says what is wanted."""


@dataclass(frozen=True, slots=True)
class Change:
    """One patient of whom something else is said. ``because`` names the columns that differ."""

    patient: str
    before: str
    after: str
    topics_lost: tuple[str, ...]
    topics_new: tuple[str, ...]
    because: tuple[str, ...]

    @property
    def is_loss(self) -> bool:
        """A relapse, or a card, that is no longer told."""
        return self.before == "relapse" and self.after != "relapse"


@dataclass(frozen=True, slots=True)
class Comparison:
    """All changes, in the order of the patients."""

    changes: tuple[Change, ...]
    same: int
    knowledge: tuple[str, str]
    same_export: bool

    @property
    def lost(self) -> tuple[Change, ...]:
        """Patients whose relapse is told in the first run and not in the second."""
        return tuple(change for change in self.changes if change.is_loss)

    def text(self) -> str:
        """The comparison for a terminal."""
        lines = [f"knowledge {self.knowledge[0]} -> {self.knowledge[1]}"]
        if not self.same_export:
            lines.append("warning: the two runs read different numbers of resources, so not the same export")
        lines.append(
            f"{self.same} charts the same, {len(self.changes)} changed, {len(self.lost)} relapses lost"
        )
        lines += [f"  {change}" for change in map(_told, self.changes)]
        return "\n".join(lines) + "\n"


def compare(one: Path, other: Path) -> Comparison:
    """The changes from one run to the other. Raises Unreadable."""
    before, after = _summary(one), _summary(other)
    changes, same = [], 0
    for first, second in _pairs(_rows(one), _rows(other)):
        change = _change(first, second)
        if change is None:
            same += 1
        else:
            changes.append(change)
    stamps = (_stamp(before), _stamp(after))
    return Comparison(tuple(changes), same, stamps, before["resources"] == after["resources"])


def _change(first: Mapping[str, Any], second: Mapping[str, Any]) -> Change | None:
    lost = tuple(topic for topic in first["topics"] if topic not in second["topics"])
    new = tuple(topic for topic in second["topics"] if topic not in first["topics"])
    if first["status"] == second["status"] and not lost and not new:
        return None
    because = tuple(
        f"{name}: {_value(first.get(name))} -> {_value(second.get(name))}"
        for name in _WHY
        if first.get(name) != second.get(name)
    )
    patient = first.get("patient") or second["patient"]
    return Change(patient, first["status"], second["status"], lost, new, because)


def _told(change: Change) -> str:
    parts = [f"{change.patient}: {change.before} -> {change.after}"]
    if change.topics_lost:
        parts.append(f"cards lost {' '.join(change.topics_lost)}")
    if change.topics_new:
        parts.append(f"cards new {' '.join(change.topics_new)}")
    mark = "LOST " if change.is_loss else ""
    return mark + "; ".join([*parts, *change.because])


def _value(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(value) or "-"
    return "-" if value in (None, "") else str(value)


def _pairs(
    one: Iterator[dict[str, Any]], other: Iterator[dict[str, Any]]
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The rows of both runs, patient by patient; both are sorted."""
    first, second = next(one, None), next(other, None)
    while first is not None or second is not None:
        if second is None or (first is not None and first["patient"] < second["patient"]):
            yield first or {}, _ABSENT
            first = next(one, None)
        elif first is None or second["patient"] < first["patient"]:
            yield _ABSENT, second
            second = next(other, None)
        else:
            yield first, second
            first, second = next(one, None), next(other, None)


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    try:
        yield from read_rows(folder)
    except (OSError, msgspec.DecodeError):
        raise Unreadable(
            f"{folder}: rows.ndjson cannot be read; name a folder that `cohort` has written"
        ) from None


def _summary(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = msgspec.json.decode(
            (folder / "summary.json").read_bytes(), type=dict[str, Any]
        )
    except (OSError, msgspec.DecodeError):
        raise Unreadable(
            f"{folder}: summary.json cannot be read; name a folder that `cohort` has written"
        ) from None
    return found


def _stamp(summary: Mapping[str, Any]) -> str:
    knowledge = summary["knowledge"]
    return f"{knowledge['version']} ({knowledge['digest'][:12]}, rules {summary.get('rules', '')[:8]})"
