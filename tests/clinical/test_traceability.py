"""Every statement leads to a rule, a case and words, and what leads there is real."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from fhir_mappings.assess import CRITERIA, Knowledge, assess, choose, content_of, load_knowledge
from fhir_mappings.clinical.options import OptionRule
from fhir_mappings.fhir.decoding import decode
from fhir_mappings.knowledge.review.case_records import read_case_records
from fhir_mappings.knowledge.review.rule_sources import resolve
from fhir_mappings.knowledge.statements import STATEMENTS
from fhir_mappings.statements import SECTIONS
from tests.clinical.case_files import Case, read_cases
from tests.clinical.test_cases import said

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "relapsed_all"
CASES: Mapping[str, Case] = {case.id: case for case in read_cases(FOLDER)}
NAMED = {kind.name for kind in SECTIONS} | {f"criterion-{one.letter}" for one in CRITERIA}
KNOWLEDGE = load_knowledge()
NUMBERED = KNOWLEDGE.statements
SAYING = [
    number
    for number, one in NUMBERED.items()
    if one.treatment != "not-shown" and any(key in KNOWLEDGE.words for key in one.words)
]
"""Statements with words of their own; fixed lines, links and suggestions of the cards show the others."""


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


def test_every_statement_of_both_documents_is_treated(knowledge: Knowledge) -> None:
    assert len(STATEMENTS) == 83
    assert set(knowledge.statements) == set(STATEMENTS)


@pytest.mark.parametrize("number", NUMBERED)
def test_the_rules_and_cases_of_a_statement_exist(number: str) -> None:
    statement = NUMBERED[number]
    for rule in statement.rule:
        assert rule in NAMED or callable(resolve(rule))
    assert set(statement.cases) <= CASES.keys()


@pytest.mark.parametrize("number", SAYING)
def test_a_case_of_the_statement_says_its_words(number: str, knowledge: Knowledge) -> None:
    statement = NUMBERED[number]
    own = {key for key in statement.words if key in knowledge.words}
    spoken: set[str] = set()
    for name in statement.cases:
        case = CASES[name]
        resources = [decode(json.dumps(each).encode()).resource for each in case.resources]
        found = assess(resources, case.at, choose(knowledge, case.criteria_set))
        spoken |= said(found, knowledge).keys()
        options = {rule.id: rule for rule in knowledge.options}
        spoken |= {options[one.agent].facts for one in found.options if one.state.value != "excluded"}
        spoken |= {f"gap.{missing.key}.what" for missing in found.missing}
    assert own & spoken


def test_every_confounder_and_resolution_has_a_case_or_a_test(knowledge: Knowledge) -> None:
    references = knowledge.references
    for key in (*references.groups["confounders"], *references.groups["resolutions"]):
        cases = references.cases.get(key, ())
        assert cases or (ROOT / references.tests[key]).is_file(), key
        assert set(cases) <= CASES.keys(), key


def possible_states(rule: OptionRule) -> set[str]:
    """The states that an option can have, by what its row asks for."""
    states = {"excluded"}
    if not rule.off_label:
        states.add("matches")
    if rule.off_label or rule.regimens_at_least or rule.relapse_at_least:
        states.add("outside-label")
    if not rule.off_label and (rule.antigen or rule.requires or rule.regimens_at_least or rule.population):
        states.add("confirm")
    return states


def test_every_option_has_a_case_for_each_of_its_states(knowledge: Knowledge) -> None:
    seen: dict[str, set[str]] = {}
    for case in CASES.values():
        for option, state in case.expect.options.items():
            seen.setdefault(option, set()).add(state)
        for option in case.expect.never:
            seen.setdefault(option, set()).add("excluded")
    missing = {rule.id: possible_states(rule) - seen.get(rule.id, set()) for rule in knowledge.options}
    assert {option: states for option, states in missing.items() if states} == {}


@pytest.mark.parametrize("name", ["CNS1", "CNS2a", "CNS2b", "CNS2c", "CNS3a", "CNS3b", "CNS3c"])
def test_every_cns_class_has_a_case(name: str) -> None:
    case = CASES[name]
    assert case.expect.quiet or any(name in words or "3c" in words for words in case.expect.says)


def test_every_mrd_band_has_a_case() -> None:
    bands = {
        words
        for case in CASES.values()
        for words in case.expect.says
        if words.startswith("mrd-res.") and words.rpartition(".")[2] in ("yes", "no", "unsure")
    }
    assert bands >= {
        f"mrd-res.{group}.{answer}" for group in ("r3", "bfm", "cog") for answer in ("yes", "no")
    }
    assert "mrd-res.r3.unsure" in bands


def test_everything_that_can_be_signed_has_a_case_and_everything_shown_can_be_signed(
    knowledge: Knowledge,
) -> None:
    rules = content_of().rules
    assert [rule.id for rule in rules if not rule.cases] == []
    data = "\n".join(line for rule in rules for line in rule.data)
    assert [key for key in knowledge.words if f"words {key}: " not in data] == []
    assert [key for key in knowledge.thresholds if f"threshold {key}: " not in data] == []
    assert [rule.id for rule in rules if rule.id.startswith("option-")] == [
        f"option-{option.id}" for option in knowledge.options
    ]


def test_every_case_has_one_home_rule_and_every_rule_a_case() -> None:
    rules = {rule.id for rule in content_of().rules}
    homes = {case.id: case.rule for case in read_case_records(FOLDER).values()}
    assert {case: rule for case, rule in homes.items() if rule not in rules} == {}
    words_alone = {"phrases", "timeline-labels"}  # they decide nothing, and every case shows some of them
    assert rules - set(homes.values()) == words_alone


_SAID_ELSEWHERE = {
    "criterion.B.read-as.": "tests/clinical/test_site_choice.py",
    "criterion.B.reading.rise.": "tests/clinical/test_site_choice.py",
    "criterion.MRD": "tests/fhir_mappings/knowledge/test_criteria_residual.py",
    "data.codes-conflict": "tests/fhir_mappings/statements/test_data_sentences.py",
    "data.comparator-unknown": "tests/fhir_mappings/statements/test_data_sentences.py",
    "data.modifier-extension": "tests/fhir_mappings/statements/test_data_sentences.py",
    "gap.site.": "tests/fhir_mappings/knowledge/test_criteria.py",
    "incomplete.": "tests/cds_service/api/test_hook_calls.py",
    "need.": "tests/faults/test_fault_matrix.py",
    "phrase.": "tests/fhir_mappings/statements/test_sentences.py",
    "reason.age-unknown": "tests/fhir_mappings/statements/test_data_sentences.py",
    "reason.relapse-number-unknown": "tests/fhir_mappings/clinical/test_option_reasons.py",
    "probable.old.not-looked": "tests/fhir_mappings/relapse/test_old_untreated.py",
    "caution.reports-unseen": "tests/fhir_mappings/relapse/test_written_reports.py",
    "report.": "tests/fhir_mappings/relapse/test_written_reports.py",
    "timeline.": "tests/cds_service/timeline/test_chart.py",
    "unapproved.": "tests/cds_service/api/test_hook_calls.py",
    "workup.age-unknown": "tests/fhir_mappings/statements/test_data_sentences.py",
}
"""Sentences no written patient can bring about, by the beginning of their key, and the test that does."""


def test_every_sentence_is_said_to_some_patient(knowledge: Knowledge) -> None:
    spoken: set[str] = set()
    for case in CASES.values():
        resources = [decode(json.dumps(each).encode()).resource for each in case.resources]
        found = assess(resources, case.at, choose(knowledge, case.criteria_set))
        spoken |= said(found, knowledge).keys()
        spoken |= {f"gap.{missing.key}.{part}" for missing in found.missing for part in ("what", "why")}
    shown = {rule.facts for rule in knowledge.options} | {rule.safety for rule in knowledge.options}
    names = {f"criterion.{one.letter}.name" for one in CRITERIA}
    silent = knowledge.words.keys() - spoken - shown - names
    assert {key for key in silent if not key.startswith(tuple(_SAID_ELSEWHERE))} == set()
    assert [path for path in _SAID_ELSEWHERE.values() if not (ROOT / path).is_file()] == []
    assert [start for start in _SAID_ELSEWHERE if not any(key.startswith(start) for key in silent)] == []
