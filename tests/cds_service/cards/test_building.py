"""Whole cards: conformant for every profile and whatever a record holds."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.cards import PROFILES, CardChoices, build_cards, evidence_key, followers_of
from cds_service.wire.response import check_response
from fhir_mappings.assessment import Assessment, Indicator, Marker, NotEvaluated, Section, Statement
from fhir_mappings.clinical.facts import Lineage
from fhir_mappings.statements import SECTIONS
from tests.cds_service.cards.assessments import (
    BASE,
    DATA,
    EVERYTHING,
    FINDING,
    HSCT,
    KNOWLEDGE,
    TIMING,
    TOPICS,
    TRIAL,
    WORDS,
    TinyKnowledge,
    assessment,
    section,
)
from tests.cds_service.cards.test_markdown import ANY_TEXT
from tests.oracle.cds_response import assert_conformant


def checked(found: Assessment, **options: Any) -> list[dict[str, Any]]:
    cards = build_cards(found, KNOWLEDGE, CardChoices(full=True, **options))
    check_response({"cards": cards})
    assert_conformant(json.dumps({"cards": cards}))
    return cards


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_gets_conformant_cards(profile: str) -> None:
    cards = checked(assessment(*EVERYTHING), profile=profile, base_url=BASE)
    assert cards[0]["indicator"] == "critical"
    assert all(card["source"]["topic"]["code"].isalnum() for card in cards)
    assert all(len(part["actions"]) == 1 for card in cards for part in card.get("suggestions", ()))


def test_profiles_differ_where_clients_do() -> None:
    behaviour = {
        profile: {
            card["selectionBehavior"]
            for card in checked(assessment(*EVERYTHING), profile=profile)
            if "suggestions" in card
        }
        for profile in PROFILES
    }
    assert behaviour == {
        "strict": {"any"},
        "epic": {"any"},
        "cerner": {"at-most-one"},
        "sandbox": {"any"},
        "compact": {"any"},
    }
    assert len(checked(assessment(*EVERYTHING), profile="compact", max_cards=9)) == 3
    assert len(checked(assessment(*EVERYTHING), profile="strict", max_cards=9)) == 5


def test_an_unknown_profile_is_an_error() -> None:
    with pytest.raises(KeyError):
        build_cards(assessment(FINDING), KNOWLEDGE, CardChoices(full=True, profile="unheard-of"))


def test_nothing_to_say_is_no_card() -> None:
    assert checked(assessment()) == []


def test_the_finding_is_complete() -> None:
    (card,) = checked(assessment(FINDING, TIMING), base_url=BASE)
    assert card["summary"] == "Relapsed ALL: isolated marrow, 78 % lymphoblasts on 2024-06-03"
    assert card["source"] == {
        "label": "Pediatric Oncology Education: ALL Relapse",
        "url": f"{BASE}/cds-services/all-relapse/source-attributes",
        "topic": {
            "system": "https://relapse-cds.org/CodeSystem/card-topic",
            "code": "allFinding",
            "display": "Relapsed ALL: finding",
        },
    }
    assert "selectionBehavior" not in card
    assert [reason["code"] for reason in card["overrideReasons"]] == [
        "already-known",
        "already-referred",
        "not-appropriate",
        "goals-of-care",
        "data-wrong",
        "will-act-later",
    ]


def test_every_source_leads_to_our_page_about_the_content_or_else_to_its_own() -> None:
    assert {card["source"]["url"] for card in checked(assessment(*EVERYTHING), base_url=BASE)} == {
        f"{BASE}/cds-services/all-relapse/source-attributes"
    }
    (card,) = checked(assessment(FINDING))
    assert card["source"]["url"] == "https://pedsoncologyeducation.com/ALLRelapse.asp"


def test_a_source_without_address_leads_to_our_page_or_nowhere() -> None:
    (card,) = checked(assessment(HSCT), base_url=BASE)
    assert card["source"]["url"] == f"{BASE}/cds-services/all-relapse/source-attributes"
    (card,) = checked(assessment(HSCT))
    assert "url" not in card["source"]


def test_a_card_without_any_sentence_is_named_after_its_topic() -> None:
    (card,) = checked(assessment(section("HSCT")))
    assert card["summary"] == "Relapsed ALL: HSCT evaluation"


def test_a_quiet_topic_takes_no_other_topic_with_it() -> None:
    found = assessment(FINDING, TRIAL, HSCT, DATA)
    asked = []

    def quiet(topic: str, key: str) -> bool:
        asked.append((topic, key))
        return topic == "allFinding"

    cards = checked(found, quiet=quiet, max_cards=2)
    topics = [card["source"]["topic"]["code"] for card in cards]
    assert topics == ["allHsctEvaluation", "allTrialReferral"]
    assert "value without unit" in "".join(card["detail"] for card in cards)
    assert ("allFinding", evidence_key("allFinding", found)) in asked


def test_what_follows_the_finding_stays_away_with_it_and_nothing_else_does() -> None:
    found = assessment(*EVERYTHING)

    def quiet(topic: str, key: str) -> bool:
        return topic == followers_of("allFinding") and key == evidence_key("allFinding", found)

    topics = [card["source"]["topic"]["code"] for card in checked(found, quiet=quiet, max_cards=9)]
    assert set(topics) == {"allFinding", "allHsctEvaluation", "allMrd"}


def test_a_section_of_the_evidence_page_makes_no_card() -> None:
    hidden = dataclasses.replace(HSCT, on_card=False)
    assert [card["source"]["topic"]["code"] for card in checked(assessment(FINDING, hidden))] == [
        "allFinding"
    ]


def test_a_topic_without_override_reasons_has_none() -> None:
    bare = tuple(dataclasses.replace(topic, override_reasons=()) for topic in TOPICS)
    (card,) = build_cards(assessment(HSCT), TinyKnowledge(card_topics=bare), CardChoices(full=True))
    assert "overrideReasons" not in card


def test_one_call_leaves_nothing_behind_for_the_next() -> None:
    first = build_cards(assessment(*EVERYTHING), KNOWLEDGE, CardChoices(full=True))
    first[0]["overrideReasons"].clear()
    first[0]["suggestions"][0]["actions"].clear()
    assert build_cards(assessment(*EVERYTHING), KNOWLEDGE, CardChoices(full=True)) == checked(
        assessment(*EVERYTHING)
    )


BLANKS = ("value", "site", "date", "months", "study", "source", "agent", "resource")


def filled(words: str, text: str) -> Statement:
    return Statement(words, dict.fromkeys(BLANKS, text))


def statements() -> st.SearchStrategy[Statement]:
    return st.builds(filled, st.sampled_from(sorted(WORDS)), ANY_TEXT)


def sections() -> st.SearchStrategy[Section]:
    return st.builds(
        Section,
        st.sampled_from([kind.name for kind in SECTIONS]),
        st.sampled_from(Indicator),
        st.lists(statements(), max_size=4).map(tuple),
        st.none() | statements(),
    )


ASSESSMENTS = st.builds(
    lambda parts, cd19, lineage, gaps: assessment(*parts, cd19=cd19, lineage=lineage, not_evaluated=gaps),
    st.lists(sections(), max_size=8, unique_by=lambda part: part.name),
    st.sampled_from(Marker),
    st.sampled_from(Lineage),
    st.lists(st.builds(NotEvaluated, ANY_TEXT, ANY_TEXT), max_size=2).map(tuple),
)


@settings(max_examples=200, deadline=None)
@given(ASSESSMENTS, st.sampled_from(sorted(PROFILES)), st.integers(0, 6), st.sampled_from(["", BASE]))
def test_any_assessment_gives_conformant_cards(
    found: Assessment, profile: str, max_cards: int, base_url: str
) -> None:
    cards = checked(found, profile=profile, max_cards=max_cards, base_url=base_url, explain=True)
    assert len(cards) <= max(max_cards, 1)
    assert bool(cards) is bool(found.sections)
