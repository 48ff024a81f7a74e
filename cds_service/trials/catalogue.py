"""The trial office's own list: TOML or CSV. A broken entry costs only itself, and is named with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

from cds_service.trials.catalogue_csv import csv_entries
from cds_service.trials.entries import read_entry
from fhir_mappings.assess import Moment
from fhir_mappings.trials import Fault, KeyLines, Origin, Study, StudyList, TrialVocabulary

DEMO = "demo"
"""The name under which the fictional list inside the package is configured."""

_STUDY_HEADER = re.compile(r"^\s*\[\[\s*studies\s*\]\]\s*(#.*)?$")
_MAX_BYTES = 5_000_000


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What could be read, and every fault of what could not."""

    list: StudyList
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """One ``[[studies]]`` table with the number of lines before it."""

    text: str
    lines_before: int


def read_catalogue(source: str | Path, vocabulary: TrialVocabulary) -> Catalogue:
    """Read a catalogue file, or the demonstration list for ``demo``.

    Never raises for what the file holds: an unreadable file is an empty, incomplete list with its fault.
    """
    if str(source) == DEMO:
        text = resources.files(__package__).joinpath("demo_catalogue.toml").read_text(encoding="utf-8")
        return parse_toml(text, "demo_catalogue.toml", vocabulary)
    path = Path(source)
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return _unreadable(path.name, "cannot be read", "put a UTF-8 text file in this place", vocabulary)
    if len(data) > _MAX_BYTES:
        return _unreadable(path.name, "is too large", f"keep it below {_MAX_BYTES} bytes", vocabulary)
    if path.suffix.lower() == ".csv":
        return parse_csv(text, path.name, vocabulary)
    return parse_toml(text, path.name, vocabulary)


def parse_toml(text: str, name: str, vocabulary: TrialVocabulary) -> Catalogue:
    """Studies of a TOML text; each ``[[studies]]`` table is read on its own."""
    head, *pieces = _pieces(text)
    faults: list[Fault] = []
    label, maintained = _list_table(head, name, faults)
    studies: dict[str, Study] = {}
    for piece in pieces:
        for study, line in _studies(piece, name, vocabulary, faults):
            _add(studies, study, name, line, faults)
    return _catalogue(label or name, maintained, studies, faults, vocabulary)


def parse_csv(text: str, name: str, vocabulary: TrialVocabulary) -> Catalogue:
    """Studies of a CSV text; rows with the same id are sites of one study."""
    faults: list[Fault] = []
    content = csv_entries(text, name, vocabulary, faults)
    studies: dict[str, Study] = {}
    for entry in content.entries:
        result = read_entry(entry.table, vocabulary)
        if isinstance(result, Study):
            _add(studies, result, name, entry.line, faults)
            continue
        for location, problem, remedy in result:
            faults.append(Fault(name, entry.line_of(location), entry.column_of(location), problem, remedy))
    return _catalogue(content.label or name, content.maintained, studies, faults, vocabulary)


def _pieces(text: str) -> list[_Piece]:
    """The text up to the first ``[[studies]]``, then one piece for each of them."""
    starts = [0]
    lines = text.splitlines(keepends=True)
    starts += [number for number, line in enumerate(lines) if _STUDY_HEADER.match(line)]
    ends = [*starts[1:], len(lines)]
    return [_Piece("".join(lines[a:b]), a) for a, b in zip(starts, ends, strict=True)]


def _list_table(head: _Piece, name: str, faults: list[Fault]) -> tuple[str, date | None]:
    content = _parse(head, name, faults)
    table = content.get("list", {}) if content is not None else {}
    for key in content or {}:
        if key != "list":
            faults.append(Fault(name, KeyLines(head.text).find((key,)), key, "unknown key", "use [list]"))
    label = table.get("label") if isinstance(table, dict) else None
    maintained = table.get("maintained") if isinstance(table, dict) else None
    if not isinstance(label, str) or not label:
        faults.append(Fault(name, 1, "list.label", "missing", 'add label = "name of this list" to [list]'))
        label = ""
    if type(maintained) is not date:
        faults.append(Fault(name, 1, "list.maintained", "missing", "add maintained = YYYY-MM-DD to [list]"))
        maintained = None
    return label, maintained


def _studies(
    piece: _Piece, name: str, vocabulary: TrialVocabulary, faults: list[Fault]
) -> Iterator[tuple[Study, int]]:
    content = _parse(piece, name, faults)
    if content is None:
        return
    lines = KeyLines(piece.text)
    for key in content.keys() - {"studies"}:
        line = piece.lines_before + lines.find((key,))
        faults.append(Fault(name, line, key, "unknown table", "write [[studies]] tables only"))
    for number, table in enumerate(content["studies"]):
        result = read_entry(table, vocabulary)
        if isinstance(result, Study):
            yield result, piece.lines_before + 1
            continue
        for location, problem, remedy in result:
            line = piece.lines_before + lines.find(("studies", number, *location))
            faults.append(Fault(name, line, _dotted(location), problem, remedy))


def _parse(piece: _Piece, name: str, faults: list[Fault]) -> dict[str, Any] | None:
    try:
        return tomllib.loads(piece.text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+)", str(error))
        last = len(piece.text.splitlines())
        line = piece.lines_before + (int(found[1]) if found else last)
        remedy = "correct this line or the one above"
        faults.append(Fault(name, line, "syntax", "not valid TOML, entry refused", remedy))
        return None


def _add(studies: dict[str, Study], study: Study, name: str, line: int, faults: list[Fault]) -> None:
    if study.id in studies:
        faults.append(Fault(name, line, "id", "stands twice", "remove one of the two entries"))
    else:
        studies[study.id] = study


def _catalogue(
    label: str,
    maintained: date | None,
    studies: dict[str, Study],
    faults: list[Fault],
    vocabulary: TrialVocabulary,
) -> Catalogue:
    reasons = (vocabulary.phrase("entries_refused", count=str(len(faults))),) if faults else ()
    return Catalogue(
        StudyList(
            key=Origin.CATALOGUE.value,
            label=label,
            as_of=Moment.on(maintained) if maintained else None,
            complete=not faults,
            studies=tuple(studies.values()),
            fresh_days=vocabulary.catalogue_fresh_days,
            faults=reasons,
        ),
        tuple(faults),
    )


def _unreadable(name: str, problem: str, remedy: str, vocabulary: TrialVocabulary) -> Catalogue:
    return _catalogue(name, None, {}, [Fault(name, 0, "file", problem, remedy)], vocabulary)


def _dotted(location: tuple[str | int, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.lstrip(".")[:200] or "entry"
