"""Each switch of the demo EHR, so that an integrator sees what the service does then.

The tests after which the service leaves the sandbox alone for a while stand last.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import sleep

import pytest
import requests
from playwright.sync_api import Page, expect

from cds_service.demo.application import DemoPlace
from tests.browser.chromium import Watch
from tests.browser.opening import open_chart, open_demo, switch, topics, wait_for_answer
from tests.live_service import fire

PATIENT = "isolated-cns"


@pytest.fixture(autouse=True)
def _sandbox_works_again(demo: DemoPlace, watch: Watch) -> Iterator[None]:
    watch.refusals = {412, 503}
    yield
    answer = {"fault": "none", "patient": PATIENT}
    assert requests.put(f"{demo.url}/demo/ehr/fault", json=answer, timeout=120).status_code == 200


def opened(page: Page, demo: DemoPlace, **switches: object) -> None:
    open_demo(page, demo)
    switch(page, **switches)  # type: ignore[arg-type]
    page.locator(f'.patient[data-patient="{PATIENT}"]').click()
    wait_for_answer(page)


def refusal(page: Page) -> str:
    expect(page.get_by_role("heading", name="The service did not evaluate: HTTP 412")).to_be_visible()
    assert topics(page) == []
    return page.locator(".refusal").inner_text()


@pytest.fixture
def asked(demo: DemoPlace) -> None:
    """The service asks the sandbox again, after the pause that follows failures."""
    for _ in range(480):
        if fire(demo, PATIENT, prefetch=False).status == 200:
            return
        sleep(0.25)
    pytest.fail("the service does not ask the sandbox any more")


@pytest.fixture
def usual(page: Page, demo: DemoPlace) -> list[str]:
    """The cards that this patient's chart shows when all is well."""
    open_chart(page, demo, PATIENT)
    found = topics(page)
    assert found
    return found


def test_without_prefetch_the_service_reads_for_itself(
    page: Page, demo: DemoPlace, asked: None, usual: list[str]
) -> None:
    opened(page, demo, prefetch="none")
    assert topics(page) == usual
    assert page.locator(".prefetch").count() == 0


def test_what_a_partial_prefetch_leaves_out_is_read(
    page: Page, demo: DemoPlace, asked: None, usual: list[str]
) -> None:
    opened(page, demo, prefetch="partial")
    expect(page.get_by_text("left out: marrow, blood, csf")).to_be_visible()
    assert topics(page) == usual


@pytest.mark.parametrize("prefetch", ["partial", "none"])
def test_without_access_what_is_missing_is_no_all_clear(page: Page, demo: DemoPlace, prefetch: str) -> None:
    opened(page, demo, prefetch=prefetch, access=False)
    assert "This is not a negative result." in refusal(page)


@pytest.mark.parametrize("prefetch", ["full", "none"])
def test_another_patients_data_refuse_the_evaluation(
    page: Page, demo: DemoPlace, asked: None, prefetch: str
) -> None:
    opened(page, demo, fault="wrong-patient", prefetch=prefetch)
    assert "Data of another patient" in refusal(page)


def test_once_the_server_works_again_the_cards_are_back(
    page: Page, demo: DemoPlace, usual: list[str]
) -> None:
    opened(page, demo, fault="down")
    refusal(page)
    page.get_by_label("FHIR server", exact=True).select_option("none")
    expect(page.locator("article.card").first).to_be_visible()
    assert topics(page) == usual


def test_a_slow_server_costs_data_and_not_the_users_time(page: Page, demo: DemoPlace, asked: None) -> None:
    opened(page, demo, fault="slow", prefetch="none")
    assert "This is not a negative result." in refusal(page)


@pytest.mark.parametrize("prefetch", ["full", "none"])
def test_a_server_that_is_down_is_no_all_clear(page: Page, demo: DemoPlace, prefetch: str) -> None:
    opened(page, demo, fault="down", prefetch=prefetch)
    assert "conditions" in refusal(page)
