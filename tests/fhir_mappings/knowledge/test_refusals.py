"""A wrong number, unit, code, sentence or citation refuses to load, with file, key and remedy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fhir_mappings.assess import KnowledgeError, load_knowledge
from fhir_mappings.knowledge.review.content import PACKAGED

NEVER = "no such text"


def refused(tmp_path: Path, file: str, old: str, new: str) -> list[str]:
    """The faults of the knowledge after one edit."""
    copy = tmp_path / "relapsed_all"
    shutil.copytree(PACKAGED, copy)
    text = (copy / file).read_text(encoding="utf-8")
    assert old in text
    (copy / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(KnowledgeError) as refusal:
        load_knowledge(copy)
    return str(refusal.value).splitlines()


@pytest.mark.parametrize(
    ("file", "old", "new", "key", "remedy"),
    [
        ("thresholds.toml", "value = 36", 'value = "36 months"', "early_marrow_months.value", "decimal"),
        (
            "thresholds.toml",
            "value = 36",
            "value = -36",
            "early_marrow_months.value",
            "greater than or equal",
        ),
        ("thresholds.toml", 'unit = "mo"', 'unit = "months"', "early_marrow_months.unit", "match pattern"),
        ("thresholds.toml", "value = 36", "value = 0", "early_marrow_months", "whole days, months or years"),
        (
            "thresholds.toml",
            "value = 36",
            "value = 3.6",
            "early_marrow_months",
            "whole days, months or years",
        ),
        ("thresholds.toml", 'unit = "mo"', 'unit = "d"', "early_marrow_months", 'write unit = "mo"'),
        (
            "thresholds.toml",
            'value = 21\nunit = "d"',
            'value = 21\nunit = "%"',
            "remission_after_days",
            '"d"',
        ),
        ("thresholds.toml", "value = 0.01", "value = 0", "mrd_negative_below", "above 0"),
        ("thresholds.toml", "value = 0.01", "value = 101", "mrd_negative_below", "at most 100"),
        ("thresholds.toml", "[early_marrow_months]", "[early_marow]", "early_marow", "correct its name"),
        ("thresholds.toml", 'cites = ["F-01"]', "cites = []", "new_diagnosis_days.cites", "at least 1 item"),
        (
            "thresholds.toml",
            'cites = ["F-01"]',
            'cites = ["F-99"]',
            "new_diagnosis_days.cites",
            "cite a statement",
        ),
        ("thresholds.toml", 'cites = ["F-01"]', "", "new_diagnosis_days.cites", "add"),
        (
            "criteria_sets.toml",
            "percent = 50",
            "percent = 500",
            "marrow_single.percent",
            "less than or equal to 100",
        ),
        ("criteria_sets.toml", 'comparator = ">"', 'comparator = "over"', "comparator", "'>' or '>='"),
        (
            "criteria_sets.toml",
            'cites = ["S-000-01"]',
            'cites = ["S-000-30"]',
            "marrow_single.cites",
            "cite a statement",
        ),
        ("options.toml", 'agent = "nelarabine"', 'agent = "nelarabin"', "nelarabine.agent", "agents.toml"),
        ("options.toml", 'cites = ["S-003-28", "NEL"]', 'cites = ["S-003-28", "NELL"]', "cites", "source"),
        (
            "options.toml",
            'facts = "option.mopad.facts"',
            'facts = "option.mopad"',
            "option.mopad",
            "words.toml",
        ),
        (
            "words.toml",
            'text = "Site: {site}."',
            'text = "Cytarabine 3 g/m2."',
            "relapse.site",
            "leave doses",
        ),
        (
            "words.toml",
            'text = "Site: {site}."',
            'text = "Vincristine 1.5 mg."',
            "relapse.site",
            "leave doses",
        ),
        ("words.toml", 'text = "Site: {site}."', 'text = "Site: {site!r}."', "relapse.site", "write {name}"),
        (
            "words.toml",
            'cites = ["F-28", "F-29"]',
            'cites = ["F-28", "Smith 2020"]',
            "cites",
            "cite a statement",
        ),
        (
            "cards.toml",
            'cites = ["S-003-02"]',
            'cites = ["S-003-99"]',
            "lines.draft.cites",
            "cite a statement",
        ),
        ("value_sets/loinc_marrow_blasts_pct.csv", "11150-0", "11150-1", "11150-1", "check digit"),
        ("statements.toml", "[S-000-05]", "[S-000-50]", "S-000-05", "add its table"),
        (
            "statements.toml",
            'words = ["criterion.A"]',
            'words = ["criterion.X"]',
            "S-000-01.words",
            "words.toml",
        ),
        (
            "statements.toml",
            'treatment = "not-shown"',
            'treatment = "shown"',
            "S-000-14.rule",
            "name at least one",
        ),
        ("references.toml", "R-16 = ", "R-17 = ", "cases.R-16", "correct the reference"),
        ("sources.toml", 'id = "MRDHCT"', 'id = "MRD-HCT"', "cites", "the id of a source"),
    ],
)
def test_a_wrong_entry_says_where_and_what_to_do(
    tmp_path: Path, file: str, old: str, new: str, key: str, remedy: str
) -> None:
    lines = refused(tmp_path, file, old, new)
    assert any(key in line and remedy in line for line in lines), lines
    if "cites" not in key or file != "sources.toml":
        assert any(file.rpartition("/")[2] in line for line in lines), lines


def test_a_citation_fault_names_its_line(tmp_path: Path) -> None:
    (line,) = refused(tmp_path, "thresholds.toml", 'cites = ["F-01"]', 'cites = ["F-99"]')
    lines = PACKAGED.joinpath("thresholds.toml").read_text("utf-8").splitlines()
    number = 1 + lines.index('cites = ["F-01"]')
    assert f"thresholds.toml:{number}: new_diagnosis_days.cites: unknown citation: F-99; " in line


def test_a_computed_statement_must_be_cited_somewhere(tmp_path: Path) -> None:
    faults = refused(tmp_path, "words.toml", 'cites = ["S-003-34"]', 'cites = ["A-10"]')
    assert any("S-003-34: computed, but cited nowhere" in fault for fault in faults)


def test_every_fault_comes_at_once(tmp_path: Path) -> None:
    copy = tmp_path / "relapsed_all"
    shutil.copytree(PACKAGED, copy)
    for file, old, new in (
        ("words.toml", 'cites = ["R-01"]', 'cites = ["R-99"]'),
        ("statements.toml", 'words = ["criterion.A"]', 'words = ["criterion.X"]'),
    ):
        text = (copy / file).read_text(encoding="utf-8")
        (copy / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(KnowledgeError) as refusal:
        load_knowledge(copy)
    assert len(refusal.value.faults) == 2
