"""The trial office's list: what stands, what is refused, and on which line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from cds_service.trials.catalogue import DEMO, Catalogue, parse_toml, read_catalogue
from fhir_mappings.trials import Accrual, Age, AgeSpan, AgeUnit, Criterion, OneOf, Span, TrialFact
from tests.fhir_mappings.trials.people import vocabulary

HEAD = '[list]\nlabel = "Trial office"\nmaintained = 2026-11-01\n'
ENTRY = """
[[studies]]
id = "LOCAL-1"
title = "Fictional study"
status = "recruiting"
status_date = 2026-10-01
"""


def parsed(text: str) -> Catalogue:
    return parse_toml(text, "trials.toml", vocabulary())


def faults(text: str) -> list[tuple[int, str]]:
    return [(fault.line, fault.key) for fault in parsed(text).faults]


def only_criterion(text: str) -> Criterion:
    found = parsed(f"{HEAD}{ENTRY}\n[[studies.criteria]]\n{text}\n")
    assert found.faults == ()
    ((criterion,),) = (study.criteria for study in found.list.studies)
    return criterion


def test_a_complete_entry() -> None:
    text = f"""{HEAD}{ENTRY}
link = "https://trials.example.org/1"
phase = "phase-2"
interventions = ["fictional antibody"]
contact = "555-0100"
not_checked = ["pregnancy"]

[[studies.sites]]
name = "Children's hospital"
city = "Boston"
latitude = 42.36
longitude = -71.06
status = "not-yet-recruiting"
"""
    found = parsed(text)
    assert found.faults == ()
    assert (found.list.label, found.list.complete) == ("Trial office", True)
    assert found.list.as_of is not None
    assert found.list.as_of.text == "2026-11-01"
    (study,) = found.list.studies
    assert (study.id, study.accrual, study.link) == ("LOCAL-1", Accrual.OPEN, "https://trials.example.org/1")
    (site,) = study.sites
    assert (site.latitude, site.accrual) == (42.36, Accrual.OPENING)


@pytest.mark.parametrize(
    ("text", "criterion"),
    [
        (
            'fact = "age"\nat_least = "6 months"\nat_most = "17 years"',
            Criterion(TrialFact.AGE, AgeSpan(Age(6, AgeUnit.MONTHS), Age(17, AgeUnit.YEARS))),
        ),
        ('fact = "age"\nat_least = "1 year"', Criterion(TrialFact.AGE, AgeSpan(Age(1, AgeUnit.YEARS)))),
        ('fact = "lineage"\nany_of = ["B"]', Criterion(TrialFact.LINEAGE, OneOf(frozenset({"B"})))),
        (
            'fact = "prior-therapies"\nnone_of = ["cd19-directed"]',
            Criterion(TrialFact.PRIOR_THERAPIES, OneOf(frozenset({"cd19-directed"})), exclude=True),
        ),
        (
            'fact = "relapse-number"\nat_least = 1\nat_most = 1',
            Criterion(TrialFact.RELAPSE_NUMBER, Span(Decimal(1), Decimal(1))),
        ),
        ('fact = "mrd"\nabove = 0.01', Criterion(TrialFact.MRD, Span(Decimal("0.01"), low_open=True))),
        (
            'fact = "mrd"\nany_of = ["negative"]',
            Criterion(TrialFact.MRD, Span(high=Decimal("0.01"), high_open=True)),
        ),
    ],
)
def test_criteria(text: str, criterion: Criterion) -> None:
    assert only_criterion(text) == criterion


@pytest.mark.parametrize(
    "text",
    [
        'fact = "height"\nat_least = 1',
        'fact = "lineage"',
        'fact = "lineage"\nany_of = ["NK"]',
        'fact = "lineage"\nat_least = 1',
        'fact = "lineage"\nany_of = ["B"]\nnone_of = ["T"]',
        'fact = "age"\nat_least = 18',
        'fact = "age"\nat_least = "18 fortnights"',
        'fact = "age"\nat_least = "9999999 years"',
        'fact = "age"\nabove = "18 years"',
        'fact = "age"',
        'fact = "mrd"\nat_least = "low"',
        'fact = "mrd"\nat_least = 1\nabove = 2',
        'fact = "mrd"\nat_least = 3\nat_most = 2',
        'fact = "mrd"\nany_of = ["odd"]',
        'fact = "mrd"\nat_least = nan',
        'fact = "ecog"\nany_of = ["2"]',
        'fact = "sex"\nany_off = ["male"]',
    ],
)
def test_a_criterion_that_cannot_be_matched_refuses_its_entry_with_its_line(text: str) -> None:
    good = ENTRY.replace("LOCAL-1", "LOCAL-2")
    found = parsed(f"{HEAD}{ENTRY}\n[[studies.criteria]]\n{text}\n{good}")
    assert [study.id for study in found.list.studies] == ["LOCAL-2"]
    assert not found.list.complete
    (fault,) = found.faults
    assert fault.line in range(11, 15)
    assert fault.remedy


@pytest.mark.parametrize(
    ("old", "new", "line", "key"),
    [
        ('title = "Fictional study"', "", 5, "title"),
        ('status = "recruiting"', 'status = "maybe"', 8, "status"),
        ("status_date = 2026-10-01", 'status_date = "last week"', 9, "status_date"),
        ('id = "LOCAL-1"', 'id = "LOCAL 1<script>"', 6, "id"),
        ('id = "LOCAL-1"', 'id = "LOCAL-1"\nodd = 1', 7, "odd"),
        ('id = "LOCAL-1"', 'id = "LOCAL-1"\nlink = "http://trials.example.org"', 7, "link"),
        ('id = "LOCAL-1"', 'id = "LOCAL-1"\nlink = "javascript:alert(1)"', 7, "link"),
        ('id = "LOCAL-1"', 'id = "LOCAL-1"\nlink = "https://u@evil.example.org/"', 7, "link"),
        ('id = "LOCAL-1"', 'id = "LOCAL-1', 6, "syntax"),
    ],
)
def test_a_broken_entry_is_refused_with_line_and_key_and_the_rest_loads(
    old: str, new: str, line: int, key: str
) -> None:
    good = ENTRY.replace("LOCAL-1", "LOCAL-2")
    text = f"{HEAD}{ENTRY.replace(old, new)}{good}"
    found = parsed(text)
    assert [study.id for study in found.list.studies] == ["LOCAL-2"]
    assert [(fault.line, fault.key) for fault in found.faults] == [(line, key)]
    assert found.list.faults == ("faults in the list: 1, the entries concerned are left out",)


def test_every_fault_of_an_entry_is_named_at_once() -> None:
    broken = ENTRY.replace('title = "Fictional study"', "odd = 1").replace('"recruiting"', '"maybe"')
    criteria = """
