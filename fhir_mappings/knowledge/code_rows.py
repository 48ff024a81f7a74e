"""Value sets as CSV: one concept per file, one code per row, each with its source and confidence."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

from fhir_mappings.knowledge.check_digits import CPT, find_code_problem
from fhir_mappings.knowledge.errors import Fault

if TYPE_CHECKING:
    from _csv import Reader

REQUIRED_COLUMNS = ("system", "code", "display", "source", "confidence", "note")
OPTIONAL_COLUMNS = ("unit", "factor")
CONFIDENCES = frozenset({"high", "medium"})


@dataclass(frozen=True, slots=True)
class Code:
    """One code of a value set.

    ``confidence`` is ``high`` (two or more sources, or an official release) or ``medium``. For a laboratory
    code ``unit`` is the usual UCUM unit. For a unit ``factor`` turns a value in it into ``unit``.
    """

    system: str
    code: str
    display: str
    source: str
    confidence: str
    note: str
    unit: str = ""
    factor: Decimal | None = None


def read_codes(path: Path, faults: list[Fault]) -> tuple[Code, ...]:
    """The rows of one value set; every row that cannot stand is a fault and is left out."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            columns = next(reader, [])
            if not _check_columns(path, columns, faults):
                return ()
            return tuple(_read_rows(path, columns, reader, faults))
    except (OSError, UnicodeDecodeError, csv.Error):
        faults.append(Fault(str(path), 0, "file", "cannot be read as CSV", "save it as UTF-8 CSV"))
        return ()


def _check_columns(path: Path, columns: list[str], faults: list[Fault]) -> bool:
    known = len(faults)
    for column in columns:
        if column not in REQUIRED_COLUMNS + OPTIONAL_COLUMNS:
            allowed = ", ".join(REQUIRED_COLUMNS + OPTIONAL_COLUMNS)
            faults.append(Fault(str(path), 1, column[:40], "unknown column", f"allowed: {allowed}"))
    for column in REQUIRED_COLUMNS:
        if columns.count(column) != 1:
            faults.append(Fault(str(path), 1, column, "column missing or repeated", "give it exactly once"))
    return len(faults) == known


def _read_rows(path: Path, columns: list[str], reader: Reader, faults: list[Fault]) -> Iterator[Code]:
    seen: set[tuple[str, str]] = set()
    for cells in reader:
        line = reader.line_num
        if len(cells) != len(columns):
            remedy = f"give {len(columns)} cells; put quotes around a comma"
            faults.append(Fault(str(path), line, "row", "wrong number of cells", remedy))
            continue
        row = dict(zip(columns, cells, strict=True))
        problems = list(_row_problems(row, seen))
        seen.add((row["system"], row["code"]))
        faults.extend(Fault(str(path), line, key, problem, remedy) for key, problem, remedy in problems)
        if not problems:
            yield _code(row)


def _row_problems(row: dict[str, str], seen: set[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    system, code = row["system"], row["code"]
    key = code[:40] or "code"
    if not code or not system:
        yield key, "system or code is empty", "fill both in or remove the row"
        return
    if (system, code) in seen:
        yield key, "duplicate code", "keep one row per system and code"
    if problem := find_code_problem(system, code):
        yield key, problem.problem, problem.remedy
    if row["confidence"] not in CONFIDENCES:
        yield key, "unknown confidence", "write high or medium; a weaker code does not belong in a value set"
    if system == CPT and row["display"]:
        yield key, "CPT row with a descriptor", "leave display empty: CPT descriptors are AMA copyright"
    if system != CPT and not row["display"]:
        yield key, "display is empty", "write the preferred term of the code system"
    if not row["source"]:
        yield key, "source is empty", "name where the code was verified"
    if not _is_factor(row.get("factor", "")):
        yield key, "factor is not a positive number", "write it as a plain decimal, such as 0.001"


def _is_factor(text: str) -> bool:
    if not text:
        return True
    try:
        factor = Decimal(text)
    except InvalidOperation:
        return False
    return factor.is_finite() and factor > 0


def _code(row: dict[str, str]) -> Code:
    factor = row.get("factor", "")
    return Code(
        system=row["system"],
        code=row["code"],
        display=row["display"],
        source=row["source"],
        confidence=row["confidence"],
        note=row["note"],
        unit=row.get("unit", ""),
        factor=Decimal(factor) if factor else None,
    )
