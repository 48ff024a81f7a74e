"""A case that is written wrongly fails with its file, its id and what is wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.clinical.case_files import Case, CaseError, read_cases

CONVENTIONS = '''
[[convention]]
name = "no blasts in blood"
unless = ["blood blasts"]
record = """
date | concept      | value | unit
T    | blood blasts | 0     | %
"""
'''
CASE = '''
patient = { sex = "female", born = 2018-01-15 }
index = 2024-06-03
common = """
date       | concept
2021-03-10 | diagnosis B-ALL
"""
[[case]]
id = "X"
name = "a name"
record = """
date       | concept             | value | unit
2024-06-03 | marrow lymphoblasts | 78    | %
"""
[case.expect]
status = "relapse"
'''


def cases(folder: Path, text: str) -> list[Case]:
    (folder / "conventions.toml").write_text(CONVENTIONS, encoding="utf-8")
    (folder / "marrow.toml").write_text(text, encoding="utf-8")
    return list(read_cases(folder))


def observations(case: Case) -> list[str]:
    return [each["id"] for each in case.resources if each["resourceType"] == "Observation"]


def test_a_case_takes_the_common_rows_and_the_conventions(tmp_path: Path) -> None:
    (case,) = cases(tmp_path, CASE)
    assert case.at == datetime(2024, 6, 4, 9, tzinfo=UTC)
    assert [each["id"] for each in case.resources if each["resourceType"] == "Condition"] == [
        "diagnosis-b-all-2021-03-10"
    ]
    assert observations(case) == ["marrow-lymphoblasts-2024-06-03", "blood-blasts-2024-06-03"]


def test_the_table_of_the_case_overrides_a_convention(tmp_path: Path) -> None:
    text = CASE.replace("2024-06-03 | marrow lymphoblasts | 78", "2024-06-01 | blood blasts | 4")
    (case,) = cases(tmp_path, text)
    assert observations(case) == ["blood-blasts-2024-06-01"]


@pytest.mark.parametrize("line", ['without = ["no blasts in blood"]', "conventions = false"])
def test_a_convention_can_be_switched_off(tmp_path: Path, line: str) -> None:
    (case,) = cases(tmp_path, CASE.replace('name = "a name"', f'name = "a name"\n{line}'))
    assert observations(case) == ["marrow-lymphoblasts-2024-06-03"]


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ('status = "relapse"', 'stauts = "relapse"', "marrow.toml: case X: .*stauts"),
        ('status = "relapse"', 'status = "relapsed"', "marrow.toml: case X: .*relapsed"),
        ('name = "a name"', 'nmae = "a name"', "marrow.toml: case X: .*nmae"),
        ("marrow lymphoblasts", "marrow lymphoblast", "marrow.toml: case X: line 2: unknown concept"),
        ("index = 2024-06-03", "", "marrow.toml: case X: patient and index must be given"),
        (
            'name = "a name"',
            'name = "a"\nwithout = ["CSF"]',
            "marrow.toml: case X: `without` names no convention",
        ),
        ("index = 2024-06-03", "indx = 2024-06-03", "marrow.toml: .*indx"),
        ("index = 2024-06-03", "index = ", "marrow.toml: "),
    ],
)
def test_a_wrong_case_says_where_and_what(tmp_path: Path, right: str, wrong: str, message: str) -> None:
    with pytest.raises(CaseError, match=message):
        cases(tmp_path, CASE.replace(right, wrong))


def test_a_wrong_convention_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "conventions.toml").write_text(CONVENTIONS.replace("unless", "unles"), encoding="utf-8")
    with pytest.raises(CaseError, match=r"conventions\.toml: .*unles"):
        list(read_cases(tmp_path))


TABLE = (
    CASE.partition("[[case]]")[0]
    + '''
[[table]]
record = """
date       | concept             | value    | unit
2024-06-03 | marrow lymphoblasts | {marrow} | %
"""
rows = """
id    | name  | marrow | status   | met  | quiet | event_date | options.nelarabine
------+-------+--------+----------+------+-------+------------+-------------------
below | under | 49.9   | probable | none | no    |            | excluded
above | over  | 50.1   | relapse  | A; B |       | 2024-06-03 |
"""
[table.expect]
not_met = ["C"]
options = { mopad = "confirm" }
'''
)


def test_a_table_is_one_case_a_row_with_what_varies(tmp_path: Path) -> None:
    below, above = cases(tmp_path, TABLE)
    assert (below.id, below.name, above.id) == ("below", "under", "above")
    assert "49.9" in str(below.resources)
    assert "50.1" in str(above.resources)
    assert "{marrow}" not in str((below.resources, above.resources))
    assert (below.expect.status, below.expect.met, below.expect.quiet) == ("probable", [], False)
    assert (above.expect.met, above.expect.event_date) == (["A", "B"], date(2024, 6, 3))
    assert below.expect.options == {"mopad": "confirm", "nelarabine": "excluded"}
    assert above.expect.options == {"mopad": "confirm"}
    assert above.expect.not_met == ["C"]


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("| met  |", "| mett |", "case below: .*mett"),
        ("id    |", "no    |", "marrow.toml: table: the column id is missing"),
        ("| 50.1   |", "| 50.1   | 3 |", "marrow.toml: row above: 9 cells for 8 columns"),
        ("probable |", "probably |", "case below: .*probably"),
        ("| met  |", "| status |", "a column stands twice"),
        ("{marrow}", "{marow}", "case below: .*marrow"),
        ('rows = """', 'rows = ""\nodd = """', "rows needs a line with the columns"),
    ],
)
def test_a_wrong_table_says_where_and_what(tmp_path: Path, right: str, wrong: str, message: str) -> None:
    with pytest.raises(CaseError, match=message):
        cases(tmp_path, TABLE.replace(right, wrong))
