"""Which registry entries are about relapsed ALL, and what their conditions ask for."""

from __future__ import annotations

import pytest

from fhir_mappings.trials.relevance import read_relevance
from fhir_mappings.trials.study import OneOf, TrialFact
from tests.fhir_mappings.trials.people import vocabulary

RELAPSED = "Study in relapsed disease"


def asked(conditions: list[str], title: str = RELAPSED) -> dict[str, frozenset[str]]:
    found = read_relevance(conditions, [], [title], vocabulary())
    assert found.is_relevant
    return {one.fact.value: one.expected.values for one in found.criteria if isinstance(one.expected, OneOf)}


@pytest.mark.parametrize(
    ("conditions", "title", "relevant"),
    [
        (["Acute Lymphoblastic Leukemia"], RELAPSED, True),
        (["Recurrent B Acute Lymphoblastic Leukemia"], "A study", True),
        (["Acute Lymphoblastic Leukaemia"], "Newly diagnosed patients", False),
        (["Acute Lymphoblastic Leukemia"], "Newly diagnosed or relapsed patients", True),
        (["ALL"], RELAPSED, True),
        (["Lymphoma", "Breast Cancer"], RELAPSED, False),
        (["Solid Tumour"], "For all relapsed patients", False),
        (["Acute Leukemia"], RELAPSED, True),
        (["Hematologic Malignancies"], RELAPSED, True),
        (["Acute Lymphoblastic Leukemia"], "A study of an antibody", True),
        ([], "", False),
    ],
)
def test_relevant(conditions: list[str], title: str, relevant: bool) -> None:
    assert read_relevance(conditions, [], [title], vocabulary()).is_relevant is relevant


def test_a_lineage_is_asked_for_where_every_leukaemia_names_it() -> None:
    assert asked(["B-cell Acute Lymphoblastic Leukemia", "B-ALL"])["lineage"] == {"B"}
    assert asked(["T-cell Acute Lymphoblastic Leukemia"])["lineage"] == {"T"}
    assert asked(["Recurrent B Acute Lymphoblastic Leukemia", "B-cell Lymphoma"])["lineage"] == {"B"}


@pytest.mark.parametrize(
    "conditions",
    [
        ["Acute Lymphoblastic Leukemia", "B-cell Lymphoma"],
        ["B-cell Acute Lymphoblastic Leukemia", "Acute Lymphoblastic Leukemia"],
        ["B-cell Acute Lymphoblastic Leukemia", "T-cell Acute Lymphoblastic Leukemia"],
        ["Acute Lymphoblastic Leukemia"],
    ],
)
def test_no_lineage_is_asked_for_otherwise(conditions: list[str]) -> None:
    assert "lineage" not in asked(conditions)


def test_philadelphia_status_is_asked_for_where_every_leukaemia_names_it() -> None:
    positive = ["Philadelphia Chromosome Positive Acute Lymphoblastic Leukemia"]
    assert asked(positive)["bcr-abl1"] == {"positive"}
    assert "bcr-abl1" not in asked([*positive, "Acute Lymphoblastic Leukemia"])


def test_a_wider_disease_is_no_criterion_but_left_to_people() -> None:
    found = read_relevance(["Acute Leukemia"], [], [RELAPSED], vocabulary())
    assert TrialFact.DISEASE not in {one.fact for one in found.criteria}
    assert found.not_checked == (vocabulary().phrases["wider_disease"],)


def test_an_entry_that_does_not_speak_of_relapse_says_so() -> None:
    found = read_relevance(["Acute Lymphoblastic Leukemia"], [], ["A study"], vocabulary())
    assert TrialFact.DISEASE_STATE not in {one.fact for one in found.criteria}
    assert found.not_checked == (vocabulary().phrases["disease_state_unstated"],)


def test_an_entry_asks_for_the_disease_and_its_state_and_leaves_nothing_open() -> None:
    found = read_relevance(["Acute Lymphoblastic Leukemia"], [], [RELAPSED], vocabulary())
    assert [(one.fact, one.expected, one.exclude) for one in found.criteria] == [
        (TrialFact.DISEASE, OneOf(frozenset({"all"})), False),
        (TrialFact.DISEASE_STATE, OneOf(frozenset({"relapsed", "refractory", "in-remission"})), False),
    ]
    assert found.not_checked == ()


def test_a_keyword_is_read_like_a_condition_but_states_no_lineage() -> None:
    found = read_relevance(["Leukemia"], ["B-cell Acute Lymphoblastic Leukemia"], [RELAPSED], vocabulary())
    assert found.is_relevant
    assert [one.fact for one in found.criteria] == [TrialFact.DISEASE, TrialFact.DISEASE_STATE]
