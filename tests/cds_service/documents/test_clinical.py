"""The clinical pages are those of the knowledge and the cases, and a clinician can read them."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from cds_service.cli import main
from cds_service.documents.clinical import all_md
from cds_service.documents.markdown_tables import cell, table
from cds_service.documents.traceability import traceability_md
from fhir_mappings.assess import load_knowledge
from fhir_mappings.knowledge.review.content import PACKAGED, read_case_records

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def page() -> str:
    return all_md(ROOT)


def test_the_pages_are_current(page: str) -> None:
    stale = "is not current; run: relapse-cds docs"
    assert (ROOT / "docs/clinical/all.md").read_text("utf-8") == page, stale
    assert (ROOT / "docs/clinical/traceability.md").read_text("utf-8") == traceability_md(ROOT), stale


def test_every_number_option_sentence_and_case_is_on_the_page(page: str) -> None:
    knowledge = load_knowledge()
    for threshold in knowledge.thresholds.values():
        assert f"| {threshold.key} | " in page
        assert threshold.meaning in page
    for option in knowledge.options:
        assert f"| {option.title} | " in page
    for words in knowledge.words.values():
        assert cell(words.text) in page
    for case in read_case_records(ROOT / "tests/clinical/relapsed_all").values():
        assert f"#### {case.id}\n" in page


def test_what_is_not_confirmed_is_marked(page: str) -> None:
    knowledge = load_knowledge()
    rows = page.splitlines()
    for threshold in knowledge.thresholds.values():
        (row,) = [line for line in rows if line.startswith(f"| {threshold.key} | ")]
        assert ("**not confirmed**" in row) is not threshold.confirmed
    unconfirmed = [words for words in knowledge.words.values() if words.unconfirmed]
    for words in unconfirmed:
        assert f"{cell(words.text)} **not confirmed**" in page


def test_every_table_has_rows_of_one_width(page: str) -> None:
    for text in (page, traceability_md(ROOT)):
        lines = text.splitlines()
        for before, line in pairwise(lines):
            if before.startswith("| ") and line.startswith("| "):
                assert before.replace("\\|", "").count("|") == line.replace("\\|", "").count("|"), line


def test_a_cell_stays_one_cell() -> None:
    assert table(("a", "b"), [("x|y", "<1\n%")]) == "| a | b |\n| --- | --- |\n| x\\|y | &lt;1 % |\n\n"


def test_the_page_follows_the_knowledge(tmp_path: Path) -> None:
    shutil.copytree(PACKAGED, tmp_path / "fhir_mappings/knowledge/relapsed_all")
    shutil.copytree(ROOT / "tests/clinical/relapsed_all", tmp_path / "tests/clinical/relapsed_all")
    file = tmp_path / "fhir_mappings/knowledge/relapsed_all/criteria_sets.toml"
    file.write_text(file.read_text("utf-8").replace("percent = 50", "percent = 51"), encoding="utf-8")
    assert "Marrow lymphoblasts > 51 % in one aspirate" in all_md(tmp_path)


def test_the_command_names_a_stale_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(
        ROOT, tmp_path / "copy", ignore=shutil.ignore_patterns(".*", "__pycache__", "mutants", "vendor")
    )
    page = tmp_path / "copy/docs/clinical/traceability.md"
    page.write_text("old\n", encoding="utf-8")
    assert main(["docs", "--check", "--root", str(tmp_path / "copy")]) == 1
    assert "docs/clinical/traceability.md is not current; run: relapse-cds docs" in capsys.readouterr().out
    assert page.read_text("utf-8") == "old\n"
    assert main(["docs", "--root", str(tmp_path / "copy")]) == 0
    assert page.read_text("utf-8") == traceability_md(ROOT)
