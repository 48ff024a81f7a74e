"""A headless Chromium of the system, and pages in it that note everything that should not happen."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, expect, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
"""Empty where the machine has none."""

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Without these it fails as root, or calls its maker at every start."""

PATIENCE_MS = 120_000
"""A busy machine is slow and not wrong: only what never comes fails a test."""
expect.set_options(timeout=PATIENCE_MS)

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
_REFUSED = "Failed to load resource: the server responded with a status of "

_WATCH = """
window.policyViolations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.policyViolations.push(`${event.violatedDirective}: ${event.blockedURI}`));
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, closed at the end of the context."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass  # without slots: playwright leaves a mark on whoever listens
class Watch:
    """What a page did that no page of ours may do.

    ``refusals`` are the HTTP statuses that a test provokes: a browser reports each in its console.
    """

    origin: str
    complaints: list[str] = field(default_factory=list)
    refusals: set[int] = field(default_factory=set)

    def console(self, message: ConsoleMessage) -> None:
        """Errors and warnings of the page."""
        if message.type not in ("error", "warning"):
            return
        if any(message.text.startswith(f"{_REFUSED}{status} ") for status in self.refusals):
            return
        self.complaints.append(f"console: {message.text}")

    def dialog(self, dialog: Dialog) -> None:
        """Boxes that a script opens."""
        self.complaints.append(f"dialog: {dialog.type}")
        dialog.dismiss()

    def request(self, request: Request) -> None:
        """Calls to anywhere but the service."""
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and not request.url.startswith(self.origin + "/"):
            self.complaints.append(f"called {address.scheme}://{address.netloc}")


@contextmanager
def watched_page(browser: Browser, origin: str, **context: Any) -> Iterator[tuple[Page, Watch]]:
    """A page of its own, and the watch over it. Arguments go to the browser's context."""
    place = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **context})
    watch = Watch(origin)
    try:
        page = place.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.add_init_script(_WATCH)
        page.on("console", watch.console)
        page.on("pageerror", lambda error: watch.complaints.append(f"script: {error.message}"))
        page.on("dialog", watch.dialog)
        page.on("request", watch.request)
        yield page, watch
        if not page.is_closed():
            watch.complaints += page.evaluate("window.policyViolations || []")
    finally:
        place.close()


def serious_findings(page: Page) -> list[str]:
    """What axe-core finds on the page that is serious or critical: rule and element."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE.read_text("utf-8"))
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{finding['id']} ({finding['impact']}): {node['target']} {node.get('failureSummary', '')}"
        for finding in result["violations"]
        if finding["impact"] in ("serious", "critical")
        for node in finding["nodes"][:5]
    ]
