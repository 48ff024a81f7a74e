"""The files of a run: rows, errors, summary and report. Each is there whole or not at all, and private."""

from __future__ import annotations

import csv
import importlib
import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import msgspec

from cds_service.cohort.rows import COLUMNS, Row
from cds_service.cohort.stages import FileFault
from cds_service.cohort.summary import Summary
from cds_service.cohort.work_folder import replacing

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PARQUET_ROWS = 10_000


class NoParquet(Exception):
    """rows.parquet was asked for and pyarrow is not installed."""


def has_parquet() -> bool:
    """Whether rows.parquet can be written (extra ``parquet``)."""
    try:
        importlib.import_module("pyarrow.parquet")
    except ImportError:
        return False
    return True


def write_rows(rows: Iterable[Row], out: Path, *, parquet: bool) -> Summary:
    """Writes rows.csv, rows.ndjson and, where asked, rows.parquet; returns what they say together."""
    summary = Summary()
    with ExitStack() as stack:
        table = stack.enter_context(replacing(out / "rows.csv"))
        lines = stack.enter_context(replacing(out / "rows.ndjson"))
        columns = _Parquet(stack.enter_context(replacing(out / "rows.parquet"))) if parquet else None
        table.write(_csv_line(COLUMNS))
        for row in rows:
            summary.add(row)
            values = {name: getattr(row, name) for name in COLUMNS}
            lines.write(msgspec.json.encode(values) + b"\n")
            table.write(_csv_line(_cell(values[name]) for name in COLUMNS))
            if columns is not None:
                columns.add(values)
        if columns is not None:
            columns.close()
    return summary


def write_errors(faults: Iterable[FileFault], out: Path) -> None:
    """errors.ndjson: file, offset and reason of everything that was not understood or not used."""
    with replacing(out / "errors.ndjson") as file:
        for fault in sorted(faults):
            file.write(msgspec.json.encode(fault) + b"\n")


def write_json(value: Mapping[str, Any], path: Path) -> None:
    """One JSON file for people and programs."""
    with replacing(path) as file:
        file.write(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")


def read_rows(folder: Path) -> Iterator[dict[str, Any]]:
    """The rows of rows.ndjson. Raises OSError, ``msgspec.DecodeError``."""
    with (folder / "rows.ndjson").open("rb") as file:
        for line in file:
            yield msgspec.json.decode(line)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = " ".join(value) if isinstance(value, list | tuple) else str(value)
    # A table program would take it for a formula.
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv_line(cells: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(list(cells))
    return line.getvalue().encode()


class _Parquet:
    """Writes rows in groups, so that none but the last group is held."""

    def __init__(self, file: IO[bytes]) -> None:
        try:
            self._arrow: Any = importlib.import_module("pyarrow")
            parquet: Any = importlib.import_module("pyarrow.parquet")
        except ImportError:
            raise NoParquet("install relapse-cds[parquet] for rows.parquet") from None
        arrow = self._arrow
        lists = {"criteria_met", "topics", "missing_needs", "evidence"}
        numbers = {"relapse_number", "unread_reports"}
        kinds = {
            name: arrow.list_(arrow.string())
            if name in lists
            else arrow.int64()
            if name in numbers
            else arrow.string()
            for name in COLUMNS
        }
        self._schema = arrow.schema(list(kinds.items()))
        self._writer = parquet.ParquetWriter(file, self._schema)
        self._waiting: list[dict[str, Any]] = []

    def add(self, values: Mapping[str, Any]) -> None:
        self._waiting.append(
            {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
        )
        if len(self._waiting) >= _PARQUET_ROWS:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(self._arrow.Table.from_pylist(self._waiting, schema=self._schema))
            self._waiting.clear()
