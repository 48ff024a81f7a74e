"""The timeline as a clinician sees it: in a window, in a side-bar, in print, by keyboard, after a launch."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Dialog, Page, expect

from cds_service.app import create_app
from cds_service.app_state import parts_of
from cds_service.demo.application import LOCAL_CODES, DemoPlace
from cds_service.demo.demo_patients import DemoPatient, load_patients
from cds_service.settings.model import Settings, Tenant
from tests.browser.chromium import Watch, serious_findings, watched_page
from tests.smart.authorization_server import AuthorizationServer, running_ehr, serving

WHOLE = "cd19-negative"
"""The demonstration's patient with the longest course."""


_SCALE = """() => {
  const drawing = document.querySelector("#picture svg");
  return drawing.getBoundingClientRect().width / drawing.viewBox.baseVal.width;
}"""
_SCROLLED_TABLES = """() => [...document.querySelectorAll("main .table-scroll")]
  .filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.ariaLabel)"""
_LABELS_OUTSIDE = """() => {
  const frame = document.querySelector("#picture svg").getBoundingClientRect();
  const outside = (box) => box.left < frame.left - 4 || box.right > frame.right + 4;
  return [...document.querySelectorAll("#picture text")]
    .filter((text) => outside(text.getBoundingClientRect())).map((text) => text.textContent);
}"""


def open_timeline(page: Page, demo: DemoPlace, patient: str = WHOLE) -> None:
    """The timeline of a demonstration patient, drawn."""
    page.goto(f"{demo.url}/timeline/?patient={patient}")
    expect(page.locator("#picture svg")).to_be_visible()


def texts(page: Page) -> list[str]:
    """Every text of the drawing."""
    return [text.strip() for text in page.locator("#picture svg text").all_text_contents()]


def test_thresholds_samples_and_phases_are_drawn(page: Page, demo: DemoPlace) -> None:
    open_timeline(page, demo)
    shown = texts(page)
    for line in (
        "> 50 % · A",
        "> 25 % · B, C",
        "≥ 2 % · C",
        "> 5 /µL · E",
        "< 0.01 % · negative, HSCT R3",
    ):
        assert line in shown
    assert {"Remission", "Relapse", "Diagnosis", "Allogeneic HSCT", "Blinatumomab"} <= set(shown)
    assert page.locator("#picture .sample").count() == 18
    assert page.locator("#picture .ring").count() == 4
    assert shown.count("A, C") == 2


def test_a_sample_above_a_line_is_drawn_above_it(page: Page, demo: DemoPlace) -> None:
    open_timeline(page, demo)
    line = page.locator("#picture text", has_text="> 50 % · A").bounding_box()
    high = page.locator("#picture .marrow .sample.fired").first.bounding_box()
    low = page.locator("#picture .marrow .sample:not(.fired)").last.bounding_box()
    assert line is not None
    assert high is not None
    assert low is not None
    assert high["y"] < line["y"] < low["y"]


def test_samples_are_read_one_by_one_with_the_keyboard(page: Page, demo: DemoPlace) -> None:
    open_timeline(page, demo)
    page.get_by_role("button", name="Previous sample").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#readout")).to_contain_text("CSF leukocytes 0 /µL (no blasts, CNS1)")
    page.keyboard.press("Enter")
    expect(page.locator("#readout")).to_contain_text("Meets")
    assert page.locator("#picture .cursor").count() == 1


def test_the_time_shown_can_be_narrowed(page: Page, demo: DemoPlace) -> None:
    open_timeline(page, demo)
    before = page.locator("#picture .sample").count()
    page.get_by_role("button", name="Last 90 days").click()
    assert page.locator("#picture .sample").count() < before
    expect(page.get_by_role("button", name="Last 90 days")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="All", exact=True).click()
    assert page.locator("#picture .sample").count() == before


