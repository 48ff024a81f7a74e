"""A rule is approved as its page was signed: words, numbers, sentences and the cases whose home it is."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path

import pytest

from fhir_mappings.assess import KnowledgeError, content_of, load_knowledge
from fhir_mappings.assessing import reviewed_knowledge
from fhir_mappings.knowledge import assembly
from fhir_mappings.knowledge.review import signatures
from fhir_mappings.knowledge.review.content import PACKAGED, CasesMissing, sign
from fhir_mappings.knowledge.review.rule_sources import NoSuchRule, sources_of
from fhir_mappings.knowledge.review.signatures import (
    FILE_NAME,
    ReviewEntry,
    code_digest,
    page_digest,
    read_reviews,
    reviews_text,
)

ROOT = Path(__file__).parents[4]
DAY = date(2026, 11, 20)


def forget() -> None:
    """Nothing that was read before an edit is taken for what stands there now."""
    for module in (assembly, reviewed_knowledge):
        vars(module)["_load"].cache_clear()


class Checkout:
    """A copy of knowledge and cases, laid out as in the repository."""

    def __init__(self, root: Path) -> None:
        self.knowledge = root / "fhir_mappings" / "knowledge" / "relapsed_all"
        self.cases = root / "tests" / "clinical" / "relapsed_all"
        shutil.copytree(PACKAGED, self.knowledge)
        shutil.copytree(ROOT / "tests" / "clinical" / "relapsed_all", self.cases)

    def sign_all(self) -> None:
        content = content_of(self.knowledge)
        entries = [
            ReviewEntry(
                rule=rule.id,
                reviewer="Dr Example",
                date=DAY,
                page_digest=page_digest(rule),
                cases_digest=content.cases_digest(rule),
                code_digest=code_digest(rule),
            )
            for rule in content.rules
        ]
        (self.knowledge / FILE_NAME).write_text(reviews_text(entries), encoding="utf-8")
        forget()

    def edit(self, file: Path, old: str, new: str) -> None:
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        forget()

    def states(self) -> dict[str, str]:
        content = content_of(self.knowledge)
        return {rule.id: content.review(rule).state for rule in content.rules}

    def why(self, rule_id: str) -> str:
        content = content_of(self.knowledge)
        rule = content.rule(rule_id)
        assert rule is not None
        return content.review(rule).why


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_what_nobody_signed_is_a_draft() -> None:
    assert load_knowledge().review == "draft"
    content = content_of()
    assert {content.review(rule).why for rule in content.rules} >= {"not signed"}


def test_knowledge_is_approved_when_every_rule_is(checkout: Checkout) -> None:
    checkout.sign_all()
    assert load_knowledge(checkout.knowledge).review == "approved"
    assert set(checkout.states().values()) == {"approved"}
    assert checkout.why("criterion-A") == "Dr Example, 2026-11-20"


def test_one_rule_that_is_not_signed_keeps_the_whole_a_draft(checkout: Checkout) -> None:
    checkout.sign_all()
    entries = read_reviews(checkout.knowledge / FILE_NAME, [])
    kept = [entry for entry in entries.values() if entry.rule != "section-HSCT"]
    (checkout.knowledge / FILE_NAME).write_text(reviews_text(kept), encoding="utf-8")
    forget()
    assert load_knowledge(checkout.knowledge).review == "draft"
    assert [rule for rule, state in checkout.states().items() if state == "draft"] == ["section-HSCT"]


Edit = Callable[[Checkout], None]
EDITS: dict[str, tuple[Edit, set[str], set[str]]] = {
    "a number of a criteria set": (
        lambda it: it.edit(it.knowledge / "criteria_sets.toml", "percent = 50", "percent = 51"),
        {"criterion-A"},
        {"criterion-B", "timing-bfm", "section-HSCT"},
    ),
    "a threshold": (
        lambda it: it.edit(it.knowledge / "thresholds.toml", "value = 36", "value = 35"),
        {"timing-seed-003", "timing-cog"},
        {"timing-seed-000", "criterion-A", "status"},
    ),
    "a sentence": (
        lambda it: it.edit(it.knowledge / "words.toml", "No transplant evaluation", "No HSCT evaluation"),
        {"section-HSCT"},
        {"section-TRIAL", "criterion-A"},
    ),
    "a label": (
        lambda it: it.edit(it.knowledge / "options.toml", "age_years_at_most = 25", "age_years_at_most = 24"),
        {"option-tisagenlecleucel"},
        {"option-blinatumomab"},
    ),
    "a code": (
        lambda it: it.edit(it.knowledge / "value_sets" / "specimen_csf.csv", "(specimen)", "(Specimen)"),
        {"reading"},
        {"criterion-A", "section-HSCT"},
    ),
    "the answer of a case": (
        lambda it: it.edit(it.cases / "criterion_b.toml", 'met = ["B"]', 'met = ["A", "B"]'),
        {"criterion-B"},
        {"criterion-C", "option-mopad", "status"},
    ),
    "what every case takes for granted": (
        lambda it: it.edit(it.cases / "conventions.toml", "98", "97"),
        {"criterion-C", "option-mopad"},
        set(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_a_later_edit_returns_what_it_touches_to_draft(checkout: Checkout, name: str) -> None:
    checkout.sign_all()
    edit, drafts, untouched = EDITS[name]
    edit(checkout)
    states = checkout.states()
    assert {states[rule] for rule in drafts} <= {"draft"}
    assert {states[rule] for rule in untouched} <= {"approved"}
    assert load_knowledge(checkout.knowledge).review == ("draft" if drafts else "approved")


def test_a_case_that_is_told_or_laid_out_otherwise_stays_signed(checkout: Checkout) -> None:
    checkout.sign_all()
    checkout.edit(checkout.cases / "criterion_a.toml", "49.9% is below", "49.9 % lies below")
    checkout.edit(checkout.cases / "criterion_b.toml", "  date       | concept", "date | concept")
    checkout.edit(checkout.cases / "conventions.toml", "# What every case", "# That which every case")
    assert set(checkout.states().values()) == {"approved"}


def test_code_that_is_written_otherwise_is_noted_and_no_more(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.sign_all()

    def renamed(names: Iterable[str]) -> Mapping[str, str]:
        return {
            f"{name}_renamed": text.replace("_rises", "_climbs") for name, text in sources_of(names).items()
        }

    monkeypatch.setattr(signatures, "sources_of", renamed)
    assert set(checkout.states().values()) == {"approved"}
    assert checkout.why("criterion-B") == "Dr Example, 2026-11-20; code changed since"


def test_a_case_counts_for_its_home_and_for_no_other_rule(checkout: Checkout) -> None:
    checkout.sign_all()
    checkout.edit(checkout.cases / "remission.toml", 'status = "', 'status = "suspect" # "')
    drafts = {rule for rule, state in checkout.states().items() if state == "draft"}
    assert drafts == {"section-REFRACT"}


def test_why_says_whether_rule_or_cases_changed(checkout: Checkout) -> None:
    checkout.sign_all()
    checkout.edit(checkout.knowledge / "criteria_sets.toml", "percent = 50", "percent = 51")
    assert checkout.why("criterion-A").startswith("words or numbers changed since it was signed")
    checkout.edit(checkout.cases / "criterion_b.toml", 'met = ["B"]', 'met = ["A", "B"]')
    assert checkout.why("criterion-B").startswith("cases changed since it was signed")


def test_without_cases_rule_and_data_decide_and_it_is_said(checkout: Checkout) -> None:
    checkout.sign_all()
    shutil.rmtree(checkout.cases)
    forget()
    assert load_knowledge(checkout.knowledge).review == "approved"
    assert checkout.why("criterion-A").endswith("cases not at hand, not compared")


def test_signing_writes_one_entry_and_replaces_an_older_one(checkout: Checkout) -> None:
    for day in (date(2026, 1, 1), DAY):
        content = content_of(checkout.knowledge)
        rule = content.rule("criterion-A")
        assert rule is not None
        sign(rule, content, 'Dr "E" Müller', day, checkout.knowledge)
    faults: list[object] = []
    (entry,) = read_reviews(checkout.knowledge / FILE_NAME, faults).values()  # type: ignore[arg-type]
    assert (entry.rule, entry.reviewer, entry.date) == ("criterion-A", 'Dr "E" Müller', DAY)
    assert faults == []
    assert checkout.states()["criterion-A"] == "approved"


def test_nothing_is_signed_without_its_cases(checkout: Checkout) -> None:
    shutil.rmtree(checkout.cases)
    content = content_of(checkout.knowledge)
    with pytest.raises(CasesMissing):
        sign(content.rules[0], content, "Dr Example", DAY, checkout.knowledge)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('rule = "criterion-A"', 'rule = "criterion-Z"', "no such rule"),
        ('rule = "criterion-A"', 'rule = "criterion-B"', "signed twice"),
        ("date = 2026-11-20", 'date = "yesterday"', "wrong value"),
        ("sha256:", "md5:", "wrong value"),
        ("reviewer =", "reviewed_by =", "unknown key"),
    ],
)
def test_a_wrong_review_file_refuses_to_load(checkout: Checkout, old: str, new: str, problem: str) -> None:
    checkout.sign_all()
    checkout.edit(checkout.knowledge / FILE_NAME, old, new)
    with pytest.raises(KnowledgeError, match=problem):
        load_knowledge(checkout.knowledge)


def test_the_sources_of_a_rule_reach_what_it_uses() -> None:
    found = sources_of(["fhir_mappings.knowledge.relapsed_all.criteria.repopulation.repopulation"])
    assert {
        "fhir_mappings.knowledge.relapsed_all.criteria.repopulation.repopulation",
        "fhir_mappings.knowledge.relapsed_all.criteria.repopulation._rises",
        "fhir_mappings.clinical.moments.separated_by_hours",
        "fhir_mappings.clinical.quantities.Measured",
    } <= found.keys()
    assert "fhir_mappings.knowledge.relapsed_all.criteria.marrow_single.marrow_single" not in found
    with pytest.raises(NoSuchRule):
        sources_of(["fhir_mappings.knowledge.relapsed_all.criteria.no_such"])