[[studies.criteria]]
fact = "age"
at_least = "10"

[[studies.criteria]]
fact = "blood type"
"""
    keys = {fault.key for fault in parsed(HEAD + broken + criteria).faults}
    assert keys == {"title", "odd", "status", "criteria[0]", "criteria[1].fact"}


def test_half_a_position_is_refused() -> None:
    text = f'{HEAD}{ENTRY}\n[[studies.sites]]\nname = "Here"\nlatitude = 1.0\n'
    assert faults(text) == [(11, "sites[0]")]


def test_the_same_id_twice_keeps_the_first() -> None:
    found = parsed(HEAD + ENTRY + ENTRY)
    assert len(found.list.studies) == 1
    assert [(fault.line, fault.key) for fault in found.faults] == [(11, "id")]


@pytest.mark.parametrize(
    ("head", "keys"),
    [
        ("", ["list.label", "list.maintained"]),
        ('[list]\nlabel = "x"\n', ["list.maintained"]),
        ("[list]\nmaintained = 2026-11-01\n", ["list.label"]),
        ('[list]\nlabel = "x"\nmaintained = 2026-11-01\n[odd]\n', ["odd"]),
        ("[list\n", ["syntax", "list.label", "list.maintained"]),
    ],
)
def test_a_list_without_name_or_date_is_incomplete_and_its_studies_load(head: str, keys: list[str]) -> None:
    found = parsed(head + ENTRY)
    assert [fault.key for fault in found.faults] == keys
    assert len(found.list.studies) == 1
    assert not found.list.complete


def test_a_fault_reads_as_file_line_problem_and_remedy() -> None:
    (fault,) = parsed(HEAD + ENTRY.replace('"recruiting"', '"maybe"')).faults
    assert str(fault) == (
        "trials.toml:8: status: unknown status; write recruiting, not-yet-recruiting or closed"
    )


def test_a_file_that_is_not_there_is_an_incomplete_list() -> None:
    found = read_catalogue("/nowhere/trials.toml", vocabulary())
    assert (found.list.studies, found.list.complete) == ((), False)
    assert [fault.key for fault in found.faults] == ["file"]


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"#" * 5_000_001])
def test_a_file_that_is_no_text_or_too_large_is_an_incomplete_list(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "trials.toml"
    path.write_bytes(data)
    found = read_catalogue(path, vocabulary())
    assert (found.list.complete, len(found.faults)) == (False, 1)


def test_the_demonstration_list_is_clean_and_plainly_fictional() -> None:
    found = read_catalogue(DEMO, vocabulary())
    assert found.faults == ()
    assert "fictional" in found.list.label
    for study in found.list.studies:
        assert study.id.startswith("DEMO-ALL-")
        assert study.title.startswith("Fictional")
        assert study.link == ""


def csv_catalogue(tmp_path: Path, text: str) -> Catalogue:
    path = tmp_path / "trials.csv"
    path.write_text(text, encoding="utf-8")
    return read_catalogue(path, vocabulary())


CSV = """# Trial office, 2026-11-01
id,title,status,status_date,interventions,age,lineage,prior-therapies,mrd,site_name,city,latitude,longitude
L-1,First,recruiting,2026-10-01,antibody;chemo,1 years..17 years,B;mixed,not car-t,,Here,Boston,42.36,-71.06
L-1,,,,,,,,,There,Worcester,42.26,-71.80
L-2,Second,closed,2026-10-02,,,T,,0.01..,,,,
"""


def test_a_spreadsheet(tmp_path: Path) -> None:
    found = csv_catalogue(tmp_path, CSV)
    assert found.faults == ()
    assert (found.list.label, found.list.complete) == ("Trial office", True)
    first, second = found.list.studies
    assert [site.name for site in first.sites] == ["Here", "There"]
    assert first.interventions == ("antibody", "chemo")
    assert first.criteria == (
        Criterion(TrialFact.AGE, AgeSpan(Age(1, AgeUnit.YEARS), Age(17, AgeUnit.YEARS))),
        Criterion(TrialFact.LINEAGE, OneOf(frozenset({"B", "mixed"}))),
        Criterion(TrialFact.PRIOR_THERAPIES, OneOf(frozenset({"car-t"})), exclude=True),
    )
    assert second.criteria[1] == Criterion(TrialFact.MRD, Span(low=Decimal("0.01")))


def test_a_spreadsheet_with_semicolons(tmp_path: Path) -> None:
    text = "# Office, 2026-11-01\nid;title;status;status_date;lineage\nL-1;T;recruiting;2026-10-01;B|T\n"
    (study,) = csv_catalogue(tmp_path, text).list.studies
    assert study.criteria == (Criterion(TrialFact.LINEAGE, OneOf(frozenset({"B", "T"}))),)


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "left"),
    [
        ("1 years..17 years", "1..17", 3, "age", ["L-2"]),
        ("B;mixed", "B;NK", 3, "lineage", ["L-2"]),
        ("42.26,-71.80", "north,-71.80", 4, "latitude", ["L-2"]),
        ("L-2,Second,closed", "L-2,Second,maybe", 5, "status", ["L-1"]),
        ("L-2,Second,", "L-2,Second,,", 5, "row", ["L-1"]),
        (",mrd,", ",odd,", 2, "odd", []),
        ("id,title,status,", "id,title,odd,", 2, "odd", []),
        ("# Trial office, 2026-11-01", "# Trial office", 1, "list", ["L-1", "L-2"]),
        ("# Trial office, 2026-11-01", "# Trial office, 2026-13-01", 1, "list", ["L-1", "L-2"]),
        ("T,,0.01..,,,,", '"T,,0.01..,,,,', 5, "row", ["L-1"]),
    ],
)
def test_a_fault_in_a_spreadsheet_is_named_with_line_and_column(
    tmp_path: Path, old: str, new: str, line: int, key: str, left: list[str]
) -> None:
    assert old in CSV
    found = csv_catalogue(tmp_path, CSV.replace(old, new))
    assert (line, key) in [(fault.line, fault.key) for fault in found.faults]
    assert [study.id for study in found.list.studies] == left
    assert not found.list.complete


def test_an_empty_file(tmp_path: Path) -> None:
    found = csv_catalogue(tmp_path, "")
    assert (found.list.studies, found.list.complete) == ((), False)
