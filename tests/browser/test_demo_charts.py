"""Every demo patient opened in a browser: what is asserted is what can be seen."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from cds_service.demo.application import DemoPlace
from cds_service.demo.demo_patients import DemoPatient, load_patients
from tests.browser.chromium import serious_findings
from tests.browser.opening import card, open_chart, open_demo, topics

PATIENTS = load_patients(datetime.now(UTC).date())


@pytest.mark.parametrize("patient", PATIENTS, ids=lambda patient: patient.id)
def test_every_chart_shows_the_expected_cards(page: Page, demo: DemoPlace, patient: DemoPatient) -> None:
    open_chart(page, demo, patient.id)
    assert topics(page) == list(patient.expect.topics)
    expect(page.locator("#chart-title")).to_have_text(patient.name)
    if not patient.expect.topics:
        expect(page.get_by_text("The service has nothing to say about this chart.")).to_be_visible()
    else:
        shown = page.locator("article.card").first
        expect(shown.locator("h3")).not_to_be_empty()
        expect(shown.locator(".detail")).to_be_visible()
        expect(shown.locator(".source")).to_contain_text("Source: ")
    answer = json.loads(page.locator('[data-name="response"] pre').inner_text())
    assert answer["extension"]["org.relapse-cds.assessment"]["status"] == patient.expect.status


def test_a_finding_is_shown_with_its_evidence(page: Page, demo: DemoPlace) -> None:
    open_chart(page, demo, "early-marrow")
    finding = card(page, "allFinding")
    expect(finding.locator(".badge")).to_have_text("critical")
    expect(finding.locator("h3")).to_contain_text("Relapsed B-ALL, early, isolated marrow")
    expect(finding.locator(".detail")).to_contain_text("marrow lymphoblasts 82 %")
    expect(finding.locator(".detail strong").first).to_be_visible()
    expect(finding.locator(".detail li").first).to_be_visible()
    colour = "element => getComputedStyle(element).borderLeftColor"
    assert finding.evaluate(colour) != card(page, "allTrialReferral").evaluate(colour)


def test_request_and_answer_are_readable_beside_the_cards(page: Page, demo: DemoPlace) -> None:
    open_chart(page, demo, "early-marrow")
    request = json.loads(page.locator('[data-name="request"] pre').inner_text())
    assert request["hook"] == "patient-view"
    assert request["context"] == {"userId": "Practitioner/demo", "patientId": "early-marrow"}
    assert request["fhirServer"] == demo.fhir_server
    assert request["fhirAuthorization"]["access_token"].endswith("(shortened here)")
    page.get_by_text("prefetch: ", exact=False).first.click()
    marrow = page.locator('.prefetch [data-name="marrow"]')
    marrow.locator("summary").click()
    assert json.loads(marrow.locator("pre").inner_text())["resourceType"] == "Bundle"


def test_links_open_outside_and_tell_nothing(page: Page, demo: DemoPlace) -> None:
    open_chart(page, demo, "early-marrow")
    links = page.locator("article.card a").all()
    assert len(links) > 3
    assert {link.get_attribute("rel") for link in links} == {"noopener noreferrer"}
    assert {link.get_attribute("target") for link in links} == {"_blank"}
    smart = card(page, "allFinding").get_by_role("link", name="SMART app")
    assert smart.get_attribute("href") == f"{demo.url}/timeline/?patient=early-marrow"


def test_markup_in_a_chart_is_text_everywhere(page: Page, demo: DemoPlace) -> None:
    open_chart(page, demo, "hostile-text")
    expect(page.locator("#record details").first).to_be_visible()
    for closed in page.locator("details:not([open]) > summary").all():
        if closed.is_visible():
            closed.click()
    expect(page.locator("#chart-title")).to_have_text("Robin <b>Tables</b> Primjer")
    expect(page.locator("#record")).to_contain_text("<script>alert('x')</script>")
    assert page.locator("#ehr :is(script, img, svg, iframe, b, object, embed, form[action])").count() == 0
    addresses = page.evaluate("[...document.querySelectorAll('#ehr a')].map((link) => link.protocol)")
    assert set(addresses) <= {"http:", "https:"}


HOSTILE_DETAIL = """**bold** <b>raw</b> <img src=x onerror=alert(1)> ![x](https://tracker.invalid/x.png)
[script](javascript:alert(1)) [data](data:text/html,x) [good](https://www.cancer.gov/) https://bare.invalid/

| sample | % |
|:--|--:|
| marrow | 82 |
"""


def test_detail_is_rendered_as_github_markdown_without_html(page: Page, demo: DemoPlace) -> None:
    card_with_everything = {
        "uuid": "1", "summary": "<i>summary</i>", "indicator": "warning", "detail": HOSTILE_DETAIL,
        "source": {"label": "<u>label</u>", "url": "javascript:alert(2)"},
        "links": [{"label": "away", "url": "javascript:alert(3)", "type": "absolute"}],
    }  # fmt: skip
    page.route(
        "**/cds-services/all-relapse", lambda route: route.fulfill(json={"cards": [card_with_everything]})
    )
    open_chart(page, demo, "healthy")
    shown = page.locator("article.card.warning")
    expect(shown.locator("h3")).to_have_text("<i>summary</i>")
    expect(shown.locator(".detail strong")).to_have_text("bold")
    expect(shown.locator(".detail")).to_contain_text("<b>raw</b> <img src=x onerror=alert(1)>")
    expect(shown.locator(".detail td.align-right")).to_have_text("82")
    expect(shown.locator(".source")).to_have_text("Source: <u>label</u>")
    assert shown.locator(":is(b, i, u, img, script, [style])").count() == 0
    links = shown.locator("a").evaluate_all("links => links.map((link) => link.href)")
    assert links == ["https://www.cancer.gov/"]


def test_a_chart_can_be_opened_by_its_address(page: Page, demo: DemoPlace) -> None:
    page.goto(f"{demo.url}/demo/#mrd-due")
    expect(card(page, "allMrd")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_demo_ehr_is_accessible(page: Page, demo: DemoPlace, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    open_chart(page, demo, "early-marrow")
    expect(page.locator("#record details").first).to_be_visible()
    page.evaluate("document.querySelectorAll('article.card details').forEach((one) => { one.open = true; })")
    assert serious_findings(page) == []


@pytest.mark.parametrize("width", [320, 420, 760])
def test_nothing_is_cut_off_in_a_narrow_window(page: Page, demo: DemoPlace, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    open_demo(page, demo)
    open_chart(page, demo, "early-marrow")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.locator("#progress")).to_be_in_viewport()
