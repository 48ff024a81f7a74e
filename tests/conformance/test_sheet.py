"""The sheet of requirements and the documents made from it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from cds_service.api.problems import TABLE
from cds_service.documents.api_description import errors_md, openapi_json
from cds_service.documents.conformance import (
    BINDING,
    Requirement,
    conformance_md,
    marked_tests,
    read_divergences,
    read_requirements,
    unmapped,
)

ROOT = Path(__file__).parents[2]
REQUIREMENTS = read_requirements(ROOT)
MARKED = marked_tests(ROOT)
LEVELS = {"SHALL", "SHALL-NOT", "SHOULD", "SHOULD-NOT", "MAY", "DER", "BP"}


def test_the_sheet_is_complete() -> None:
    counted = Counter(one.id[0] for one in REQUIREMENTS)
    assert len(REQUIREMENTS) == len({one.id for one in REQUIREMENTS}) == 136
    for letter, number in counted.items():
        assert {one.id for one in REQUIREMENTS if one.id[0] == letter} == {
            f"{letter}{n}" for n in range(1, number + 1)
        }
    assert {one.level for one in REQUIREMENTS} == LEVELS
    assert all(one.title and one.versions for one in REQUIREMENTS)


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda one: one.id)
def test_each_requirement_has_a_test_or_a_reason(requirement: Requirement) -> None:
    assert MARKED.get(requirement.id) or requirement.reason


@pytest.mark.parametrize(
    "requirement", [one for one in REQUIREMENTS if one.level in BINDING], ids=lambda one: one.id
)
def test_what_binds_is_shown_by_a_test(requirement: Requirement) -> None:
    assert MARKED.get(requirement.id)


def test_a_requirement_that_lost_its_tests_is_found() -> None:
    bare = Requirement("Z1", "SHALL", "1.0+", "", "nothing shows it", "")
    assert unmapped((bare, *REQUIREMENTS), MARKED) == ("Z1",)
    assert unmapped(REQUIREMENTS, {}) != ()


def test_markers_are_found_in_the_source(tmp_path: Path) -> None:
    folder = tmp_path / "tests" / "deep"
    folder.mkdir(parents=True)
    (folder / "test_it.py").write_text(
        "import pytest\n\n"
        '@pytest.mark.req("A1")\n'
        '@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.req("B2"))])\n'
        "def test_one(x): ...\n\n"
        '@pytest.mark.req("A1")\n'
        "def helper(): ...\n\n"
        "def test_two(): ...\n"
    )
    place = "tests/deep/test_it.py::test_one"
    assert marked_tests(tmp_path) == {"A1": (place,), "B2": (place,)}


def test_divergences_say_what_and_why() -> None:
    sections = {part for one in REQUIREMENTS for part in one.section.replace(";", " / ").split(" / ")}
    for one in read_divergences(ROOT):
        assert one.what
        assert one.why
        assert any(part.strip() in one.section or one.section in part for part in sections if part), (
            one.section
        )


def test_the_document_has_a_line_for_each_requirement_and_divergence() -> None:
    text = conformance_md(ROOT)
    for one in REQUIREMENTS:
        assert f"\n| {one.id} | {one.level} |" in text
        assert all(f"[{test.partition('::')[2]}]" in text for test in MARKED.get(one.id, ()))
    assert all(one.what in text for one in read_divergences(ROOT))


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("conformance.md", conformance_md(ROOT)),
        ("errors.md", errors_md(ROOT)),
        ("openapi.json", openapi_json(ROOT)),
    ],
    ids=["conformance", "errors", "openapi"],
)
def test_a_shipped_document_is_current(name: str, made: str) -> None:
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert written == made, "run: relapse-cds docs"


def test_every_problem_is_in_the_table_of_errors() -> None:
    text = errors_md(ROOT)
    assert all(f"| {row.status} | `{row.code}` | {row.words} |" in text for row in TABLE.values())