@pytest.mark.parametrize("width", [320, 360, 400])
def test_it_fits_a_side_bar(page: Page, demo: DemoPlace, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    open_timeline(page, demo)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # Text is as large as its style says only when the drawing is not scaled down.
    assert page.evaluate(_SCALE) == pytest.approx(1, abs=0.03)
    assert page.evaluate(_LABELS_OUTSIDE) == []
    assert page.evaluate(_SCROLLED_TABLES) == []
    assert serious_findings(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("patient", [WHOLE, "early-marrow", "healthy", "hostile-text"])
def test_nothing_serious_for_assistive_technology(
    browser: Browser, demo: DemoPlace, scheme: str, patient: str
) -> None:
    with watched_page(browser, demo.url, color_scheme=scheme) as (page, watch):
        open_timeline(page, demo, patient)
        assert serious_findings(page) == []
        picture = page.locator("#picture svg")
        assert picture.get_attribute("role") == "img"
        described = page.locator(f"#{picture.get_attribute('aria-describedby')}")
        expect(described).to_contain_text("tables below")
    assert watch.complaints == []


def test_every_sample_is_in_a_table(page: Page, demo: DemoPlace) -> None:
    open_timeline(page, demo)
    table = page.get_by_role("region", name="Table: All samples")
    assert table.locator("tbody tr").count() == page.locator("#picture .sample").count()
    expect(table).to_contain_text("A, C")


def test_it_prints_black_on_white_without_controls(page: Page, demo: DemoPlace, tmp_path: Path) -> None:
    open_timeline(page, demo)
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("#print")).to_be_hidden()
    expect(page.locator("#reading")).to_be_hidden()
    expect(page.locator(".site-header nav")).to_be_hidden()
    expect(page.locator("#picture svg")).to_be_visible()
    expect(page.get_by_role("region", name="Table: All samples")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.pdf(path=tmp_path / "timeline.pdf", format="A4")
    assert (tmp_path / "timeline.pdf").stat().st_size > 20_000


def test_without_scripts_the_tables_hold_everything(browser: Browser, demo: DemoPlace) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{demo.url}/timeline/?patient={WHOLE}")
    expect(page.locator("noscript p")).to_contain_text("The picture needs JavaScript")
    expect(page.get_by_role("region", name="Table: All samples")).to_contain_text("71 %")
    context.close()


def test_hostile_text_is_only_text(page: Page, demo: DemoPlace) -> None:
    dialogs: list[str] = []

    def noted(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", noted)
    open_timeline(page, demo, "hostile-text")
    assert dialogs == []
    assert page.locator("main script:not([type='application/json'])").count() == 0
    assert page.locator("main img, main b, main svg[onload]").count() == 0
    expect(page.locator(".patient")).to_contain_text("Robin <b>Tables</b>")


@pytest.mark.parametrize("patient", load_patients(datetime.now(UTC).date()), ids=lambda one: one.id)
def test_every_demonstration_patient_can_be_opened(page: Page, demo: DemoPlace, patient: DemoPatient) -> None:
    open_timeline(page, demo, patient.id)
    status = patient.expect.status.replace("-", " ")
    expect(page.locator(".headline .badge")).to_have_text(status)


def test_the_start_page_and_refusals_are_accessible(page: Page, demo: DemoPlace, watch: Watch) -> None:
    page.goto(f"{demo.url}/timeline/")
    assert serious_findings(page) == []
    expect(page.get_by_role("link", name="Lucía Ejemplo")).to_be_visible()
    watch.refusals.add(403)
    page.goto(f"{demo.url}/timeline/launch?iss=https://evil.example.org/fhir")
    expect(page.get_by_role("heading", name="This FHIR server is not known here")).to_be_visible()
    assert serious_findings(page) == []


# ---- a launch in a browser -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def launched() -> Iterator[tuple[str, AuthorizationServer]]:
    """A service and an EHR on sockets of their own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    today = datetime.now(UTC).date()
    charts = [resource for patient in load_patients(today) for resource in patient.resources]
    ehr = AuthorizationServer(
        redirect_uris=frozenset({f"{url}/timeline/callback"}), chosen_patient="isolated-cns"
    )
    with running_ehr(ehr, charts):
        tenant = Tenant(
            id="general",
            allow_private=True,
            fhir_servers=(ehr.iss,),
            smart_client_id=ehr.client_id,
            codes=LOCAL_CODES,
        )
        app: Flask = create_app(Settings.embedded(public_url=url, tenants=(tenant,)))
        try:
            with serving(app, port=port):
                yield url, ehr
        finally:
            parts_of(app).close()


def test_an_ehr_launch_in_a_browser(browser: Browser, launched: tuple[str, AuthorizationServer]) -> None:
    url, ehr = launched
    with watched_page(browser, url) as (page, watch):
        page.goto(f"{url}/timeline/?iss={ehr.iss}&launch={ehr.launch_for('early-marrow')}")
        expect(page.locator("#picture svg")).to_be_visible()
        assert page.url.startswith(f"{url}/timeline/chart/")
        assert page.evaluate("document.cookie") == ""
        assert page.evaluate("Object.keys(localStorage).length + Object.keys(sessionStorage).length") == 0
        page.reload()
        expect(page.locator(".patient")).to_contain_text("early-marrow")
    assert set(watch.complaints) <= {f"called {ehr.url}"}


def test_a_standalone_launch_from_the_form(
    browser: Browser, launched: tuple[str, AuthorizationServer]
) -> None:
    url, ehr = launched
    with watched_page(browser, url) as (page, watch):
        page.goto(f"{url}/timeline/")
        page.get_by_label("FHIR address of your EHR").fill(ehr.iss)
        page.get_by_role("button", name="Sign in and choose a patient").click()
        expect(page.locator("#picture svg")).to_be_visible()
        expect(page.locator(".patient")).to_contain_text("isolated-cns")
    assert set(watch.complaints) <= {f"called {ehr.url}"}
