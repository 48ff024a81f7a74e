"""The clinical pages are those of the knowledge and the cases, and a clinician can read them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from cds_service.cli import main
from cds_service.documents.clinical import rules_md
from cds_service.documents.markdown_tables import cell, table
from cds_service.documents.rule_pages import page_name, rule_pages
from cds_service.documents.traceability import traceability_md
from fhir_mappings.assess import content_of, load_knowledge
from fhir_mappings.knowledge.review.content import PACKAGED, read_case_records

ROOT = Path(__file__).parents[3]
SCREENS, LINES = 2, 65


@pytest.fixture(scope="module")
def pages() -> Mapping[str, str]:
    return rule_pages(ROOT)


def test_the_pages_are_current(pages: Mapping[str, str]) -> None:
    stale = "is not current; run: relapse-cds docs"
    assert (ROOT / "docs/clinical/rules.md").read_text("utf-8") == rules_md(ROOT), stale
    assert (ROOT / "docs/clinical/traceability.md").read_text("utf-8") == traceability_md(ROOT), stale
    folder = ROOT / "docs/clinical/rules"
    assert {path.name: path.read_text("utf-8") for path in folder.iterdir()} == pages, stale


def test_every_rule_has_a_page_of_at_most_two_screens(pages: Mapping[str, str]) -> None:
    index = rules_md(ROOT)
    for rule in content_of().rules:
        page = pages[page_name(rule)]
        assert f"[{rule.id}](rules/{page_name(rule)})" in index
        assert len(page.splitlines()) <= SCREENS * LINES, rule.id
        words_alone = rule.id in ("phrases", "timeline-labels")
        assert ("## Decision table" in page) is not words_alone, rule.id
        assert "`: draft, not signed." in page or "`: approved, " in page


def test_every_number_option_sentence_and_case_is_on_a_page(pages: Mapping[str, str]) -> None:
    knowledge, text = load_knowledge(), "\n".join(pages.values())
    for threshold in knowledge.thresholds.values():
        assert f"* `threshold {threshold.key}`: " in text
        assert threshold.meaning in text
    for option in knowledge.options:
        assert f"# Option {option.title}\n" in text
    for words in knowledge.words.values():
        assert cell(words.text) in text
    for case in read_case_records(ROOT / "tests/clinical/relapsed_all").values():
        assert text.count(f"\n| {case.id} | ") == 1, case.id


def test_what_is_not_confirmed_is_marked(pages: Mapping[str, str]) -> None:
    knowledge, rows = load_knowledge(), "\n".join(pages.values()).splitlines()
    for threshold in knowledge.thresholds.values():
        for row in (line for line in rows if line.startswith(f"* `threshold {threshold.key}`: ")):
            assert ("**not confirmed**" in row) is not threshold.confirmed


def test_no_page_shows_code(pages: Mapping[str, str]) -> None:
    for name, page in pages.items():
        assert "def " not in page, name
        assert "fhir_mappings." not in page, name


def test_every_table_has_rows_of_one_width(pages: Mapping[str, str]) -> None:
    for text in (*pages.values(), rules_md(ROOT), traceability_md(ROOT)):
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
    assert "percent 51" in rule_pages(tmp_path)["criterion-a.md"]


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
