"""What a user does with cards: orders land in the sandbox, cards that were set aside stay away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Page, expect

from cds_service.demo.application import DemoPlace
from tests.browser.chromium import Watch
from tests.browser.opening import card, open_chart, open_demo, orders, reopen, topics, wait_for_answer


@pytest.fixture(autouse=True)
def _as_it_was(demo: DemoPlace) -> Iterator[None]:
    yield
    assert requests.post(f"{demo.url}/demo/ehr/afresh", json={}, timeout=120).status_code == 200


def held_orders(demo: DemoPlace, patient: str) -> list[dict[str, object]]:
    token = demo.tokens.issue(patient)
    found = requests.get(
        f"{demo.fhir_server}/ServiceRequest",
        params={"patient": patient},
        headers={"Authorization": f"Bearer {token}"},
        timeout=120,
    ).json()
    return [entry["resource"] for entry in found.get("entry", [])]


def test_an_accepted_suggestion_is_a_draft_in_the_chart(page: Page, demo: DemoPlace) -> None:
    assert held_orders(demo, "late-marrow") == []
    open_chart(page, demo, "late-marrow")
    expect(orders(page)).to_contain_text("Draft orders (0)")
    trial = card(page, "allTrialReferral")
    trial.get_by_role("button", name="Draft a clinical trial referral").click()
    expect(trial.locator(".outcome")).to_contain_text("The service was told.")
    expect(orders(page)).to_contain_text("Draft orders (1)")
    expect(orders(page)).to_contain_text("draft, proposal")
    (order,) = held_orders(demo, "late-marrow")
    assert (order["status"], order["intent"]) == ("draft", "proposal")
    assert order["subject"] == {"reference": "Patient/late-marrow"}
    assert str(order["id"]) in trial.locator(".outcome").inner_text()
    reopen(page)
    assert "allTrialReferral" not in topics(page)
    assert "allFinding" in topics(page)


def test_a_card_that_was_set_aside_is_quiet_when_the_chart_is_opened_again(
    page: Page, demo: DemoPlace
) -> None:
    open_chart(page, demo, "t-lineage")
    before = topics(page)
    transplant = card(page, "allHsctEvaluation")
    transplant.get_by_text("Set this card aside").click()
    transplant.get_by_label("Reason").select_option(label="Does not fit the goals of care")
    transplant.get_by_label("Comment").fill("family decides <b>later</b>")
    transplant.get_by_role("button", name="Set aside").click()
    expect(transplant.locator(".outcome")).to_have_text(
        "Set aside: Does not fit the goals of care. The service was told."
    )
    expect(page.locator('[data-name="feedback"] summary')).to_contain_text("feedback: 200")
    reopen(page)
    assert topics(page) == [topic for topic in before if topic != "allHsctEvaluation"]
    page.goto(f"{demo.url}/operator/")
    expect(page.get_by_role("region", name="Why cards were set aside")).to_contain_text("goals of care")
    expect(page.locator("main")).not_to_contain_text("family decides")


def test_a_card_can_be_set_aside_without_a_reason(page: Page, demo: DemoPlace) -> None:
    open_chart(page, demo, "testicular")
    shown = topics(page)
    last = page.locator("article.card").last
    last.get_by_text("Set this card aside").click()
    last.get_by_role("button", name="Set aside").click()
    expect(last.locator(".outcome")).to_have_text("Set aside. The service was told.")
    reopen(page)
    # What it left room for may come in its place.
    assert topics(page)[: len(shown) - 1] == shown[:-1]
    assert shown[-1] not in topics(page)


def test_a_new_start_brings_cards_back_and_takes_orders_away(page: Page, demo: DemoPlace) -> None:
    open_chart(page, demo, "probable")
    before = topics(page)
    suggestion = page.locator("button.suggestion").first
    suggestion.click()
    expect(suggestion).to_be_disabled()
    expect(orders(page)).to_contain_text("(1)")
    reopen(page)
    assert topics(page) != before
    page.get_by_role("button", name="Start afresh").click()
    expect(page.get_by_text("All charts are as they were.")).to_be_visible()
    expect(page.locator("article.card")).to_have_count(len(before))
    expect(orders(page)).to_contain_text("(0)")
    assert topics(page) == before


def test_an_order_that_cannot_be_stored_is_not_reported_as_accepted(
    page: Page, demo: DemoPlace, watch: Watch
) -> None:
    watch.refusals = {503}
    open_chart(page, demo, "cd19-negative")
    page.route("**/demo/fhir/ServiceRequest", lambda route: route.fulfill(status=503, json={}))
    trial = card(page, "allTrialReferral")
    told: list[str] = []
    page.on("request", lambda request: told.append(request.url) if "feedback" in request.url else None)
    trial.locator("button.suggestion").click()
    expect(trial.locator(".outcome")).to_contain_text("could not be drafted")
    expect(trial.locator("button.suggestion")).to_be_enabled()
    assert told == []
    page.unroute("**/demo/fhir/ServiceRequest")


def test_a_chart_is_opened_and_a_card_is_set_aside_by_keyboard_alone(page: Page, demo: DemoPlace) -> None:
    open_demo(page, demo)
    focus_by_key(page, '.patient[data-patient="late-marrow"]')
    page.keyboard.press("Enter")
    wait_for_answer(page)
    finding = 'article.card[data-topic="allFinding"]'
    focus_by_key(page, f"{finding} .override summary")
    page.keyboard.press("Enter")
    focus_by_key(page, f"{finding} .override button")
    page.keyboard.press("Enter")
    expect(card(page, "allFinding")).to_contain_text("The service was told.")


def focus_by_key(page: Page, selector: str) -> None:
    """Goes there with the tabulator key; what has the focus is always outlined."""
    for _ in range(80):
        page.keyboard.press("Tab")
        width = page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
        assert width >= 2
        if page.evaluate("(one) => document.activeElement === document.querySelector(one)", selector):
            return
    raise AssertionError(f"not reached by key: {selector}")
