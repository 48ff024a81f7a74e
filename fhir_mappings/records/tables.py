"""Readable records: a text table of dated rows, and dates relative to a day T."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Final

from fhir_mappings.clinical.moments import add_months
from fhir_mappings.records.concepts import CONCEPTS, allowed_words

COLUMNS: Final = ("date", "concept", "value", "unit", "status", "note")
NOTE_WORDS: Final = (
    "specimen",
    "material",
    "method",
    "issued",
    "recorded",
    "onset",
    "end",
    "state",
    "study",
    "id",
)
DATED_WORDS: Final = ("issued", "recorded", "onset", "end")
_RELATIVE = re.compile(r"T((?:[+-]\d+(?:y|mo|w|d))*)(?:@(\d\d:\d\d))?")
_STEP = re.compile(r"([+-]\d+)(y|mo|w|d)")
_ABSOLUTE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d:\d\d)(:\d\d)?(Z|[+-]\d\d:\d\d)?)?)?)?")


class RecordError(ValueError):
    """A record that cannot be read: says the line, what is wrong, and what is allowed."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a record, as written.

    ``note`` is free text; ``details`` holds the ``word=value`` parts of the note column
    (``specimen=second draw; method=flow cytometry; issued=2024-05-15``).
    """

    line: int
    date: str
    concept: str
    value: str = ""
    unit: str = ""
    status: str = ""
    note: str = ""
    details: dict[str, str] = field(default_factory=dict)


def read_table(text: str) -> list[Row]:
    """Read a table whose first line names the columns; columns may be left out, dashes are ignored.

    Raises RecordError with the line for an unknown column, concept, note word or a bad date.
    """
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not lines:
        return []
    header = _header(*lines[0])
    body = [(number, line) for number, line in lines[1:] if not set(line.strip()) <= set("-+| ")]
    return [_row(number, line, header) for number, line in body]


def _header(number: int, line: str) -> list[str]:
    names = [cell.strip() for cell in line.split("|")]
    for name in names:
        if name not in COLUMNS:
            raise RecordError(f"line {number}: unknown column '{name}'; allowed: {', '.join(COLUMNS)}")
    if "concept" not in names:
        raise RecordError(f"line {number}: the column 'concept' is missing")
    return names


def _row(number: int, line: str, header: list[str]) -> Row:
    cells = [cell.strip() for cell in line.split("|")]
    if len(cells) > len(header):
        raise RecordError(f"line {number}: {len(cells)} cells, but only {len(header)} columns")
    named = dict(zip(header, cells, strict=False))
    concept = named.get("concept", "")
    if concept not in CONCEPTS:
        raise RecordError(f"line {number}: unknown concept '{concept}'; allowed: {allowed_words()}")
    note, details = _split_note(number, named.get("note", ""))
    when = named.get("date", "")
    for written in (when, *(details[word] for word in DATED_WORDS if word in details)):
        _check_date(number, written)
    return Row(
        line=number,
        date=when,
        concept=concept,
        value=named.get("value", ""),
        unit=named.get("unit", ""),
        status=named.get("status", ""),
        note=note,
        details=details,
    )


def _split_note(number: int, cell: str) -> tuple[str, dict[str, str]]:
    free: list[str] = []
    details: dict[str, str] = {}
    for part in (part.strip() for part in cell.split(";")):
        word, equals, value = part.partition("=")
        if not equals:
            free.append(part)
        elif word.strip() in NOTE_WORDS:
            details[word.strip()] = value.strip()
        else:
            allowed = ", ".join(NOTE_WORDS)
            raise RecordError(f"line {number}: unknown note word '{word.strip()}'; allowed: {allowed}")
    return "; ".join(part for part in free if part), details


def _check_date(number: int, written: str) -> None:
    if written in ("", "none") or _RELATIVE.fullmatch(written):
        return
    try:
        resolve_date(written, None)
    except RecordError as error:
        raise RecordError(f"line {number}: {error}") from None


def resolve_date(text: str, today: date | None) -> str:
    """A FHIR date or dateTime for a written date, absolute or relative to T = ``today``.

    Relative: ``T``, ``T-400d``, ``T-36mo``, ``T-3mo+2d``, ``T-9y``, ``T-2w``, each with an optional
    time of day (``T-1d@09:00``). Months and years are calendar steps, clamped to the month's end.
    Absolute: year, month or day, or a day with a time (UTC where no offset is written).
    Raises RecordError for anything else, and for a relative date when ``today`` is None.
    """
    relative = _RELATIVE.fullmatch(text)
    if relative is None:
        return _absolute(text)
    if today is None:
        raise RecordError(f"'{text}' is relative, but no day T was given")
    day = today
    for count, unit in _STEP.findall(relative.group(1)):
        day = _step(day, int(count), unit)
    clock = relative.group(2)
    return f"{day.isoformat()}T{clock}:00Z" if clock else day.isoformat()


def _step(day: date, count: int, unit: str) -> date:
    if unit == "d":
        return day + timedelta(days=count)
    if unit == "w":
        return day + timedelta(weeks=count)
    return add_months(day, count * 12 if unit == "y" else count)


def _absolute(text: str) -> str:
    found = _ABSOLUTE.fullmatch(text)
    if found is None:
        raise RecordError(f"'{text}' is no date; write 2024, 2024-06, 2024-06-03, 2024-06-03T09:00 or T-36mo")
    year, month, day, clock, seconds, offset = found.groups()
    try:
        date(int(year), int(month or 1), int(day or 1))
        time.fromisoformat(f"{clock or '00:00'}{seconds or ':00'}")
    except ValueError:
        raise RecordError(f"'{text}' is not a day of the calendar") from None
    if clock is None:
        return text
    return f"{year}-{month}-{day}T{clock}{seconds or ':00'}{offset or 'Z'}"
