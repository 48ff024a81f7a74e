"""Every statement in words, with its sources, and whether a brief card shows it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fhir_mappings.assess import Knowledge, as_json, assess, decode, load_knowledge
from fhir_mappings.assess import told as told_by
from fhir_mappings.assessment import Assessment
from tests.clinical.test_cases import CASES


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


@pytest.fixture(scope="module")
def early(knowledge: Knowledge) -> Assessment:
    case = next(case for case in CASES if case.id == "headline-early-marrow")
    resources = [decode(json.dumps(one).encode()).resource for one in case.resources]
    return assess(resources, case.at, knowledge)


def test_every_statement_of_every_section_is_told(early: Assessment, knowledge: Knowledge) -> None:
    told = told_by(early, knowledge)
    assert [(one.section, one.words) for one in told] == [
        (section.name, statement.words) for section in early.sections for statement in section.statements
    ]
    assert {one.topic for one in told} >= {"allFinding", "allTrialReferral", "allHsctEvaluation"}
    assert all(one.cites for one in told)
    assert "{" not in "".join(one.text for one in told)


def test_a_section_without_a_card_shows_nothing_on_one(early: Assessment, knowledge: Knowledge) -> None:
    hidden = replace(early, sections=tuple(replace(one, on_card=False) for one in early.sections))
    assert not any(one.on_card for one in told_by(hidden, knowledge))


def test_the_assessment_json_has_them_all(early: Assessment, knowledge: Knowledge) -> None:
    found = as_json(early, told_by(early, knowledge))["statements"]
    assert len(found) == sum(len(section.statements) for section in early.sections)
    assert all(set(one) == {"section", "topic", "words", "text", "cites", "onCard"} for one in found)
