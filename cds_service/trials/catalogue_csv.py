"""A catalogue kept as a spreadsheet.

Columns: those of an entry (``id``, ``title``, ``status``, ``status_date``, ...), those of a site
(``site_name``, ``city``, ``country``, ``latitude``, ``longitude``, ``site_status``, ``site_contact``) and
one per criterion, named by its fact. Lists inside a cell are separated by ``;``. Cells of criteria:
``B;mixed``, ``not blinatumomab``, ``1 years..17 years``, ``..2``, ``0.01..``. A first line
``# name of the list, 2026-11-01`` names the list and its day.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from fhir_mappings.trials import FactKind, Fault, TrialFact, TrialVocabulary

_ENTRY_COLUMNS = ("id", "title", "link", "status", "status_date", "phase", "contact")
_LIST_COLUMNS = ("interventions", "not_checked")
_SITE_COLUMNS = {
    "site_name": "name",
    "city": "city",
    "country": "country",
    "latitude": "latitude",
    "longitude": "longitude",
    "site_status": "status",
    "site_contact": "contact",
}
_TITLE = re.compile(r"^#\s*(.+?),\s*(\d{4}-\d{2}-\d{2})\s*[,;]*$")


@dataclass(slots=True)
class CsvEntry:
    """One study assembled from its rows, with the line of each part."""

    line: int
    table: dict[str, Any] = field(default_factory=dict)
    site_lines: list[int] = field(default_factory=list)
    criterion_columns: list[str] = field(default_factory=list)

    def line_of(self, location: tuple[str | int, ...]) -> int:
        """The line on which that part of the entry stands."""
        if len(location) > 1 and location[0] == "sites" and isinstance(location[1], int):
            return self.site_lines[location[1]]
        return self.line

    def column_of(self, location: tuple[str | int, ...]) -> str:
        """The column in which that part of the entry stands."""
        if len(location) > 1 and location[0] == "criteria" and isinstance(location[1], int):
            return self.criterion_columns[location[1]]
        if len(location) > 2 and location[0] == "sites":
            return next((column for column, key in _SITE_COLUMNS.items() if key == location[2]), "site_name")
        return str(location[0]) if location else "row"


@dataclass(frozen=True, slots=True)
class CsvContent:
    """The entries of a CSV text and what its first line says about the list."""

    label: str
    maintained: date | None
    entries: tuple[CsvEntry, ...]


def csv_entries(text: str, name: str, vocabulary: TrialVocabulary, faults: list[Fault]) -> CsvContent:
    """Rows assembled into entries of the shape of the TOML catalogue; faults are added to ``faults``."""
    lines = text.splitlines()
    label, maintained, skipped = _title(lines, name, faults)
    body = lines[skipped:]
    delimiter = ";" if body and body[0].count(";") > body[0].count(",") else ","
    separator = "|" if delimiter == ";" else ";"
    rows = csv.reader(body, delimiter=delimiter, strict=True)
    entries: dict[str, CsvEntry] = {}
    try:
        columns = [cell.strip() for cell in next(rows, [])]
        if not _columns_stand(columns, name, skipped + 1, faults):
            return CsvContent(label, maintained, ())
        for cells in rows:
            if any(cell.strip() for cell in cells):
                line = skipped + rows.line_num
                if len(cells) != len(columns):
                    remedy = f"write {len(columns)} cells, as the header has"
                    faults.append(Fault(name, line, "row", f"has {len(cells)} cells", remedy))
                    continue
                row = {column: cell.strip() for column, cell in zip(columns, cells, strict=True)}
                _add_row(entries, row, line, separator, vocabulary)
    except csv.Error:
        line = skipped + rows.line_num
        faults.append(Fault(name, line, "row", "is not valid CSV", "close every quoted cell"))
    return CsvContent(label, maintained, tuple(entries.values()))


def _title(lines: list[str], name: str, faults: list[Fault]) -> tuple[str, date | None, int]:
    found = _TITLE.match(lines[0]) if lines else None
    try:
        if found:
            return found[1], date.fromisoformat(found[2]), 1
    except ValueError:
        pass
    remedy = "write # name of the list, YYYY-MM-DD on the first line"
    faults.append(Fault(name, 1, "list", "neither name nor date", remedy))
    return "", None, 1 if lines and lines[0].startswith("#") else 0


def _columns_stand(columns: list[str], name: str, line: int, faults: list[Fault]) -> bool:
    allowed = {*_ENTRY_COLUMNS, *_LIST_COLUMNS, *_SITE_COLUMNS, *(fact.value for fact in TrialFact)}
    known = len(faults)
    for column in columns:
        if column not in allowed:
            remedy = f"allowed: {', '.join(sorted(allowed))}"
            faults.append(Fault(name, line, column[:40] or "column", "unknown column", remedy))
    for column in ("id", "title", "status", "status_date"):
        if column not in columns:
            faults.append(Fault(name, line, column, "missing column", "add it to the header"))
    for column in sorted({one for one in columns if columns.count(one) > 1}):
        faults.append(Fault(name, line, column[:40], "stands twice", "keep one of the columns"))
    return len(faults) == known


def _add_row(
    entries: dict[str, CsvEntry],
    row: Mapping[str, str],
    line: int,
    separator: str,
    vocabulary: TrialVocabulary,
) -> None:
    key = row["id"] or f"line {line}"
    entry = entries.get(key)
    if entry is None:
        entry = entries[key] = CsvEntry(line)
        entry.table.update({column: row[column] for column in _ENTRY_COLUMNS if row.get(column)})
        for column in _LIST_COLUMNS:
            if row.get(column):
                entry.table[column] = _split(row[column], separator)
        for fact in TrialFact:
            if cell := row.get(fact.value, ""):
                entry.criterion_columns.append(fact.value)
                kind = vocabulary.facts[fact].kind
                entry.table.setdefault("criteria", []).append(_criterion(fact, cell, kind, separator))
    if row.get("site_name"):
        entry.site_lines.append(line)
        site = {key: row[column] for column, key in _SITE_COLUMNS.items() if row.get(column)}
        entry.table.setdefault("sites", []).append(site)


def _criterion(fact: TrialFact, cell: str, kind: FactKind, separator: str) -> dict[str, Any]:
    if kind in (FactKind.AGE, FactKind.NUMBER) and ".." in cell:
        low, _, high = cell.partition("..")
        bounds = {"at_least": low.strip(), "at_most": high.strip()}
        return {"fact": fact.value, **{key: value for key, value in bounds.items() if value}}
    if cell.startswith("not "):
        return {"fact": fact.value, "none_of": _split(cell.removeprefix("not "), separator)}
    return {"fact": fact.value, "any_of": _split(cell, separator)}


def _split(cell: str, separator: str) -> list[str]:
    return [part.strip() for part in cell.split(separator) if part.strip()]
