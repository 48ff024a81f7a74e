"""Pictures of the main pages for the documentation: ``python -m tests.browser.screenshots [FOLDER]``.

They show the demonstration of the day on which they are taken.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Browser, Page

from cds_service.demo.application import DemoPlace
from tests.browser.chromium import CHROMIUM, chromium, watched_page
from tests.browser.opening import wait_for_answer
from tests.live_service import fire, live_demo

FOLDER = Path(__file__).parents[2] / "docs" / "img"
WIDE: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
TALL: dict[str, Any] = {"viewport": {"width": 1100, "height": 1240}}
SIDE_BAR: dict[str, Any] = {"viewport": {"width": 420, "height": 900}, "device_scale_factor": 2}
DARK: dict[str, Any] = {"color_scheme": "dark"}


def as_it_opens(page: Page) -> None:
    """Nothing is done."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: file name, address, the browser's settings, what is done before it is taken."""

    name: str
    path: str
    context: dict[str, Any] = field(default_factory=lambda: WIDE)
    before: Callable[[Page], None] = as_it_opens


def chart_opened(page: Page) -> None:
    """The answer is there, and so is the chart behind it."""
    wait_for_answer(page)
    page.locator("#record details").first.wait_for()


def server_down(page: Page) -> None:
    """The same chart while the FHIR server is down."""
    chart_opened(page)
    page.get_by_label("FHIR server", exact=True).select_option("down")
    page.locator(".refusal").wait_for()


def sample_read(page: Page) -> None:
    """The newest sample but one is read out below the timeline."""
    page.locator("#picture svg").wait_for()
    for _ in range(2):
        page.get_by_role("button", name="Previous sample").click()


PICTURES = (
    Picture("start", "/"),
    Picture("demo-ehr", "/demo/#early-marrow", before=chart_opened),
    Picture("demo-ehr-dark", "/demo/#t-lineage", WIDE | DARK, chart_opened),
    Picture("demo-ehr-side-bar", "/demo/#mrd-due", SIDE_BAR, chart_opened),
    Picture("timeline", "/timeline/?patient=cd19-negative", TALL, sample_read),
    Picture("timeline-dark", "/timeline/?patient=mrd-due", TALL | DARK),
    Picture("timeline-side-bar", "/timeline/?patient=early-marrow", SIDE_BAR),
    Picture("clinical", "/clinical/decisions"),
    Picture("operator", "/operator/"),
    # Last, since the server is down for everybody.
    Picture("demo-ehr-server-down", "/demo/#isolated-cns", before=server_down),
)


def take(demo: DemoPlace, browser: Browser, folder: Path) -> list[str]:
    """Writes every picture and returns what the pages did that they may not do."""
    folder.mkdir(parents=True, exist_ok=True)
    complaints: list[str] = []
    for picture in PICTURES:
        with watched_page(browser, demo.url, **picture.context) as (page, watch):
            watch.refusals = {412, 503}
            page.goto(demo.url + picture.path)
            picture.before(page)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=folder / f"{picture.name}.png")
        complaints += [f"{picture.name}: {complaint}" for complaint in watch.complaints]
    return complaints


def use(demo: DemoPlace) -> None:
    """Some charts opened and some cards answered, so that the operator's figures are not empty."""
    for number, patient in enumerate(
        ("early-marrow", "late-marrow", "healthy", "testicular", "newly-diagnosed")
    ):
        reply = fire(demo, patient, prefetch=number != 1)
        now = datetime.now(UTC).isoformat()
        for place, card in enumerate(reply.cards):
            answer: dict[str, Any] = {"card": card["uuid"], "outcomeTimestamp": now}
            if card.get("suggestions"):
                accepted = [{"id": card["suggestions"][0]["uuid"]}]
                answer |= {"outcome": "accepted", "acceptedSuggestions": accepted}
            else:
                reason = card["overrideReasons"][place % len(card["overrideReasons"])]
                answer |= {"outcome": "overridden", "overrideReason": {"reason": reason}}
            requests.post(
                f"{demo.url}/cds-services/all-relapse/feedback", json={"feedback": [answer]}, timeout=120
            ).raise_for_status()
    requests.post(f"{demo.url}/demo/ehr/afresh", json={}, timeout=120).raise_for_status()


def main() -> int:
    """Takes every picture; 1 where a page misbehaved, 2 where there is no browser."""
    if not CHROMIUM:
        sys.stderr.write(
            "There is no chromium here. Install it, for example with apt-get install chromium.\n"
        )
        return 2
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    with live_demo() as demo, chromium() as browser:
        use(demo)
        complaints = take(demo, browser, folder)
    sys.stderr.writelines(f"{complaint}\n" for complaint in complaints)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
