"""What all rows say together: counts for a report, and the checksum by which two runs are compared."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cds_service.cohort.rows import Row

MOST_UNMAPPED = 100
"""Codes that the summary names, the most frequent first."""


@dataclass(slots=True)
class CriterionCount:
    """One criterion over all charts, with what is missing where it is not known."""

    met: int = 0
    not_met: int = 0
    unknown: int = 0
    because: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(slots=True)
class NeedCount:
    """One need over all charts: with any result, with a usable one, and why results were not usable."""

    charts: int = 0
    usable: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Summary:
    """Counts over rows; ``add`` them in the order of the patients."""

    opened: int = 0
    with_cards: int = 0
    status: Counter[str] = field(default_factory=Counter)
    topics: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    missing_needs: Counter[str] = field(default_factory=Counter)
    unread_reports: int = 0
    charts_with_unread: int = 0
    criteria: dict[tuple[str, str], CriterionCount] = field(default_factory=dict)
    needs: dict[str, NeedCount] = field(default_factory=dict)
    unmapped: Counter[tuple[str, str]] = field(default_factory=Counter)
    _checksum: Any = field(default_factory=hashlib.sha256)

    def add(self, row: Row) -> None:
        """Counts one row."""
        self.opened += 1
        self.status[row.status] += 1
        self.with_cards += bool(row.topics)
        self.topics.update(row.topics)
        self.missing_needs.update(row.missing_needs)
        self.unread_reports += row.unread_reports
        self.charts_with_unread += bool(row.unread_reports)
        if row.refusal:
            self.refusals[row.refusal] += 1
        self.unmapped.update(row.unmapped)
        for one in row.criteria:
            self._count_criterion(one.set, one.id, one.verdict, one.missing)
        for need in row.needs:
            found = self.needs.setdefault(need.need, NeedCount())
            found.charts += 1
            found.usable += need.usable > 0
            found.reasons.update(need.reasons)
        self._checksum.update(f"{row.patient}\t{row.status}\n".encode())

    @property
    def checksum(self) -> str:
        """SHA-256 over the lines ``patient TAB status``, sorted by patient."""
        return str(self._checksum.hexdigest())

    def _count_criterion(self, name: str, letter: str, verdict: str, missing: Iterable[Any]) -> None:
        count = self.criteria.setdefault((name, letter), CriterionCount())
        count.met += verdict == "met"
        count.not_met += verdict == "not-met"
        count.unknown += verdict == "unknown"
        count.because.update({(item.what, item.why) for item in missing})


def as_json(
    summary: Summary, stamp: Mapping[str, Any], types: Mapping[str, int], errors: int
) -> dict[str, Any]:
    """The content of summary.json. ``stamp`` holds ``at`` and ``knowledge``."""
    return {
        **stamp,
        "patients": types.get("Patient", 0),
        "resources": sum(types.values()),
        "types": dict(sorted(types.items())),
        "opened": summary.opened,
        "withCards": summary.with_cards,
        "status": dict(sorted(summary.status.items())),
        "topics": dict(sorted(summary.topics.items())),
        "refusals": dict(sorted(summary.refusals.items())),
        "attrition": _attrition(summary),
        "missing_needs": dict(sorted(summary.missing_needs.items())),
        "unread_reports": summary.unread_reports,
        "charts_with_unread_reports": summary.charts_with_unread,
        "unmapped": [
            {"code": code, "text": text, "charts": count}
            for (code, text), count in _first(summary.unmapped, MOST_UNMAPPED)
        ],
        "errors": errors,
        "checksum": summary.checksum,
    }


def _attrition(summary: Summary) -> list[dict[str, Any]]:
    """From the charts that opened to those that could be decided: first the data, then the criteria."""
    needs = [
        {
            "step": "need",
            "need": need,
            "charts": count.charts,
            "usable": count.usable,
            "reasons": dict(sorted(count.reasons.items())),
        }
        for need, count in sorted(summary.needs.items())
    ]
    criteria = [
        {
            "step": "criterion",
            "set": name,
            "id": letter,
            "met": count.met,
            "notMet": count.not_met,
            "unknown": count.unknown,
            "because": [
                {"what": what, "why": why, "charts": charts}
                for (what, why), charts in _first(count.because, 20)
            ],
        }
        for (name, letter), count in sorted(summary.criteria.items())
    ]
    return [{"step": "opened", "charts": summary.opened}, *needs, *criteria]


def _first(counter: Counter[tuple[str, str]], most: int) -> list[tuple[tuple[str, str], int]]:
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:most]
