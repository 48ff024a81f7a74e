"""Knowledge files are read strictly, and every fault names its file, line, key and remedy."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, Field

from fhir_mappings.knowledge.errors import Fault, KnowledgeError
from fhir_mappings.knowledge.loader import (
    KnowledgeFile,
    content_digest,
    read_codes,
    read_toml,
    read_value_sets,
)


class Threshold(KnowledgeFile):
    value: Decimal
    unit: str = Field(description="a UCUM unit")
    comparator: Literal["gt", "ge"] = "gt"


class Rule(KnowledgeFile):
    name: str
    thresholds: tuple[Threshold, ...] = ()
    fallback: Threshold | None = None


class Rules(KnowledgeFile):
    version: int
    rules: tuple[Rule, ...] = ()
    by_name: dict[str, Threshold] = Field(default_factory=dict)


GOOD = """\
version = 1

[[rules]]
name = "first"
thresholds = [
    { value = 50, unit = "%" },
    { value = 0.01, unit = "%" },
]

[[rules]]
name = "second [not a table]"

[rules.fallback]
value = 25.0
unit = "%"

[by_name.csf]
value = 5
unit = "/uL"
"""


def read(tmp_path: Path, text: str) -> tuple[Rules | None, list[Fault]]:
    path = tmp_path / "rules.toml"
    path.write_text(text, encoding="utf-8")
    faults: list[Fault] = []
    return read_toml(path, Rules, faults), faults


def test_a_good_file_is_read_with_exact_decimals(tmp_path: Path) -> None:
    rules, faults = read(tmp_path, GOOD)
    assert faults == []
    assert rules is not None
    assert rules.rules[0].thresholds[1].value == Decimal("0.01")
    assert rules.rules[1].fallback is not None
    assert str(rules.rules[1].fallback.value) == "25.0"


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "problem", "remedy"),
    [
        ("version = 1", "", 1, "version", "missing key", "version = ..."),
        ("version = 1", 'version = "x"', 1, "version", "wrong value", "integer"),
        ('name = "second [not a table]"', "", 10, "rules[1].name", "missing key", "name = ..."),
        ('name = "first"', 'nane = "first"', 4, "rules[0].nane", "unknown key", "name, thresholds, fallback"),
        ("value = 0.01", "valve = 0.01", 5, "rules[0].thresholds[1].valve", "unknown key", "value, unit"),
        ("value = 25.0", "value = true", 14, "rules[1].fallback.value", "wrong value", "Decimal"),
        (
            '[by_name.csf]\nvalue = 5\nunit = "/uL"',
            "[by_name.csf]\nvalue = 5",
            17,
            "by_name.csf.unit",
            "missing",
            "UCUM",
        ),
        (
            'unit = "/uL"',
            'unit = "/uL"\ncomparator = "over"',
            20,
            "by_name.csf.comparator",
            "wrong",
            "'gt' or 'ge'",
        ),
    ],
)
def test_a_fault_names_its_line_key_and_remedy(
    tmp_path: Path, old: str, new: str, line: int, key: str, problem: str, remedy: str
) -> None:
    assert GOOD.count(old) >= 1
    rules, faults = read(tmp_path, GOOD.replace(old, new, 1))
    assert rules is None
    found = [fault for fault in faults if fault.key == key]
    assert len(found) == 1
    assert found[0].line == line
    assert problem in found[0].problem
    assert remedy in found[0].remedy


def test_all_faults_of_a_file_come_at_once(tmp_path: Path) -> None:
    text = GOOD.replace('name = "first"', "").replace("version = 1", "versions = 1")
    _, faults = read(tmp_path, text)
    assert {fault.key for fault in faults} == {"version", "versions", "rules[0].name"}
    lines = str(KnowledgeError(faults)).splitlines()
    assert len(lines) == 3
    assert all("rules.toml:" in line and "; " in line for line in lines)


def test_a_model_that_forgot_to_forbid_is_strict_all_the_same(tmp_path: Path) -> None:
    class Loose(BaseModel):
        inner: dict[str, int] = {}

    path = tmp_path / "loose.toml"
    path.write_text("surplus = 1\n", encoding="utf-8")
    faults: list[Fault] = []
    assert read_toml(path, Loose, faults) is None
    assert [fault.key for fault in faults] == ["surplus"]


def test_an_unknown_key_of_one_of_several_shapes_is_found_all_the_same(tmp_path: Path) -> None:
    class Span(KnowledgeFile):
        low: int

    class Choice(KnowledgeFile):
        either: Threshold | Span

    path = tmp_path / "choice.toml"
    path.write_text("[either]\nlow = 1\nhigh = 2\n", encoding="utf-8")
    faults: list[Fault] = []
    assert read_toml(path, Choice, faults) is None
    surplus = [fault for fault in faults if fault.key == "either.Span.high"]
    assert [(fault.line, fault.problem) for fault in surplus] == [(1, "unknown key")]
    assert "other entries" in surplus[0].remedy


@pytest.mark.parametrize(
    ("text", "line"),
    [("version = 1\nname = \n", 2), ("version = 1\nversion = 2\n", 2), ('version = 1\nnote = """open\n', 2)],
)
def test_a_syntax_fault_has_its_line(tmp_path: Path, text: str, line: int) -> None:
    rules, faults = read(tmp_path, text)
    assert rules is None
    assert [(fault.line, fault.key) for fault in faults] == [(line, "syntax")]


