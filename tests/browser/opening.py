"""Opening charts in the demo EHR as a user does."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from cds_service.demo.application import DemoPlace


def open_demo(page: Page, demo: DemoPlace) -> None:
    """The demo EHR with no chart open."""
    page.goto(f"{demo.url}/demo/")


def open_chart(page: Page, demo: DemoPlace, patient: str) -> None:
    """Opens the demo EHR and a patient's chart in it, and waits for the answer."""
    open_demo(page, demo)
    page.locator(f'.patient[data-patient="{patient}"]').click()
    wait_for_answer(page)


def reopen(page: Page) -> None:
    """Opens the chart that is open once more."""
    page.get_by_role("button", name="Open the chart again").click()
    wait_for_answer(page)


def switch(page: Page, *, prefetch: str = "full", fault: str = "none", access: bool = True) -> None:
    """Sets the switches of a demo EHR in which no chart is open."""
    page.get_by_label("Prefetch", exact=True).select_option(prefetch)
    page.get_by_label("FHIR server", exact=True).select_option(fault)
    page.get_by_label("hand over access").set_checked(access)


def wait_for_answer(page: Page) -> None:
    """Waits until the answer of the newest opening is shown."""
    expect(page.locator('[data-name="response"]')).to_be_visible(timeout=120_000)
    expect(page.get_by_text("The chart is being opened")).to_have_count(0)


def topics(page: Page) -> list[str]:
    """The topics of the cards that can be seen, in order."""
    cards = page.locator("article.card")
    return [str(card.get_attribute("data-topic")) for card in cards.all() if card.is_visible()]


def card(page: Page, topic: str) -> Locator:
    """The card of a topic."""
    return page.locator(f'article.card[data-topic="{topic}"]')


def orders(page: Page) -> Locator:
    """The draft orders in the chart."""
    return page.locator('#record [data-type="ServiceRequest"]')
