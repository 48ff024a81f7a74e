"""The demonstration as people see it: the real service, a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from cds_service.demo.application import DemoPlace
from tests.browser.chromium import CHROMIUM, Watch, chromium, watched_page
from tests.live_service import live_demo


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    if not CHROMIUM:
        pytest.skip("NOT TESTED IN A BROWSER: there is no chromium here; install it with apt-get")
    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def demo(browser: Browser) -> Iterator[DemoPlace]:
    """A running demonstration for all tests; a test that leaves traces uses a patient of its own."""
    with live_demo() as place:
        yield place


@pytest.fixture
def watch_and_page(browser: Browser, demo: DemoPlace) -> Iterator[tuple[Page, Watch]]:
    """A page and its watch; the test fails where the page did what no page of ours may do."""
    with watched_page(browser, demo.url) as (page, watch):
        yield page, watch
    assert watch.complaints == []


@pytest.fixture
def page(watch_and_page: tuple[Page, Watch]) -> Page:
    """A page in a fresh context."""
    return watch_and_page[0]


@pytest.fixture
def watch(watch_and_page: tuple[Page, Watch]) -> Watch:
    """The watch over ``page``."""
    return watch_and_page[1]
