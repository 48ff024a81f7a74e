"""The budgets of the cards over every clinical case and demonstration patient, and what outranks them."""

from __future__ import annotations

import re
import statistics

import pytest

from benchmarks.card_length import CHART_WORDS, FINDING, Shown, budget_of, shown, topic_of, words_of
from cds_service.cards import CardChoices
from fhir_mappings.assess import Knowledge, Status, load_knowledge

SITE = "https://cds.example.org"
ALLOWED_OVER = 0.02
"""Share of cards that a doubt or a warning may carry over the budget."""


@pytest.fixture(scope="module")
def charts() -> list[Shown]:
    return list(shown(CardChoices(base_url=SITE, evidence="smart")))


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


def test_cards_keep_their_budgets(charts: list[Shown]) -> None:
    cards = [card for one in charts for card in one.cards]
    over = [card for card in cards if words_of(card) > budget_of(card)]
    assert len(over) <= len(cards) * ALLOWED_OVER
    assert all(one.words <= CHART_WORDS for one in charts)
    assert statistics.median(words_of(card) for card in cards if topic_of(card) == FINDING) <= 70
    assert statistics.median(words_of(card) for card in cards if topic_of(card) != FINDING) <= 45
    assert statistics.median(one.words for one in charts) <= 180


def test_a_closing_line_has_twenty_words_at_most(charts: list[Shown]) -> None:
    closing = {card["detail"].rsplit("\n\n", 1)[-1] for one in charts for card in one.cards}
    assert all(len(line.split()) <= 20 and "ontent" in line for line in closing)


def test_summaries_are_whole_sentences_alone(charts: list[Shown]) -> None:
    for one in charts:
        for card in one.cards:
            assert len(card["summary"]) <= 139
            assert not card["summary"].endswith("…"), (one.name, card["summary"])
            assert (
                not re.search(r"\b\d{4}-\d{2}-\d{2}\b", card["summary"])
                or "suspect" in one.assessment.status.value
            )


def test_what_no_budget_may_drop_is_on_a_card(charts: list[Shown], knowledge: Knowledge) -> None:
    """A rank of 0 counts in every chart: as its own words, or counted beside two of its kind."""
    for one in charts:
        text = " ".join(f"{card['summary']} {card['detail']}" for card in one.cards)
        plain = re.sub(r"[\\*]|&[a-z#0-9]+;", "", text)
        topics = {topic_of(card) for card in one.cards}
        home = {name: topic for topic in knowledge.card_topics for name in topic.sections}
        for section in one.assessment.sections:
            topic = home[section.name]
            if not section.on_card or not {topic.code, topic.joins} & topics:
                continue
            kinds: dict[str, int] = {}
            for said in section.statements:
                words = knowledge.words[said.words]
                kinds[said.words] = kinds.get(said.words, 0) + 1
                if not said.on_card or words.rank != 0 or kinds[said.words] > 2:
                    continue
                fixed = max(re.split(r"\{[a-z_]+\}", words.brief or words.text), key=len).strip(" .:;“”")
                assert fixed in plain or said.values.get("value", "?") in plain, (one.name, said.words)


def test_a_probable_relapse_is_confirmed_first(charts: list[Shown]) -> None:
    allowed = {FINDING, "allTrialReferral", "allMrd", "allSafety", "allData"}
    for one in charts:
        if one.assessment.status is Status.PROBABLE:
            assert {topic_of(card) for card in one.cards} <= allowed, one.name
            assert not any("refractory" in card["summary"] for card in one.cards)
            trial = [card for card in one.cards if topic_of(card) == "allTrialReferral"]
            assert all(card["summary"].startswith("If confirmed") for card in trial)


@pytest.mark.parametrize("full", [False, True])
def test_childrens_figures_stay_with_children(full: bool) -> None:
    figures = ("very poor", "much better", "ALL-REZ BFM 90", "AALL01P2", "risk group", "not checked")
    for one in shown(CardChoices(full=full)):
        adult = one.assessment.age_years is not None and one.assessment.age_years >= 18
        text = " ".join(card["detail"] for card in one.cards)
        never = figures if adult else figures[-1:]
        assert not any(figure in text for figure in never), one.name


@pytest.mark.parametrize("profile", ["cerner", "compact"])
def test_small_panels_get_six_hundred_characters(profile: str) -> None:
    found = [card for one in shown(CardChoices(profile=profile)) for card in one.cards]
    over = [card for card in found if len(card["detail"]) > 600]
    assert len(over) <= len(found) * ALLOWED_OVER


def test_plain_text_has_no_markup() -> None:
    for one in shown(CardChoices(plain_text=True)):
        for card in one.cards:
            assert card["extension"] == {"com.epic.cdshooks.card.detail.content-type": "text/plain"}
            assert not re.search(r"^\||^- |\*\*|&[a-z#0-9]+;|^---$", card["detail"], re.MULTILINE), one.name


def test_our_own_sentences_hold_no_character_references(charts: list[Shown]) -> None:
    for one in charts:
        if one.name.startswith("demo-") and "hostile" not in one.name and "report" not in one.name:
            assert not any(re.search(r"&[a-z#0-9]+;|\u2060", card["detail"]) for card in one.cards), one.name
