"""A criterion is one object: its letter is compared nowhere, and what it says follows its numbers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_mappings.assess import CRITERIA, CRITERION, Knowledge, sentence
from fhir_mappings.clinical.criteria_sets import CriteriaSet
from fhir_mappings.knowledge.criterion import Criterion
from tests.fhir_mappings.knowledge.criteria_samples import BARE, SET

ROOT = Path(__file__).parents[3]
LETTERS = {criterion.letter for criterion in CRITERIA}


def compared(source: str) -> Iterator[str]:
    """Every text that the source compares something with."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            for side in (node.left, *node.comparators):
                for leaf in ast.walk(side):
                    if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str):
                        yield leaf.value


def test_no_letter_is_compared() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for part in ("fhir_mappings", "cds_service")
        for path in (ROOT / part).rglob("*.py")
        if LETTERS & set(compared(path.read_text(encoding="utf-8")))
    }
    assert found == set()


@pytest.mark.parametrize("line", ['one.id == "D"', 'one.id in ("A", "E")', '"MRD" != result.id'])
def test_the_search_for_compared_letters_finds_them(line: str) -> None:
    assert LETTERS & set(compared(f"if {line}:\n    pass"))


def test_letters_keys_and_tables_are_given_once() -> None:
    assert len(CRITERION) == len(CRITERIA)
    assert len({criterion.key for criterion in CRITERIA}) == len(CRITERIA)
    assert len({criterion.parameters for criterion in CRITERIA}) == len(CRITERIA)


@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda one: one.letter)
def test_a_criterion_opens_with_the_words_of_the_guideline_and_their_source(criterion: Criterion) -> None:
    assert len(criterion.guideline) > 40
    assert "[" in criterion.guideline


@pytest.mark.parametrize(
    "criterion", [one for one in CRITERIA if one.key in SET.parts], ids=lambda one: one.letter
)
def test_a_set_has_a_criterion_or_not(criterion: Criterion) -> None:
    assert isinstance(criterion.of(SET), criterion.parameters)
    assert criterion.of(BARE) is None


def asked(criteria: CriteriaSet, knowledge: Knowledge) -> dict[str, str]:
    found = {}
    for criterion in CRITERIA:
        parameters = criterion.of(criteria)
        if parameters is not None:
            found[criterion.letter] = sentence(criterion.asks(parameters), knowledge.words)
    return found


def test_what_a_set_asks_is_told_with_its_numbers(knowledge: Knowledge) -> None:
    assert asked(SET, knowledge) == {
        "A": "Marrow lymphoblasts > 50 % in one aspirate",
        "B": "Marrow lymphoblasts rising by more than 5 points to more than 25 % in aspirates "
        "7 to 90 days apart",
        "C": "Marrow lymphoblasts > 25 % and circulating lymphoblasts ≥ 2 % within 7 days",
        "D": "Leukaemia outside the marrow (CNS, testes or another organ), with proof",
        "E": "CSF leukocytes > 5 /µL with blasts on cytology",
        "MRD": "MRD ≥ 25 %, or ≥ 5 % with one further test ≥ 1 %, or ≥ 1 % with two",
    }
    (nih,) = [one for one in knowledge.criteria_sets if one.id == "nih-2010"]
    assert asked(nih, knowledge) == {"A": "Marrow lymphoblasts ≥ 25 % in one aspirate"}


def test_sites_say_what_lies_in_the_marrow_and_what_outside() -> None:
    assert {one.letter for one in CRITERIA if one.in_marrow} == {"A", "B", "C", "MRD"}
    assert {one.letter for one in CRITERIA if one.outside_marrow} == {"D", "E"}
