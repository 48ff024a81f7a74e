"""Every section is one object: it builds what it is named for, and speaks its own sentences."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_mappings.assess import Knowledge, KnowledgeError, assess, decode, load_knowledge
from fhir_mappings.assessment import Assessment, Section
from fhir_mappings.knowledge.assembly import PACKAGED_KNOWLEDGE
from fhir_mappings.statements import SECTIONS
from tests.clinical.test_cases import CASES

ROOT = Path(__file__).parents[3]
KINDS = {kind.name: kind for kind in SECTIONS}
_ORDER = {name: place for place, name in enumerate(KINDS)}


@pytest.fixture(scope="module")
def answers() -> list[Assessment]:
    knowledge = load_knowledge()
    return [
        assess([decode(json.dumps(each).encode()).resource for each in case.resources], case.at, knowledge)
        for case in CASES
    ]


def sections(answers: list[Assessment]) -> Iterator[Section]:
    for answer in answers:
        yield from answer.sections


def test_names_are_given_once() -> None:
    assert len(KINDS) == len(SECTIONS)


def test_every_section_is_built_for_some_patient_and_by_the_object_of_its_name(
    answers: list[Assessment],
) -> None:
    assert {section.name for section in sections(answers)} == KINDS.keys()


def test_sections_stand_in_reading_order(answers: list[Assessment]) -> None:
    for answer in answers:
        places = [_ORDER[section.name] for section in answer.sections]
        assert places == sorted(set(places))


def test_a_section_speaks_its_own_sentences_and_shared_ones_only(answers: list[Assessment]) -> None:
    finding = ("site.", "suspect.", "caution.", "relapse.", "criterion.", "remission.", "diagnosis.")
    shared = ("option.", "reason.", *finding)
    options = load_knowledge().options
    facts = {key for rule in options for key in (rule.facts, rule.safety) if key}
    foreign = {
        (section.name, line.words)
        for section in sections(answers)
        for line in section.statements
        if not line.words.startswith((*KINDS[section.name].words, *shared)) and line.words not in facts
    }
    assert foreign == set()


def test_title_and_topic_are_those_of_the_cards_file(knowledge: Knowledge) -> None:
    assert KINDS["HSCT"].title(knowledge) == "Allogeneic HSCT"
    assert KINDS["HSCT"].topic(knowledge).code == "allHsctEvaluation"


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("cards.toml", 'HSCT = "Allo', 'HSTC = "Allo', "section HSCT has no title"),
        ("cards.toml", 'HSCT = "Allo', 'EXTRA = "More"\nHSCT = "Allo', "section EXTRA feeds no topic"),
        ("statements.toml", '"CNS-TX"', '"CNS-XT"', "no section or criterion CNS-XT"),
    ],
)
def test_files_that_name_another_section_refuse_to_load(
    file: str, old: str, new: str, fault: str, tmp_path: Path
) -> None:
    copy = tmp_path / "knowledge"
    shutil.copytree(PACKAGED_KNOWLEDGE, copy)
    text = (copy / file).read_text(encoding="utf-8")
    assert old in text
    (copy / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(KnowledgeError, match=fault):
        load_knowledge(copy)


def test_a_section_that_nobody_builds_refuses_to_load(tmp_path: Path) -> None:
    copy = tmp_path / "knowledge"
    shutil.copytree(PACKAGED_KNOWLEDGE, copy)
    text = (copy / "cards.toml").read_text(encoding="utf-8").replace('"HSCT"', '"HSCT", "EXTRA"', 1)
    text = text.replace('HSCT = "Allo', 'EXTRA = "More"\nHSCT = "Allo')
    text = text.replace('sections = ["HSCT", "EXTRA"]', 'sections = ["HSCT"]', 1).replace(
        'sections = ["HSCT"]\nsource', 'sections = ["HSCT", "EXTRA"]\nsource'
    )
    (copy / "cards.toml").write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeError, match="no such section is built"):
        load_knowledge(copy)


def test_knowledge_names_no_floor_above_it() -> None:
    above = ("fhir_mappings.statements", "fhir_mappings.assessing", "fhir_mappings.timeline")
    folder = ROOT / "fhir_mappings" / "knowledge"
    naming = {
        path.relative_to(ROOT).as_posix()
        for path in folder.rglob("*")
        if path.suffix in (".py", ".toml") and any(name in path.read_text(encoding="utf-8") for name in above)
    }
    assert naming == set()
