"""Clinical cases: TOML files that a clinician reads, checked key by key while they are read.

A misspelt key, an unknown status, site or class, and a table that cannot be read all fail with the
file and the case's id.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from fhir_mappings.assess import CRITERION
from fhir_mappings.knowledge.review.boundary_tables import TableError, written_cases
from fhir_mappings.records.written_record import PatientHeader, RecordError, Row, build_resources, read_table
from fhir_mappings.statements import SECTIONS

Class003 = Literal["early", "late", "indeterminate", "not-classified"]
Class000 = Literal["very-poor", "much-better", "indeterminate", "not-applicable"]
Status = Literal[
    "relapse", "probable", "suspect", "refractory", "persistent", "none", "out-of-scope", "not-evaluable"
]
Site = Literal[
    "isolated-marrow",
    "isolated-cns",
    "isolated-testis",
    "isolated-other",
    "combined",
    "extramedullary-isolation-unknown",
]
Fit = Literal["matches", "confirm", "outside-label", "excluded"]
CriteriaSet = Literal["protocol-m3", "pdl-2022", "nih-2010"]
if TYPE_CHECKING:
    Letter = str
    Section = str
else:
    Letter = Literal[tuple(CRITERION)]
    Section = Literal[tuple(kind.name for kind in SECTIONS)]
PACKS: Final[dict[str, tuple[str, ...]]] = {
    "R+": ("RELAPSE", "TIMING", "WORKUP", "TRIAL", "OPT-B"),
    "P+": ("PROBABLE", "TIMING", "WORKUP", "TRIAL", "OPT-B"),
}


class CaseError(ValueError):
    """A case that cannot be read: the file, the case and what is wrong."""


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Expectation(_Strict, frozen=True):
    """What the answer must say. What is not named is not compared.

    ``met`` is exact: these criteria of the deciding set are met and no other. ``never`` names agents
    that may not be offered in any form but ``excluded``. ``quiet`` means no section at all.
    ``milder`` names sections that, if present, are below a warning. ``says`` names sentences of the
    knowledge that are said, ``key`` or ``key: text that it contains``; ``unsaid`` those that are not.
    ``reads`` gives every sentence of a section in its order, the summary first, in the same form.
    """

    status: Status
    phase: Literal["active", "in-remission"] | None = None
    relapse_number: int | None = None
    met: list[Letter] | None = None
    not_met: list[Letter] = []
    unknown: list[Letter] = []
    consensus: list[CriteriaSet] = []
    no_consensus: list[CriteriaSet] = []
    site: Site | None = None
    event_date: date | None = None
    seed_003: Class003 | None = None
    seed_003_months: float | None = None
    seed_000: Class000 | None = None
    seed_000_months: float | None = None
    bfm: Literal["very-early", "early", "late", "indeterminate"] | None = None
    cr1_over_18_months: bool | None = None
    lineage: Literal["B", "T", "mixed", "unknown"] | None = None
    bcr_abl1: Literal["positive", "negative", "unknown"] | None = None
    cd19: Literal["positive", "negative", "unknown"] | None = None
    cd22: Literal["positive", "negative", "unknown"] | None = None
    options: dict[str, Fit] = {}
    never: list[str] = []
    pack: Literal["R+", "P+"] | None = None
    sections: list[Section] = []
    absent: list[Section] = []
    quiet: bool = False
    indicators: dict[Section, Literal["info", "warning", "critical"]] = {}
    milder: list[Section] = []
    ignored: list[str] = []
    says: list[str] = []
    unsaid: list[str] = []
    reads: dict[Section, list[str]] = {}


class _Person(_Strict, frozen=True):
    sex: Literal["female", "male", "other", "unknown"]
    born: date


class _Entry(_Strict, frozen=True):
    id: str
    name: str
    expect: Expectation
    record: str = ""
    patient: _Person | None = None
    index: date | None = None
    at: date | None = None
    at_time: time | None = None
    conventions: bool = True
    without: list[str] = []
    draft_orders: str = ""
    criteria_set: str = ""
    not_yet: str = ""
    rule: str = ""


class _File(_Strict, frozen=True):
    case: list[dict[str, Any]] = []
    table: list[dict[str, Any]] = []
    rule: str = ""
    patient: _Person | None = None
    index: date | None = None
    common: str = ""
    criteria_set: str = ""


class _Convention(_Strict, frozen=True):
    name: str
    record: str
    unless: list[str]
    only: Literal["female", "male"] | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One patient at one moment and the answer that is right.

    ``criteria_set`` is the set that a site chose, empty for the packaged choice. ``not_yet`` gives the reason
    why the product cannot answer the case yet.
    """

    id: str
    name: str
    at: datetime
    resources: list[dict[str, Any]]
    expect: Expectation
    not_yet: str
    criteria_set: str = ""


def read_cases(folder: Path) -> Iterator[Case]:
    """Every case of every file of a folder. Raises CaseError naming file, case and fault."""
    conventions = _conventions(folder / "conventions.toml")
    for path in sorted(folder.glob("*.toml")):
        if path.name != "conventions.toml":
            yield from _cases(path, conventions)


def _conventions(path: Path) -> list[_Convention]:
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        return msgspec.convert(raw["convention"], list[_Convention])
    except msgspec.ValidationError as error:
        raise CaseError(f"{path.name}: {error}") from None


def _cases(path: Path, conventions: list[_Convention]) -> Iterator[Case]:
    try:
        raw_file = tomllib.loads(path.read_text(encoding="utf-8"))
        file = msgspec.convert(raw_file, _File)
        entries = list(written_cases(raw_file))
    except (msgspec.ValidationError, tomllib.TOMLDecodeError, TableError) as error:
        raise CaseError(f"{path.name}: {error}") from None
    for raw in entries:
        try:
            yield _case(msgspec.convert(raw, _Entry), file, conventions)
        except (msgspec.ValidationError, RecordError, CaseError) as error:
            raise CaseError(f"{path.name}: case {raw.get('id', '?')}: {error}") from None


def _case(entry: _Entry, file: _File, conventions: list[_Convention]) -> Case:
    person = entry.patient or file.patient
    index = entry.index or file.index
    if person is None or index is None:
        raise CaseError("patient and index must be given in the case or at the top of the file")
    rows = read_table(file.common) + read_table(entry.record)
    if entry.conventions:
        rows += _taken_for_granted(entry, person, rows, conventions)
    rows += read_table(entry.draft_orders)
    header = PatientHeader("case", person.sex, person.born.isoformat())
    day = entry.at or index + timedelta(days=1)
    return Case(
        id=entry.id,
        name=entry.name,
        at=datetime.combine(day, entry.at_time or time(9), tzinfo=UTC),
        resources=build_resources(header, rows, today=index),
        expect=entry.expect,
        not_yet=entry.not_yet,
        criteria_set=entry.criteria_set or file.criteria_set,
    )


def _taken_for_granted(
    entry: _Entry, person: _Person, rows: list[Row], conventions: list[_Convention]
) -> list[Row]:
    unknown = set(entry.without) - {each.name for each in conventions}
    if unknown:
        raise CaseError(f"`without` names no convention: {', '.join(sorted(unknown))}")
    used = {row.concept for row in rows}
    return [
        row
        for each in conventions
        if each.name not in entry.without and not used & set(each.unless) and each.only in (None, person.sex)
        for row in read_table(each.record)
    ]
