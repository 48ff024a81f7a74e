"""The results that decided, as a table of at most four rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cds_service.cards.content import CriteriaSetName
from cds_service.cards.markdown import escape
from cds_service.cards.text import shorten
from fhir_mappings.assess import Assessment, Evidence, Met, Status

MOST_ROWS = 4
_ORIGINAL_CHARACTERS = 30
"""A text of the record may not push our own lines off a card."""
_WORDS = {">": "more than {}", ">=": "{} or more", "≥": "{} or more", "<": "less than {}", "<=": "at most {}"}
_BY_RESULT = (Status.SUSPECT, Status.REFRACTORY, Status.PERSISTENT)
"""Findings that stand beside the criteria."""


@dataclass(frozen=True, slots=True)
class Row:
    """One result: name, value with unit, date, and the rule that it meets; empty where none is met."""

    result: str
    value: str
    date: str
    rule: str


def rows_of(assessment: Assessment, sets: Iterable[CriteriaSetName]) -> list[Row]:
    """The deciding results, the first of each kind first."""
    if assessment.status in _BY_RESULT and assessment.beside:
        rows = [Row(item.what, _value(item), item.date, "") for item in assessment.beside]
    else:
        names = {one.id: "" if one.default else one.label.partition(" (")[0] for one in sets}
        rows = list(_met(assessment, names))
    return list(dict.fromkeys(rows))[:MOST_ROWS]


def _met(assessment: Assessment, names: Mapping[str, str]) -> Iterator[Row]:
    """The results of the first criteria set that has a criterion met: the deciding one stands first."""
    met = [one for one in assessment.criteria if isinstance(one.verdict, Met)]
    deciding = [one for one in met if one.criteria_set == met[0].criteria_set]
    found: dict[tuple[str, str, str], list[str]] = {}
    for one in deciding:
        for item in one.verdict.because:
            rules = found.setdefault((item.what, _value(item), item.date), [])
            name = f"{names.get(one.criteria_set, '')} {one.id}".strip()
            rule = f"{name}: {_rule(item)}" if item.threshold else name
            if rule not in rules:
                rules.append(rule)
    for (what, value, date), rules in found.items():
        yield Row(what, value, date, "; ".join(rules[:2]))


def _value(item: Evidence) -> str:
    value = f"{item.value} {item.unit}".strip()
    original = shorten(item.original, _ORIGINAL_CHARACTERS)
    return f"{value} ({original})" if original not in ("", value) else value


def _rule(item: Evidence) -> str:
    unit = f" {item.unit}" if item.unit and not item.threshold.endswith(item.unit) else ""
    return _WORDS.get(item.comparator, f"{item.comparator} {{}}").format(item.threshold + unit)


def as_table(rows: list[Row], lines: Mapping[str, str]) -> str:
    """The rows in GitHub-flavoured Markdown, without the column of rules where none is met."""
    if not rows:
        return ""
    width = 4 if any(row.rule for row in rows) else 3
    head = [lines["result"], lines["value"], lines["date"], lines["rule"]][:width]
    body = [[row.result, row.value or "recorded", row.date or "-", row.rule][:width] for row in rows]
    table = [head, ["---"] * width, *([escape(cell) for cell in cells] for cells in body)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in table)


def as_lines(rows: list[Row]) -> list[str]:
    """The rows as sentences, for a client without room for a table."""
    return [
        escape(f"{row.result} {row.value} on {row.date or 'an unknown date'}")
        + (f" ({escape(row.rule)})" if row.rule else "")
        for row in rows[:2]
    ]
