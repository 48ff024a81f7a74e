"""``relapse-cds knowledge``: what a reviewer reads, signs and sees."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cds_service.cli import main
from fhir_mappings.knowledge.review.content import PACKAGED

ROOT = Path(__file__).parents[3]
CASES = str(ROOT / "tests/clinical/relapsed_all")
Capture = pytest.CaptureFixture[str]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def knowledge(tmp_path: Path) -> Path:
    copy = tmp_path / "relapsed_all"
    shutil.copytree(PACKAGED, copy)
    return copy


@pytest.fixture
def run(capsys: Capture, knowledge: Path) -> Run:
    def run(*words: str, cases: str = CASES) -> tuple[int, str, str]:
        where = ["--directory", str(knowledge)] + (["--cases", cases] if cases else [])
        code = main(["knowledge", *words, *where])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def test_status_lists_every_rule_and_why(run: Run) -> None:
    code, out, _ = run("status")
    assert code == 0
    assert "criterion-A " in out
    assert out.count("draft     not signed") == out.count("draft   ")
    assert "0 of " in out
    assert "The content is a draft: every card says so." in out


def test_a_reviewer_reads_the_page_and_no_code(run: Run) -> None:
    code, out, _ = run("review", "criterion-A")
    assert code == 0
    assert "# Criterion A" in out
    assert "percent 50" in out
    assert "| A-at | 50.0% is at the threshold and does not exceed it | " in out
    assert "## A card" in out
    assert "def " not in out
    assert "Decimal(" not in out


def test_all_rules_can_be_read_at_once(run: Run) -> None:
    _, out, _ = run("review", "--all")
    assert "\n# Section HSCT" in out
    assert "# What is read from the record" in out


def test_a_signature_is_written_and_seen(run: Run, knowledge: Path) -> None:
    code, out, _ = run("sign", "criterion-A", "--reviewer", "Dr Example", "--date", "2026-11-19")
    assert code == 0
    assert "criterion-A is approved" in out
    assert 'reviewer = "Dr Example"\ndate = 2026-11-19' in (knowledge / "reviews.toml").read_text("utf-8")
    _, out, _ = run("status")
    assert "criterion-A" in out
    assert "approved  Dr Example, 2026-11-19" in out
    assert "1 of " in out


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("review",), "name one RULE, or give --all"),
        (("review", "criterion-A", "--all"), "name one RULE, or give --all"),
        (("review", "criterion-Z"), "`relapse-cds knowledge status` lists them"),
        (("sign", "criterion-A", "--reviewer", " "), "--reviewer: write the name"),
        (("sign", "criterion-A", "--reviewer", "a\nb"), "--reviewer: write the name"),
        (("sign", "criterion-A", "--reviewer", "Dr E", "--date", "19.11.2026"), "write a day such as"),
        (("sign", "criterion-A", "--reviewer", "Dr E", "--date", "2999-01-01"), "lies in the future"),
    ],
)
def test_what_cannot_be_used_says_what_to_do(run: Run, words: tuple[str, ...], remedy: str) -> None:
    code, _, err = run(*words)
    assert code == 2
    assert remedy in err


def test_signing_needs_the_cases(run: Run) -> None:
    code, _, err = run("sign", "criterion-A", "--reviewer", "Dr Example", cases="")
    assert code == 2
    assert "sign in a checkout, or give --cases" in err


def test_knowledge_that_cannot_be_used_is_told(run: Run, knowledge: Path) -> None:
    (knowledge / "thresholds.toml").write_text("x", encoding="utf-8")
    code, _, err = run("status")
    assert code == 2
    assert "thresholds.toml" in err


def test_a_site_signs_what_it_changed_in_its_own_folder(run: Run, tmp_path: Path, knowledge: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "criteria_sets.toml").write_text(
        "[seed-000.marrow_single.percent]\nvalue = 45\nreason = 'as our protocol says'\n"
        "name = 'Dr Example'\ndate = 2026-11-20\ncases = ['A-below']\n",
        encoding="utf-8",
    )
    code, _, _ = run("sign", "criterion-A", "--reviewer", "Dr Example", "--overlay", str(folder))
    assert code == 0
    assert 'rule = "criterion-A"' in (folder / "reviews.toml").read_text("utf-8")
    assert "criterion-A" not in (knowledge / "reviews.toml").read_text("utf-8")
    _, out, _ = run("status", "--overlay", str(folder))
    assert "1 of " in out
    code, _, err = run("status", "--overlay", str(tmp_path / "missing"))
    assert (code, "is no folder" in err) == (2, True)


def test_relative_folders_are_read(capsys: Capture, knowledge: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(knowledge.parent)
    for words in (["status"], ["sign", "criterion-A", "--reviewer", "Dr Example"], ["review", "criterion-A"]):
        code = main(["knowledge", *words, "--directory", knowledge.name, "--cases", CASES])
        told = capsys.readouterr()
        assert (code, "Traceback" in told.err) == (0, False), told.err
    assert main(["knowledge", "status", "--directory", "missing"]) == 2
    assert "cannot be" in capsys.readouterr().err


EDITS = (
    ("thresholds.toml", "value = 36", "value = 35",
     "- Number early_marrow_months is 35 mo (Marrow relapse before this many calendar months from diagnosis"),
    ("criteria_sets.toml", "percent = 50", "percent = 51", "- Criteria A of seed-000 is "),
    ("words.toml", "plan the evaluation for", "plan an evaluation for",
     '- Sentence hsct.summary.active is "Relapsed or refractory ALL: plan an evaluation'),
    ("options.toml", "age_years_at_most = 25", "age_years_at_most = 24", "- Option tisagenlecleucel is "),
    ("value_sets/specimen_csf.csv", "(specimen)", "(Specimen)", "- Code in specimen_csf is new: "),
)  # fmt: skip


@pytest.mark.parametrize("edit", EDITS, ids=[edit[0] for edit in EDITS])
def test_what_changed_is_said_in_words(capsys: Capture, knowledge: Path, edit: tuple[str, ...]) -> None:
    file, old, new, line = edit
    path = knowledge / file
    path.write_text(path.read_text("utf-8").replace(old, new, 1), encoding="utf-8")
    assert main(["knowledge", "diff", str(PACKAGED), "--directory", str(knowledge)]) == 0
    out = capsys.readouterr().out
    assert line in out
    assert "it was: " in out or "is gone: " in out
    assert len(out.splitlines()) <= 2


def test_the_same_knowledge_has_no_difference_and_a_wrong_name_is_told(capsys: Capture) -> None:
    assert main(["knowledge", "diff", str(PACKAGED)]) == 0
    assert "No number, criterion, option, sentence or code changed" in capsys.readouterr().out
    for wrong in ("no-such-version", "--", "-x"):
        code = main(["knowledge", "diff", "--", wrong])
        assert code == 2, wrong
        assert wrong in capsys.readouterr().err
