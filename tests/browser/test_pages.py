"""The pages beside the demo EHR: readable, accessible, and every link leads somewhere."""

from __future__ import annotations

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from cds_service.demo.application import DemoPlace
from tests.browser.chromium import serious_findings, watched_page
from tests.browser.opening import open_chart
from tests.live_service import fire

ATTRIBUTES = "/cds-services/all-relapse/source-attributes"
PAGES = (
    "/",
    "/demo/",
    "/clinical/",
    "/clinical/decisions",
    "/clinical/traceability",
    "/operator/",
    ATTRIBUTES,
)
WHOLE = "/clinical/rules"
"""The index of the rules, with what every case takes for granted and the sources."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_accessible(page: Page, demo: DemoPlace, path: str, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(demo.url + path)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert serious_findings(page) == []


def test_the_longest_page_is_accessible_on_a_phone(page: Page, demo: DemoPlace) -> None:
    page.set_viewport_size({"width": 375, "height": 800})
    page.goto(demo.url + WHOLE)
    assert serious_findings(page) == []


@pytest.mark.parametrize("path", [*PAGES, WHOLE])
def test_every_page_fits_a_phone_and_a_side_bar(page: Page, demo: DemoPlace, path: str) -> None:
    for width in (320, 480):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(demo.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("path", PAGES)
def test_every_link_of_a_page_leads_somewhere(page: Page, demo: DemoPlace, path: str) -> None:
    page.goto(demo.url + path)
    links = set(page.evaluate("[...document.links].map((link) => link.href.split('#')[0])"))
    own = {link for link in links if link.startswith(demo.url)}
    assert f"{demo.url}/" in own
    answers = {link: requests.get(link, timeout=120).status_code for link in own}
    assert {link: status for link, status in answers.items() if status != 200} == {}


@pytest.mark.parametrize("path", PAGES)
def test_every_page_forbids_whatever_is_not_our_own(demo: DemoPlace, path: str) -> None:
    headers = requests.get(demo.url + path, headers={"Accept": "text/html"}, timeout=120).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_policy_is_in_force(browser: Browser, demo: DemoPlace) -> None:
    """The watch over the pages of the other tests would notice: here it is shown to."""
    with watched_page(browser, demo.url) as (page, watch):
        page.goto(f"{demo.url}/")
        page.evaluate("document.body.innerHTML += '<b style=\"color:red\">x</b>'")
        page.wait_for_function("window.policyViolations.length > 0")
    assert any("style-src" in complaint for complaint in watch.complaints)


def test_the_start_page_says_what_it_is_and_whether_it_works(page: Page, demo: DemoPlace) -> None:
    page.goto(f"{demo.url}/")
    expect(page.get_by_role("heading", name="What it is not")).to_be_visible()
    expect(page.get_by_text("No card is no all-clear.")).to_be_visible()
    status = page.get_by_role("region", name="This service now")
    expect(status).to_contain_text("Store: writable")
    expect(status).to_contain_text("draft, not approved by a clinician")
    digest = requests.get(f"{demo.url}/version", timeout=120).json()["knowledge"]["digest"]
    expect(status).to_contain_text(digest)


def test_discovery_stands_on_the_start_page_as_a_table(page: Page, demo: DemoPlace) -> None:
    page.goto(f"{demo.url}/")
    service = requests.get(f"{demo.url}/cds-services", timeout=120).json()["services"][0]
    table = page.get_by_role("region", name="Prefetch keys")
    for key, template in service["prefetch"].items():
        row = table.get_by_role("row").filter(has=page.get_by_role("rowheader", name=key, exact=True))
        row.locator("summary").click()
        expect(row.locator(".template")).to_have_text(template)
        expect(row).to_contain_text(f"patient/{template.split('?')[0].split('/')[0]}.rs")


def test_the_keyboard_reaches_the_content_first(page: Page, demo: DemoPlace) -> None:
    page.goto(f"{demo.url}/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_a_clinical_document_is_read_with_its_tables(page: Page, demo: DemoPlace) -> None:
    page.goto(f"{demo.url}/clinical/")
    page.locator("main").get_by_role("link", name="Clinical decisions").click()
    expect(page.get_by_role("heading", name="Clinical decisions", level=1)).to_be_visible()
    expect(page.get_by_role("heading", name="Questions for a clinician")).to_be_visible()
    expect(page.get_by_role("columnheader", name="What is built")).to_be_visible()
    page.get_by_text("Contents", exact=True).click()
    page.locator(".contents").get_by_role("link", name="Options").click()
    expect(page.locator("#options")).to_be_in_viewport()


def test_the_whole_of_what_is_reviewed_is_there(page: Page, demo: DemoPlace) -> None:
    page.goto(f"{demo.url}/clinical/rules")
    for heading in ("Rules and their review", "References", "Sources"):
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_attached()
    assert page.locator(".document table").count() >= 3
    page.locator(".document").get_by_role("link", name="criterion-A").click()
    expect(page.get_by_role("heading", name="Decision table")).to_be_attached()
    page.locator(".document").get_by_role("link", name="rules").first.click()
    page.locator(".document").get_by_role("link", name="traceability").first.click()
    expect(page.get_by_role("heading", name="Traceability", level=1)).to_be_visible()


def test_the_operator_sees_calls_and_no_patient(page: Page, demo: DemoPlace) -> None:
    page.goto(f"{demo.url}/operator/")
    before = int(page.locator(".tiles dd").first.inner_text())
    assert fire(demo, "early-marrow").status == 200
    assert fire(demo, "healthy").status == 200
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".tiles dd").first).to_have_text(str(before + 2))
    expect(page.get_by_role("img", name="Calls a day")).to_be_visible()
    expect(page.get_by_role("region", name="By rule version and tenant")).to_contain_text("demo")
    expect(page.locator("body")).not_to_contain_text("early-marrow")


def test_pages_print_without_what_cannot_be_used_on_paper(page: Page, demo: DemoPlace) -> None:
    open_chart(page, demo, "early-marrow")
    page.emulate_media(media="print")
    expect(page.locator("article.card h3").first).to_be_visible()
    expect(page.locator(".charts")).to_be_hidden()
    expect(page.get_by_role("button", name="Draft a clinical trial referral")).to_be_hidden()
