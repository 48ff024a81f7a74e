"""Every clinical case, from JSON bytes to the answer, compared sentence by sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fhir_mappings.assess import Knowledge, as_json, assess, choose, load_knowledge
from fhir_mappings.assessment import Assessment
from fhir_mappings.fhir.decoding import decode
from tests.clinical.case_files import Case, read_cases
from tests.clinical.disagreements import disagreements

CASES = tuple(read_cases(Path(__file__).parent / "relapsed_all"))


def _parameters() -> list[object]:
    return [
        pytest.param(
            case,
            id=case.id,
            marks=[pytest.mark.xfail(strict=True, raises=AssertionError, reason=case.not_yet)]
            if case.not_yet
            else [],
        )
        for case in CASES
    ]


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


def said(assessment: Assessment, knowledge: Knowledge) -> dict[str, list[str]]:
    """Every sentence of the answer and of its options' reasons by its key, blanks filled."""
    spoken = [one for section in assessment.sections for one in section.statements]
    spoken += [section.summary for section in assessment.sections if section.summary]
    spoken += [reason for option in assessment.options for reason in option.because]
    found: dict[str, list[str]] = {}
    for one in spoken:
        found.setdefault(one.words, []).append(knowledge.words[one.words].text.format(**one.values))
    return found


def read(assessment: Assessment, knowledge: Knowledge) -> dict[str, list[tuple[str, str]]]:
    """Every section as a person reads it: the summary, then each sentence, with its key."""
    return {
        section.name: [
            (one.words, knowledge.words[one.words].text.format(**one.values))
            for one in (section.summary, *section.statements)
            if one is not None
        ]
        for section in assessment.sections
    }


@pytest.mark.parametrize("case", _parameters())
def test_the_case_is_answered_as_written(case: Case, knowledge: Knowledge) -> None:
    resources = [decode(json.dumps(each).encode()).resource for each in case.resources]
    knowledge = choose(knowledge, case.criteria_set)
    assessment = assess(resources, case.at, knowledge)
    indicators = {section.name: section.indicator.value for section in assessment.sections}
    found = disagreements(
        case,
        as_json(assessment),
        indicators,
        said(assessment, knowledge),
        read(assessment, knowledge),
    )
    assert not found, f"\n{case.id} {case.name}\n" + "\n".join(found)


def test_every_case_has_its_own_id() -> None:
    ids = [case.id for case in CASES]
    assert sorted(ids) == sorted(set(ids))


def test_every_agent_the_cases_name_is_an_option(knowledge: Knowledge) -> None:
    named = {agent for case in CASES for agent in (*case.expect.options, *case.expect.never)}
    assert named <= {option.id for option in knowledge.options}
