"""Sections gathered into topics, and topics merged into few cards."""

from __future__ import annotations

from cds_service.cards.merging import merge_beyond
from cds_service.cards.topics import CardPlan, joined, plan_topics
from fhir_mappings.assessment import Indicator, Section
from tests.cds_service.cards.assessments import (
    DATA,
    EVERYTHING,
    FINDING,
    HSCT,
    MRD_DUE,
    OPT_B,
    TIMING,
    TOPICS,
    TRIAL,
    assessment,
    section,
    statement,
)


def plans(*sections: Section) -> list[CardPlan]:
    return joined(plan_topics(assessment(*sections), TOPICS))


def codes(*sections: Section) -> list[str]:
    return [plan.topic.code for plan in plans(*sections)]


def test_one_card_per_topic_in_the_order_of_rank() -> None:
    assert codes(MRD_DUE, HSCT, OPT_B, TRIAL, TIMING, FINDING) == [
        "allFinding",
        "allTrialReferral",
        "allBlinatumomab",
        "allHsctEvaluation",
        "allMrd",
    ]


def test_every_section_has_its_topic() -> None:
    expected = {
        "allFinding": "RELAPSE PROBABLE SUSPECT REFRACT TIMING WORKUP EMSCREEN PERSIST PRELIM",
        "allTrialReferral": "TRIAL",
        "allBlinatumomab": "OPT-B OPT-PH",
        "allNelarabine": "OPT-T SAFE-NEURO",
        "allHsctEvaluation": "HSCT",
        "allMrd": "MRD-DUE MRD-RES",
        "allCnsDirected": "CNS-TX",
        "allTesticular": "TESTIS-TX",
        "allSafety": "SAFE-CD19 SAFE-VOD SAFE-ITONLY",
        "allData": "DATA",
    }
    for code, names in expected.items():
        for name in names.split():
            assert codes(section(name, statement("hsct.early"))) == [code]


def test_data_problems_join_the_finding_and_stand_alone_without_it() -> None:
    assert codes(DATA) == ["allData"]
    assert codes(DATA, MRD_DUE) == ["allMrd", "allData"]
    joined = plans(DATA, FINDING)
    assert [plan.topic.code for plan in joined] == ["allFinding"]
    assert [part.name for part in joined[0].sections] == ["RELAPSE", "DATA"]


def test_an_unknown_section_is_not_lost() -> None:
    found = plans(FINDING, section("NEWCOMER", statement("hsct.early")))
    assert [part.name for part in found[0].sections] == ["RELAPSE", "NEWCOMER"]


def test_the_indicator_is_the_highest() -> None:
    assert plans(TIMING, FINDING)[0].indicator is Indicator.CRITICAL
    assert plans(HSCT)[0].indicator is Indicator.WARNING
    assert plans(TIMING)[0].indicator is Indicator.INFO


def test_the_headline_is_the_first_summary_else_the_first_statement() -> None:
    assert plans(TIMING, FINDING)[0].headline == FINDING.summary
    assert plans(TIMING)[0].headline == TIMING.statements[0]
    assert plans(section("HSCT"))[0].headline is None


def test_low_ranks_are_merged_into_the_first_card() -> None:
    every = plans(*EVERYTHING)
    merged = merge_beyond(every, 2)
    assert [plan.topic.code for plan in merged] == ["allFinding", "allTrialReferral"]
    assert [topic.code for topic in merged[0].topics] == [
        "allFinding",
        "allBlinatumomab",
        "allHsctEvaluation",
        "allMrd",
    ]
    assert {part.name for plan in merged for part in plan.all_sections} == {part.name for part in EVERYTHING}


def test_a_merged_card_keeps_the_highest_indicator() -> None:
    assert merge_beyond(plans(TRIAL, HSCT), 1)[0].indicator is Indicator.WARNING


def test_there_is_always_room_for_one_card() -> None:
    assert len(merge_beyond(plans(*EVERYTHING), 0)) == 1
    assert merge_beyond([], 4) == []
