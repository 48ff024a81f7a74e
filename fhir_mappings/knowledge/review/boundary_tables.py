"""Boundary tables of the case files: one patient, and one row a case with only what varies.

    [[table]]
    record = '''
      date       | concept             | value    | unit
      2024-06-03 | marrow lymphoblasts | {marrow} | %
    '''
    rows = '''
      id      | name  | marrow | status   | met
      A-below | below | 49.9   | probable | none
      A-above | above | 50.1   | relapse  | A
    '''

A column is `id`, `name`, a blank of the record, a key of a case (`index`, `at`), or a key of the expectation
(`options.blinatumomab` for one entry of a table). An empty cell says nothing; lists are parted by `;`, and
`none` is the empty list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

_OF_A_CASE = ("id", "name", "rule", "index", "at")
_TEXTS = ("record", "draft_orders")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_LISTS = frozenset(
    "met not_met unknown consensus no_consensus never sections absent milder ignored says unsaid".split()
)


class TableError(ValueError):
    """A boundary table that cannot be read: the row or column, and what is wrong."""


def written_cases(file: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every case of a file as if it stood alone: the single ones, then the rows of its tables.

    Raises TableError.
    """
    yield from (dict(case) for case in file.get("case", ()))
    for table in file.get("table", ()):
        yield from _rows_of(table)


def _rows_of(table: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    header, rows = read_rows(str(table.get("rows", "")))
    missing = {"id", "name"} - set(header)
    if missing:
        raise TableError(f"table: the column {min(missing)} is missing")
    if len(set(header)) != len(header):
        raise TableError(f"table: a column stands twice in: {' | '.join(header)}")
    for cells in rows:
        yield _case(table, dict(zip(header, cells, strict=True)))


def read_rows(text: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a text table. Raises TableError for a row that is longer or shorter."""
    lines = [line for line in text.splitlines() if set(line.strip()) - set("-+| ")]
    cells = [[cell.strip() for cell in line.split("|")] for line in lines]
    if len(cells) < 2:
        raise TableError("table: rows needs a line with the columns and one line a case")
    for row in cells[1:]:
        if len(row) != len(cells[0]):
            raise TableError(f"row {row[0]}: {len(row)} cells for {len(cells[0])} columns")
    return cells[0], cells[1:]


def _case(table: Mapping[str, Any], cells: Mapping[str, str]) -> dict[str, Any]:
    case = {key: value for key, value in table.items() if key not in ("rows", "expect")}
    expect = dict(table.get("expect", {}))
    for column, cell in cells.items():
        blank = f"{{{column}}}"
        texts = [key for key in _TEXTS if blank in str(case.get(key, ""))]
        for key in texts:
            case[key] = case[key].replace(blank, cell)
        if column in _OF_A_CASE:
            case[column] = _value(column, cell)
        elif not texts and cell:
            _state(expect, column, cell)
    return {**case, "expect": expect}


def _state(expect: dict[str, Any], column: str, cell: str) -> None:
    name, _, entry = column.partition(".")
    if entry:
        expect[name] = {**expect.get(name, {}), entry: _value(entry, cell)}
    else:
        expect[name] = _value(name, cell)


def _value(key: str, cell: str) -> Any:
    if key in ("id", "name", "rule"):
        return cell
    if key in _LISTS:
        return [] if cell == "none" else [part.strip() for part in cell.split(";")]
    if cell in ("yes", "no"):
        return cell == "yes"
    if _NUMBER.fullmatch(cell):
        return float(cell) if "." in cell else int(cell)
    try:
        return date.fromisoformat(cell)
    except ValueError:
        return cell


def table_of(text: str) -> Sequence[Sequence[str]]:
    """A text table in normal form: cells without the spaces around them, no line between."""
    lines = [line for line in text.splitlines() if set(line.strip()) - set("-+| ")]
    return [[cell.strip() for cell in line.split("|")] for line in lines]
