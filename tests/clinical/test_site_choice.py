"""A site chooses the reading of criterion B and the deciding set, and the answer follows (A-02, 2.3)."""

from __future__ import annotations

import json

import pytest

from fhir_mappings.assess import Knowledge, KnowledgeError, assess, choose, load_knowledge
from fhir_mappings.assessment import Assessment
from fhir_mappings.fhir.decoding import decode
from tests.clinical.test_cases import CASES, said

_BY_ID = {case.id: case for case in CASES}


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


def answered(name: str, knowledge: Knowledge) -> Assessment:
    case = _BY_ID[name]
    resources = [decode(json.dumps(each).encode()).resource for each in case.resources]
    return assess(resources, case.at, knowledge)


@pytest.mark.parametrize(
    ("case", "marrows", "reading", "status"),
    [
        ("V07", "8 then 31", "rise", "relapse"),
        ("V07", "8 then 31", "above-five", "relapse"),
        ("V07", "8 then 31", "two-above-25", "probable"),
        ("V09", "22 then 26", "rise", "probable"),
        ("V09", "22 then 26", "above-five", "relapse"),
        ("V09", "22 then 26", "two-above-25", "probable"),
        ("V10", "4 then 30", "rise", "relapse"),
        ("V10", "4 then 30", "above-five", "probable"),
        ("V10", "4 then 30", "two-above-25", "probable"),
    ],
)
def test_the_reading_of_criterion_b_decides(
    case: str, marrows: str, reading: str, status: str, knowledge: Knowledge
) -> None:
    assert answered(case, choose(knowledge, repopulation=reading)).status.value == status, marrows


def test_the_card_names_the_reading_and_what_the_default_would_say(knowledge: Knowledge) -> None:
    chosen = choose(knowledge, repopulation="above-five")
    met = said(answered("V09", chosen), chosen)
    assert "criterion B read as a first sample above 5 %" in met["criterion.B"][0]
    assert "criterion.B.reading.rise.not-met" in met
    assert "criterion.B.reading.rise.met" in said(answered("V10", chosen), chosen)


@pytest.mark.parametrize(
    ("case", "criteria_set", "status"),
    [("V02", "seed-000", "probable"), ("V02", "protocol-m3", "relapse"), ("V06", "protocol-m3", "relapse")],
)
def test_the_chosen_set_decides(case: str, criteria_set: str, status: str, knowledge: Knowledge) -> None:
    chosen = choose(knowledge, criteria_set=criteria_set)
    found = answered(case, chosen)
    assert found.status.value == status
    if status == "relapse":
        assert "Current protocol wording" in said(found, chosen)["criterion.A"][0]


def test_what_is_packaged_is_no_choice(knowledge: Knowledge) -> None:
    assert choose(knowledge) is knowledge
    assert choose(knowledge, "seed-000", "rise") is knowledge


def test_a_choice_is_a_draft_with_a_digest_of_its_own(knowledge: Knowledge) -> None:
    digests = {
        knowledge.digest,
        choose(knowledge, "protocol-m3").digest,
        choose(knowledge, repopulation="above-five").digest,
        choose(knowledge, repopulation="two-above-25").digest,
    }
    assert len(digests) == 4
    assert choose(knowledge, "protocol-m3").review == "draft"


@pytest.mark.parametrize(
    ("criteria_set", "repopulation", "message"),
    [
        (
            "seed-00",
            "",
            'criteria_set = "seed-00": no such criteria set; write one of: seed-000, protocol-m3',
        ),
        ("pdl-2022", "", 'criteria_set = "pdl-2022": an incomplete set cannot decide'),
        (
            "",
            "steady",
            'repopulation = "steady": no such reading; write one of: rise, above-five, two-above-25',
        ),
        ("protocol-m3", "rise", 'repopulation = "rise": protocol-m3 has no criterion B; remove repopulation'),
    ],
)
def test_a_choice_nobody_knows_is_refused(
    criteria_set: str, repopulation: str, message: str, knowledge: Knowledge
) -> None:
    with pytest.raises(KnowledgeError) as refused:
        choose(knowledge, criteria_set, repopulation)
    assert message in str(refused.value)
