"""A site's own numbers and words: only what differs, each with its reason, and a draft until it is signed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from fhir_mappings.assess import KnowledgeError, content_of, load_knowledge
from fhir_mappings.assessing import reviewed_knowledge
from fhir_mappings.knowledge.digests import SHIPPED, content_digest
from fhir_mappings.knowledge.relapsed_all.criteria import CRITERION
from fhir_mappings.knowledge.review.content import PACKAGED, sign

WHY = 'reason = "Our laboratory counts 500 cells."\nname = "Dr Example"\ndate = 2026-11-20\n'
NUMBER = f'[suspect_marrow_at_least]\nvalue = 4\n{WHY}cases = ["A-below"]\n'
PERCENT = f'[seed-000.marrow_single.percent]\nvalue = 45\n{WHY}cases = ["A-below"]\n'
WORDS = f'["hsct.summary.early"]\ntext = "Plan HSCT with the transplant board"\n{WHY}cases = []\n'
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(**files: str) -> Path:
        folder = tmp_path / "site-knowledge"
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / f"{name}.toml").write_text(text, encoding="utf-8")
        return folder

    return write


def test_only_what_differs_is_changed(write: Write) -> None:
    packaged = load_knowledge()
    found = load_knowledge(overlay=write(thresholds=NUMBER, criteria_sets=PERCENT, words=WORDS))
    assert str(found.number("suspect_marrow_at_least")) == "4"
    numbers = CRITERION["A"].of(found.default_set)
    assert numbers is not None
    assert numbers.numbers()["single"] == "45"
    assert found.words["hsct.summary.early"].text == "Plan HSCT with the transplant board"
    changed = {key for key in packaged.thresholds if packaged.thresholds[key] != found.thresholds[key]}
    assert changed == {"suspect_marrow_at_least"}
    assert {key for key in packaged.words if packaged.words[key] != found.words[key]} == {
        "hsct.summary.early"
    }
    assert packaged.site is None


def test_it_is_a_version_of_the_site_with_digests_of_its_own(write: Write) -> None:
    folder = write(thresholds=NUMBER)
    found, packaged = load_knowledge(overlay=folder), load_knowledge()
    assert found.site is not None
    assert found.site.digest == content_digest(folder)
    assert found.version == f"{packaged.version}, site version {found.site.digest[7:19]}"
    assert found.digest != packaged.digest
    (change,) = found.site.changes
    assert (change.key, change.was, change.value) == ("suspect_marrow_at_least", "5", "4")
    assert (change.name, change.on, change.cases) == ("Dr Example", date(2026, 11, 20), ("A-below",))
    before = found.digest
    write(thresholds=NUMBER.replace("value = 4", "value = 3"))
    assert load_knowledge(overlay=folder).digest != before


FAULTS = [
    ("thresholds", NUMBER.replace("suspect_marrow", "suspekt_marrow"), "no rule uses this threshold"),
    ("thresholds", NUMBER.replace("value = 4", "value = 5"), "is what the packaged knowledge says"),
    ("thresholds", NUMBER.replace("value = 4", "value = 0"), "no threshold"),
    ("thresholds", NUMBER.replace("value = 4", 'value = "4"'), "is no number"),
    ("thresholds", NUMBER.replace("reason", "because"), "unknown key"),
    ("thresholds", NUMBER.replace('name = "Dr Example"\n', ""), "missing key"),
    ("thresholds", NUMBER.replace("date = 2026-11-20\n", ""), "missing key"),
    ("thresholds", NUMBER.replace("A-below", "no-such-case"), "no case no-such-case"),
    ("thresholds", "[", "not valid TOML"),
    ("thresholds", "", "changes nothing"),
    ("criteria_sets", PERCENT.replace("seed-000", "seed-001"), "no such criterion in that set"),
    ("criteria_sets", PERCENT.replace("marrow_single", "marrow"), "no such criterion in that set"),
    ("criteria_sets", PERCENT.replace("percent", "per_cent"), "no such number"),
    ("criteria_sets", PERCENT.replace("value = 45", "value = 450"), "wrong value"),
    ("criteria_sets", PERCENT.replace("percent", "cites"), "no such number"),
    ("words", WORDS.replace("hsct.summary.early", "hsct.sumary.early"), "no such sentence"),
    ("words", WORDS.replace("Plan HSCT", "Plan {what}"), "nothing fills the blank what"),
    ("words", WORDS.replace("board", "board, 5 mg"), "names a dose"),
    ("sources", "", "cannot be overlaid"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "text", "problem"), FAULTS, ids=[f"{one[0]}: {one[2]}" for one in FAULTS])
def test_a_folder_that_cannot_be_used_names_its_faults(
    write: Write, file: str, text: str, problem: str
) -> None:
    with pytest.raises(KnowledgeError, match=problem):
        load_knowledge(overlay=write(**{file: text}))


def test_every_fault_is_named_at_once(write: Write) -> None:
    folder = write(
        thresholds=NUMBER.replace("suspect_marrow", "suspekt_marrow"),
        words=WORDS.replace("hsct.summary.early", "hsct.sumary.early"),
    )
    with pytest.raises(KnowledgeError) as refused:
        load_knowledge(overlay=folder)
    assert len(refused.value.faults) == 2


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="is no folder"):
        load_knowledge(overlay=tmp_path / "missing")


def test_what_was_changed_is_a_draft_until_the_site_signs_it(write: Write) -> None:
    folder = write(criteria_sets=PERCENT)
    content = content_of(overlay=folder)
    rule = content.rule("criterion-A")
    assert rule is not None
    sign(rule, content, "Dr Example", date(2026, 11, 20), folder)
    assert (folder / "reviews.toml").is_file()
    assert content_of(overlay=folder).review(rule).state == "approved"
    assert content_of().review(rule).state == "draft"
    write(criteria_sets=PERCENT.replace("value = 45", "value = 44"))
    again = content_of(overlay=folder)
    changed = again.rule("criterion-A")
    assert changed is not None
    assert again.review(changed).state == "draft"


def test_installed_knowledge_that_was_altered_refuses_to_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "knowledge" / "relapsed_all"
    shutil.copytree(PACKAGED, copy)
    monkeypatch.setattr(reviewed_knowledge, "PACKAGED_KNOWLEDGE", copy)
    load_knowledge()  # a checkout: nothing was shipped with it
    (copy.parent / SHIPPED).write_text(content_digest(copy) + "\n", encoding="utf-8")
    load_knowledge()
    numbers = copy / "thresholds.toml"
    numbers.write_text(numbers.read_text("utf-8").replace("value = 36", "value = 35"), encoding="utf-8")
    with pytest.raises(KnowledgeError, match="knowledge_overlay"):
        load_knowledge()
