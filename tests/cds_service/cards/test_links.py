"""Links: configured targets only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from cds_service.cards import CardChoices, build_cards
from cds_service.cards.links import build_links
from fhir_mappings.assessment import Section
from fhir_mappings.knowledge.card_topics import LinkTarget
from tests.cds_service.cards.assessments import (
    BASE,
    EVERYTHING,
    FINDING,
    KNOWLEDGE,
    TRIAL,
    assessment,
    section,
    statement,
)


def links(*sections: Section, base_url: str = BASE, **options: Any) -> list[dict[str, Any]]:
    cards = build_cards(
        assessment(*sections), KNOWLEDGE, CardChoices(full=True, base_url=base_url, **options)
    )
    return [link for card in cards for link in card.get("links", ())]


def test_the_finding_leads_to_source_guideline_and_timeline() -> None:
    found = {link["url"]: link for link in links(FINDING)}
    assert "https://pedsoncologyeducation.com/ALLRelapse.asp" in found
    assert "https://www.cancer.gov/types/leukemia/hp/child-all-treatment-pdq" in found
    assert found[f"{BASE}/timeline/"]["type"] == "smart"
    assert all("appContext" not in link and "autolaunchable" not in link for link in found.values())


def test_a_slash_at_the_end_of_our_address_does_not_matter() -> None:
    assert links(FINDING, base_url=f"{BASE}/") == links(FINDING)


def test_without_our_address_there_are_no_links_to_ourselves() -> None:
    assert all(link["type"] == "absolute" for link in links(*EVERYTHING, base_url=""))


def test_no_trial_search_for_a_patient_on_a_study() -> None:
    enrolled = section("TRIAL", statement("trial.enrolled", study="NCT00000000"))
    assert any("clinicaltrials.gov/search" in link["url"] for link in links(TRIAL))
    assert not any("clinicaltrials.gov/search" in link["url"] for link in links(enrolled))


def test_a_merged_card_has_every_address_once() -> None:
    addresses = [link["url"] for link in links(*EVERYTHING, max_cards=1)]
    assert len(addresses) == len(set(addresses)) > 4


def test_a_fixed_address_of_the_content_is_used_as_it_is() -> None:
    fixed = LinkTarget("search", "Search", "absolute", url="https://clinicaltrials.gov/")
    found = build_links([fixed], {}, BASE, frozenset())
    assert found == [{"label": "Search", "url": "https://clinicaltrials.gov/", "type": "absolute"}]


@dataclass(frozen=True, slots=True)
class Study:
    label: str
    url: str


STUDY = Study("NCT01234567", "https://clinicaltrials.gov/study/NCT01234567")


@pytest.mark.parametrize("max_cards", [1, 4])
def test_links_of_matched_studies_stand_on_the_card_of_their_topic(max_cards: int) -> None:
    added = {"allTrialReferral": [STUDY]}
    cards = build_cards(
        assessment(FINDING, TRIAL), KNOWLEDGE, CardChoices(full=True, max_cards=max_cards, added=added)
    )
    expected = {"label": "NCT01234567", "url": STUDY.url, "type": "absolute"}
    assert [expected in card["links"] for card in cards] == [False, True][-len(cards) :]


@pytest.mark.parametrize(
    "url",
    [
        "http://clinicaltrials.gov/study/1",
        "javascript:alert(1)",
        "https://user@evil.example/",
        "https://evil.example/<script>",
        "https://evil.example/ x",
        "https:///study",
        "",
    ],
)
def test_an_added_link_that_is_no_plain_https_address_is_left_out(url: str) -> None:
    assert links(TRIAL, added={"allTrialReferral": [Study("study", url)]}) == links(TRIAL)


def test_an_added_link_without_label_is_left_out() -> None:
    assert links(TRIAL, added={"allTrialReferral": [Study("\u200b", STUDY.url)]}) == links(TRIAL)
