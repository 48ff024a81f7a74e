"""Everything that stands on a card, over all demonstration patients and kinds of clients (G to N, R, S)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from markdown_it import MarkdownIt

from fhir_mappings.assess import Knowledge
from tests.conformance.answering import BASE, HEALTHY, PATIENTS, PROFILES, Asked, request_of, send, values_of
from tests.oracle.cds_response import assert_conformant

Json = dict[str, Any]

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def suggestions(cards: list[Json]) -> list[Json]:
    return [one for card in cards for one in card.get("suggestions", [])]


def links(cards: list[Json]) -> list[Json]:
    return [one for card in cards for one in card.get("links", [])]


def words(patient: Any) -> set[str]:
    """The texts of a chart that could leak: names, ids and displays."""
    return {
        value
        for resource in patient.resources
        for _, value in values_of(resource)
        if isinstance(value, str) and len(value) > 12
    }


@pytest.mark.req("G1")
@pytest.mark.req("G2")
def test_success_is_200_with_cards(asked: list[Asked]) -> None:
    assert len(asked) == len(PATIENTS) * len(PROFILES)
    assert {one.status for one in asked} == {200}
    assert all(isinstance(one.body["cards"], list) for one in asked)
    for one in asked:
        assert_conformant(one.body)


@pytest.mark.req("G3")
@pytest.mark.req("R5")
def test_nothing_to_say_is_an_empty_list(asked: list[Asked]) -> None:
    silent = {one.patient.id for one in asked if not one.body["cards"]}
    assert HEALTHY.id in silent
    assert silent == {one.id for one in PATIENTS if not one.expect.topics}


@pytest.mark.req("G4")
@pytest.mark.req("N1")
def test_nothing_is_done_without_a_human(asked: list[Asked]) -> None:
    assert all("systemActions" not in one.body for one in asked)


@pytest.mark.req("G7")
def test_cards_are_few_and_the_most_urgent_comes_first(asked: list[Asked]) -> None:
    for one in asked:
        cards = one.body["cards"]
        evidence = sum(card["source"]["topic"]["code"] == "allEvidence" for card in cards)
        assert evidence <= (0 if one.profile in ("compact", "cerner") else 1)
        assert len(cards) - evidence <= (3 if one.profile == "compact" else 4)
        topics = [card["source"]["topic"]["code"] for card in cards]
        assert len(topics) == len(set(topics))
        order = [["critical", "warning", "info"].index(card["indicator"]) for card in cards]
        assert order == sorted(order)
        assert {code for code, at in zip(topics, order, strict=True) if at == 0} <= {"allFinding"}


@pytest.mark.req("H1")
@pytest.mark.req("J2")
def test_cards_and_suggestions_have_uuids_of_their_own(asked: list[Asked]) -> None:
    for one in asked:
        cards = one.body["cards"]
        ids = [each["uuid"] for each in (*cards, *suggestions(cards))]
        assert all(UUID.fullmatch(text) for text in ids)
        assert len(ids) == len(set(ids))


@pytest.mark.req("H2")
def test_a_summary_is_one_short_plain_line(cards: list[Json]) -> None:
    for card in cards:
        text = card["summary"]
        assert 0 < len(text) <= 139
        assert len(text.encode("utf-16-le")) // 2 <= 139
        assert not re.search(r"[\x00-\x1f\u2028\u2029*_`\[\]<\\]", text)


@pytest.mark.req("H3")
@pytest.mark.req("R2")
def test_a_detail_tells_version_and_review_state(cards: list[Json], knowledge: Knowledge) -> None:
    for card in cards:
        assert re.search(
            rf"[Cc]ontent {re.escape(knowledge.version)}\b.*approved by a clinician", card["detail"]
        )


@pytest.mark.req("H4")
@pytest.mark.req("R1")
def test_a_detail_is_markdown_without_html_or_links(cards: list[Json]) -> None:
    parser = MarkdownIt("gfm-like", {"html": True})
    for card in cards:
        tokens = [part for token in parser.parse(card["detail"]) for part in (token, *(token.children or []))]
        kinds = {token.type for token in tokens}
        assert not kinds & {
            "html_block",
            "html_inline",
            "link_open",
            "image",
            "heading_open",
            "fence",
            "code_block",
        }


@pytest.mark.req("H5")
def test_an_indicator_is_one_of_three(cards: list[Json]) -> None:
    assert {card["indicator"] for card in cards} == {"info", "warning", "critical"}


@pytest.mark.req("H6")
@pytest.mark.req("I1")
@pytest.mark.req("I2")
@pytest.mark.req("I3")
@pytest.mark.req("I4")
@pytest.mark.req("I5")
def test_a_source_has_a_label_and_our_page_and_no_icon(cards: list[Json]) -> None:
    for card in cards:
        assert card["source"].keys() == {"label", "url", "topic"}
        assert card["source"]["label"].strip()
        assert card["source"]["url"] == f"{BASE}/cds-services/all-relapse/source-attributes"


@pytest.mark.req("I6")
@pytest.mark.req("I7")
@pytest.mark.req("I8")
def test_topics_are_static_codings_that_every_client_takes(cards: list[Json]) -> None:
    for card in cards:
        topic = card["source"]["topic"]
        assert topic.keys() == {"code", "system", "display"}
        assert re.fullmatch(r"[A-Za-z0-9]{1,100}", topic["code"])
        assert topic["system"] == "https://relapse-cds.org/CodeSystem/card-topic"
    assert len({(c["source"]["topic"]["code"], c["source"]["topic"]["display"]) for c in cards}) == len(
        {c["source"]["topic"]["code"] for c in cards}
    )


@pytest.mark.req("H7")
@pytest.mark.req("J3")
def test_suggestions_come_with_the_behaviour_that_the_client_takes(asked: list[Asked]) -> None:
    seen = set()
    for one in asked:
        for card in one.body["cards"]:
            assert ("suggestions" in card) is ("selectionBehavior" in card)
            if "suggestions" in card:
                expected = "at-most-one" if one.profile == "cerner" else "any"
                assert card["selectionBehavior"] == expected
                seen.add(one.profile)
            assert not any("isRecommended" in each for each in card.get("suggestions", []))
    assert seen == set(PROFILES)


@pytest.mark.req("J1")
@pytest.mark.req("J4")
@pytest.mark.req("J5")
def test_a_suggestion_is_one_labelled_action(cards: list[Json]) -> None:
    assert suggestions(cards)
    for one in suggestions(cards):
        assert one.keys() == {"label", "uuid", "actions"}
        assert one["label"].strip()
        assert len(one["actions"]) == 1


@pytest.mark.req("K1")
@pytest.mark.req("K2")
@pytest.mark.req("K3")
@pytest.mark.req("K4")
@pytest.mark.req("A5")
def test_an_action_creates_a_draft_that_is_whole(asked: list[Asked]) -> None:
    for one in asked:
        for suggestion in suggestions(one.body["cards"]):
            (action,) = suggestion["actions"]
            assert action.keys() == {"type", "description", "resource"}
            assert action["type"] == "create"
            assert action["description"].strip()
            order = action["resource"]
            assert (order["resourceType"], order["status"], order["intent"]) == (
                "ServiceRequest",
                "draft",
                "proposal",
            )
            assert order["subject"]["reference"] == f"Patient/{one.patient.resources[0]['id']}"
            assert re.fullmatch(r"[A-Za-z0-9.-]{1,64}", order["id"])


@pytest.mark.req("H8")
@pytest.mark.req("L1")
def test_override_reasons_are_a_short_static_list_with_displays(cards: list[Json]) -> None:
    lists = set()
    for card in cards:
        reasons = card["overrideReasons"]
        assert all(reason.keys() == {"code", "system", "display"} for reason in reasons)
        assert all(text.strip() for reason in reasons for text in reason.values())
        assert len({reason["code"] for reason in reasons}) == len(reasons) <= 8
        lists.add((card["source"]["topic"]["code"], str(reasons)))
    assert len(lists) == len({topic for topic, _ in lists})


@pytest.mark.req("L2")
def test_each_override_reason_has_one_of_the_suggested_categories_or_none(knowledge: Knowledge) -> None:
    categories = {
        "cds-not-applicable",
        "cds-suboptimal-context",
        "does-not-align-preferences",
        "recipient-concerns-outcomes",
        "",
    }
    found = {reason.category for topic in knowledge.card_topics for reason in topic.override_reasons}
    assert found == categories


@pytest.mark.req("H9")
@pytest.mark.req("M1")
@pytest.mark.req("M2")
@pytest.mark.req("M4")
@pytest.mark.req("M5")
def test_links_have_their_members_and_no_others(cards: list[Json]) -> None:
    assert {link["type"] for link in links(cards)} == {"absolute", "smart"}
    for link in links(cards):
        assert link.keys() == {"label", "url", "type"}
        assert link["label"].strip()
        parts = urlsplit(link["url"])
        assert parts.scheme == "https"
        assert parts.hostname
        assert not parts.username
        if link["type"] == "smart":
            assert not parts.query, "the EHR adds iss and launch"


@pytest.mark.req("M3")
@pytest.mark.req("R1")
@pytest.mark.req("I3")
def test_no_address_holds_anything_of_a_chart(asked: list[Asked]) -> None:
    addresses = {
        path_value[1]
        for one in asked
        for path_value in values_of(one.body)
        if path_value[0].endswith("/url") and isinstance(path_value[1], str)
    }
    texts = {text for patient in PATIENTS for text in words(patient)}
    assert addresses
    for address in addresses:
        assert not any(text in address for text in texts if "://" not in text)
        assert not any(patient.resources[0]["id"] in address for patient in PATIENTS)


@pytest.mark.req("R5")
def test_critical_is_kept_for_a_relapse_that_is_certain(asked: list[Asked]) -> None:
    statuses = {
        one.patient.expect.status for one in asked for c in one.body["cards"] if c["indicator"] == "critical"
    }
    assert statuses
    assert statuses <= {"relapse", "refractory"}


@pytest.mark.req("S1")
@pytest.mark.req("S2")
def test_extensions_are_off_and_named_like_a_domain_when_on(knowledge: Knowledge, asked: list[Asked]) -> None:
    from cds_service.app_state import parts_of
    from tests.conformance.answering import RELAPSED, make_service

    assert not any(path.endswith("/extension") for one in asked for path, _ in values_of(one.body))
    app = make_service(knowledge, explain=True)
    body = send(app.test_client(), request_of(RELAPSED)).json
    parts_of(app).close()
    assert isinstance(body["extension"], dict)
    assert all(re.fullmatch(r"org\.relapse-cds\.[a-z-]+", name) for name in body["extension"])


@pytest.mark.req("R3")
def test_cards_are_the_same_for_every_hook_of_the_same_chart(caller: FlaskClient) -> None:
    patient = next(one for one in PATIENTS if one.expect.topics)
    body = request_of(patient)
    viewed = send(caller, body).json["cards"]
    context = {**body["context"], "encounterId": "e1"}
    started = {**body, "hook": "encounter-start", "context": context}
    answer = send(caller, started, "/cds-services/all-relapse-encounter-start").json["cards"]
    assert answer == viewed
