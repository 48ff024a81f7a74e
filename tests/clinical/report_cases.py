"""Sentences and whole reports with what is to be read in them, as a clinician writes them down.

``tests/clinical/relapsed_all/reports/*.toml`` hold ``[[sentence]]`` and ``[[report]]`` tables. Each line of
``says`` is ``the words = concept value : trust effect``; ``value`` is a figure with its unit (``62 %``,
``70..75 %``, ``<5 %``, ``>=25 %``) or present, absent, indeterminate. ``about`` is what the report is of.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.quantities import plain
from fhir_mappings.clinical.written_reports import About, DescribedResult

FOLDER = Path(__file__).parent / "relapsed_all" / "reports"
SAMPLE = date(2023, 11, 15)
"""The day of every sample."""


@dataclass(frozen=True, slots=True)
class ReportCase:
    """One text and the lines that are to be read in it."""

    id: str
    about: About
    text: str
    state: str
    says: tuple[str, ...]


def report_cases() -> list[ReportCase]:
    """Every case of every file, in order."""
    return [case for path in sorted(FOLDER.glob("*.toml")) for case in _of_file(path)]


def _of_file(path: Path) -> Iterator[ReportCase]:
    with path.open("rb") as file:
        tables = tomllib.load(file)
    for kind in ("sentence", "report"):
        for number, table in enumerate(tables.get(kind, ()), start=1):
            yield _case(f"{path.stem}-{table.get('id', number)}", table)


def _case(name: str, table: dict[str, Any]) -> ReportCase:
    about = About(table["about"], table.get("concept", ""), Moment.on(SAMPLE))
    return ReportCase(name, about, table["text"], table["state"], tuple(table.get("says", ())))


def line_of(result: DescribedResult) -> str:
    """A described result as a line of ``says``."""
    words = " ".join(result.quote.split())
    return (
        f"{words} = {result.concept or '-'} {value_of(result)} : {result.trust.value} {result.effect.value}"
    )


def value_of(result: DescribedResult) -> str:
    """Its figure with unit, else what it says."""
    low, high = result.low, result.high
    if low is None and high is None:
        return result.presence
    if low is not None and high is not None:
        figure = plain(low) if low == high else f"{plain(low)}..{plain(high)}"
    elif high is not None:
        figure = f"{'<' if result.high_open else '<='}{plain(high)}"
    else:
        assert low is not None
        figure = f"{'>' if result.low_open else '>='}{plain(low)}"
    return f"{figure} {result.unit}"