def test_keys_inside_multi_line_strings_are_not_mistaken_for_keys(tmp_path: Path) -> None:
    text = 'version = 1\n[[rules]]\nname = """\n[[rules]]\nsurplus = 1\n"""\nsurplus = 2\n'
    _, faults = read(tmp_path, text)
    assert [(fault.line, fault.key) for fault in faults] == [(7, "rules[0].surplus")]


def test_a_fault_never_repeats_a_huge_value(tmp_path: Path) -> None:
    _, faults = read(tmp_path, f'version = "{"9" * 5000}x"\n"{"k" * 5000}" = 1\n')
    assert len(faults) == 2
    assert all(len(str(fault)) < 700 + len(str(tmp_path)) for fault in faults)
    assert "9999999999" not in str(KnowledgeError(faults))


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_an_absent_or_binary_file_is_a_fault(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "rules.toml"
    if content is not None:
        path.write_bytes(content)
    faults: list[Fault] = []
    assert read_toml(path, Rules, faults) is None
    assert read_codes(path, faults) == ()
    assert [fault.line for fault in faults] == [0, 0]


HEADER = "system,code,display,source,confidence,note,unit,factor\n"
LOINC = "http://loinc.org"


def read_rows(tmp_path: Path, *rows: str, header: str = HEADER) -> tuple[tuple[str, ...], list[Fault]]:
    path = tmp_path / "set.csv"
    path.write_text(header + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    faults: list[Fault] = []
    return tuple(code.code for code in read_codes(path, faults)), faults


def test_a_value_set_is_read_with_unit_and_factor(tmp_path: Path) -> None:
    path = tmp_path / "set.csv"
    path.write_text(
        HEADER + "http://unitsofmeasure.org,/L,/L,validator,high,a note,/uL,0.000001\n", encoding="utf-8"
    )
    faults: list[Fault] = []
    (code,) = read_codes(path, faults)
    assert faults == []
    assert (code.code, code.unit, code.factor, code.note) == ("/L", "/uL", Decimal("0.000001"), "a note")


def test_optional_columns_may_be_absent(tmp_path: Path) -> None:
    header = "system,code,display,source,confidence,note\n"
    codes, faults = read_rows(tmp_path, f"{LOINC},11150-0,Blasts,TX278,high,", header=header)
    assert (codes, faults) == (("11150-0",), [])


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (f"{LOINC},11150-6,Blasts,S,high,,,", "LOINC check digit"),
        (f"{LOINC},,Blasts,S,high,,,", "empty"),
        (f"{LOINC},11150-0,,S,high,,,", "display is empty"),
        (f"{LOINC},11150-0,Blasts,,high,,,", "source is empty"),
        (f"{LOINC},11150-0,Blasts,S,low,,,", "unknown confidence"),
        (f"{LOINC},26446-5,Blasts,S,high,,,", "duplicate"),
        (f"{LOINC},11150-0,Blasts,S,high,,%,-1", "factor"),
        (f"{LOINC},11150-0,Blasts,S,high,,%,ten", "factor"),
        (f"{LOINC},11150-0,Blasts", "number of cells"),
        ("http://snomed.info/sct,91857004,ALL,S,high,,,", "SNOMED CT check digit"),
        ("http://loinc.org/,11150-0,Blasts,S,high,,,", "unknown code system"),
        ("http://www.ama-assn.org/go/cpt,38221,Some words,S,high,,,", "descriptor"),
        ("http://www.ama-assn.org/go/cpt,3822,,S,high,,,", "format"),
    ],
)
def test_a_row_that_cannot_stand_is_a_fault_with_its_line(tmp_path: Path, row: str, problem: str) -> None:
    codes, faults = read_rows(tmp_path, f"{LOINC},26446-5,Blasts in blood,S,high,,,", row)
    assert codes == ("26446-5",)
    assert [fault.line for fault in faults] == [3]
    assert problem in faults[0].problem
    assert faults[0].remedy


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("system,code,display,source,confidence,note,extra\n", "extra"),
        ("system,code,display,source,confidence\n", "note"),
        ("", "system"),
    ],
)
def test_columns_are_checked(tmp_path: Path, header: str, key: str) -> None:
    codes, faults = read_rows(tmp_path, header=header)
    assert codes == ()
    assert key in {fault.key for fault in faults}


def test_value_sets_are_named_after_their_files(tmp_path: Path) -> None:
    faults: list[Fault] = []
    assert read_value_sets(tmp_path, faults) == {}
    assert [fault.key for fault in faults] == ["*.csv"]
    (tmp_path / "marrow.csv").write_text(f"{HEADER}{LOINC},11150-0,Blasts,S,high,,%,\n", encoding="utf-8")
    assert list(read_value_sets(tmp_path, [])) == ["marrow"]


def test_the_digest_depends_on_names_and_contents_only(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder, end in ((one, b"\n"), (two, b"\r\n")):
        (folder / "value_sets").mkdir(parents=True)
        (folder / "a.toml").write_bytes(b"x = 1" + end)
        (folder / "value_sets" / "b.csv").write_bytes(b"system" + end)
    (two / "a.toml~").write_bytes(b"left by an editor")
    (two / "__pycache__").mkdir()
    (two / "__pycache__" / "a.pyc").write_bytes(b"compiled")
    first = content_digest(one)
    assert first == content_digest(two)
    assert first.startswith("sha256:")
    assert len(first) == len("sha256:") + 64
    (two / "a.toml").rename(two / "c.toml")
    assert content_digest(two) != first
    (one / "a.toml").write_bytes(b"x = 2\n")
    assert content_digest(one) != first
