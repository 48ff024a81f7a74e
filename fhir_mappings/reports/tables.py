"""Tables of results: a value belongs to its row's name and to its column's date or role."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.report_language import Cue, Subject
from fhir_mappings.clinical.written_reports import About, DescribedResult, Trust
from fhir_mappings.reports.dates import dates_in
from fhir_mappings.reports.describing import Describer
from fhir_mappings.reports.effects import effect_of
from fhir_mappings.reports.grounds import Surroundings
from fhir_mappings.reports.layout import Statement, cells_of
from fhir_mappings.reports.lexicon import Lexicon
from fhir_mappings.reports.marks import mark
from fhir_mappings.reports.text import tokens_of

_OLD_DAYS = 14


@dataclass(frozen=True, slots=True)
class Tables:
    """The results of all tables with a head, and the parts of the text they stand in."""

    results: tuple[DescribedResult, ...] = ()
    covered: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Column:
    role: str
    date: Moment | None
    words: tuple[int, int]


def read_tables(text: str, folded: str, about: About, lexicon: Lexicon) -> Tables:
    """Tables whose head names dates, earlier values or normal ranges; other rows are read as statements."""
    if "\t" not in folded and "|" not in folded and "   " not in folded:
        return Tables()
    results: list[DescribedResult] = []
    covered: list[tuple[int, int]] = []
    head: list[_Column] | None = None
    for start, end in _lines(folded):
        line = folded[start:end]
        parted = "   " in line or "\t" in line or "|" in line
        cells = cells_of(folded, start, end) if parted else []
        cells = [cell for cell in cells if cell[0] < cell[1]] if "|" in folded[start:end] else cells
        if len(cells) < 2:
            if not folded[start:end].strip(" -+=|"):
                continue
            head = None
            continue
        columns = _head(folded, cells, lexicon)
        if columns is not None:
            head = columns
            covered.append((start, end))
            continue
        if head is not None:
            found = list(_row(text, folded, cells, head, about, lexicon))
            covered.append((start, end))
            results.extend(found)
    return Tables(tuple(results), tuple(covered))


def _lines(folded: str) -> Iterator[tuple[int, int]]:
    place = 0
    for line in folded.splitlines(keepends=True):
        stripped = line.rstrip()
        lead = len(stripped) - len(stripped.lstrip(" "))
        yield place + lead, place + len(stripped)
        place += len(line)


def _head(folded: str, cells: list[tuple[int, int]], lexicon: Lexicon) -> list[_Column] | None:
    """The columns of a table, where the line is a head that tells them apart."""
    columns = [_column(folded, *cell, lexicon) for cell in cells]
    telling = sum(column.role != "value" for column in columns)
    figures = sum(
        bool(lexicon.figures.find(folded, *cell)) and column.date is None
        for cell, column in zip(cells, columns, strict=True)
    )
    return columns if telling and not figures else None


def _column(folded: str, start: int, end: int, lexicon: Lexicon) -> _Column:
    dates = list(dates_in(folded, start, end))
    if len(dates) == 1 and dates[0].moment.is_exact_day | (end - start <= 24):
        return _Column("dated", dates[0].moment, (start, end))
    words = tokens_of(folded, start, end).words
    for match in lexicon.phrases.find(words):
        if isinstance(match.meaning, Cue) and match.meaning.kind in ("reference", "historical"):
            return _Column(match.meaning.kind, None, (start, end))
        if isinstance(match.meaning, Cue) and match.meaning.kind == "present":
            return _Column("current", None, (start, end))
    return _Column("value", None, (start, end))


def _row(
    text: str, folded: str, cells: list[tuple[int, int]], head: list[_Column], about: About, lexicon: Lexicon
) -> Iterator[DescribedResult]:
    label = cells[0]
    words = tokens_of(folded, *label).words
    if not any(isinstance(match.meaning, Subject) for match in lexicon.phrases.find(words)):
        return
    shift = 1 if len(cells) == len(head) + 1 else 0
    newest = max((column.date for column in head if column.date), key=_last_day, default=None)
    for place, cell in enumerate(cells[1:], start=1):
        column = head[place - shift] if 0 <= place - shift < len(head) else _Column("value", None, cell)
        for one in _cell(text, folded, label, cell, cells, about, lexicon):
            yield _in_column(one, column, newest, about, text, lexicon)


def _cell(
    text: str, folded: str, label: tuple[int, int], cell: tuple[int, int], cells: list[tuple[int, int]],
    about: About, lexicon: Lexicon,
) -> list[DescribedResult]:  # fmt: skip
    """One value of a row, read as if it alone stood behind the row's name."""
    blank = folded[: label[1]] + " " * (cell[0] - label[1]) + folded[cell[0] : cell[1]]
    after = [folded[one[0] : one[1]].strip() for one in cells if one[0] >= cell[1]]
    is_share = "%" in after or "%" in folded[label[0] : label[1]]
    statement = Statement(label[0], cell[1], "body", is_row=True)
    marked = mark(blank, statement, lexicon)
    around = Surroundings(about, about.area, shares_known=is_share)
    results = Describer(text, marked, lexicon, around).results()
    return [one for one in results if one.start >= cell[0] or one.is_numeric]


def _in_column(
    one: DescribedResult, column: _Column, newest: Moment | None, about: About, text: str, lexicon: Lexicon
) -> DescribedResult:
    words = text[column.words[0] : column.words[1]].strip()
    if column.role in ("reference", "historical"):
        one = replace(one, trust=Trust.NOT_THIS, reason=column.role, cue=words)
    elif column.role == "dated" and column.date is not None:
        reference = about.date or newest
        other = reference is not None and abs((reference.first - column.date.last).days) > _OLD_DAYS
        one = replace(one, date=column.date)
        if other:
            one = replace(one, trust=Trust.NOT_THIS, reason="historical", cue=words)
    return replace(one, effect=effect_of(one, lexicon))


def _last_day(moment: Moment) -> date:
    return moment.last
