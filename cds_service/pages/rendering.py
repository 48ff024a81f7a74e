"""How every page is made: one frame, one style sheet, one policy that forbids whatever is not our own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Response, current_app, render_template

from cds_service.app_state import parts_of

frame = Blueprint(
    "frame", __name__, template_folder="templates", static_folder="static", static_url_path="/static"
)
"""Serves ``base.html`` to all templates and the shared files below ``/static/``."""

HTML = "text/html; charset=utf-8"

_NAVIGATION = (
    ("Start", "/"),
    ("Demo EHR", "/demo/"),
    ("Timeline", "/timeline/"),
    ("Clinical rules", "/clinical/"),
    ("Operator", "/operator/"),
)


def page(template: str, status: int = 200, *, connect: Iterable[str] = (), **values: Any) -> Response:
    """A page from a template that extends ``base.html``.

    ``connect`` lists the origins beside our own that its scripts may call, such as an EHR's FHIR server.
    The policy admits no inline script or style, so that text of a chart cannot become either.
    """
    parts = parts_of()
    frame_values = {"knowledge": parts.knowledge, "unasked": parts.settings.open_to_anybody}
    body = render_template(template, navigation=navigation(), **frame_values, **values)
    response = Response(body, status, content_type=HTML)
    response.headers["Content-Security-Policy"] = policy(connect)
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return response


def policy(connect: Iterable[str] = ()) -> str:
    """The Content-Security-Policy of a page."""
    origins = " ".join(["'self'", *connect])
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src {origins}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def is_served(path: str) -> bool:
    """Whether this service has something at a path; a demonstration has more than a service in use."""
    adapter = current_app.url_map.bind("localhost")
    return adapter.test(path, "GET") or adapter.test(path.rstrip("/"), "GET")


def navigation() -> list[tuple[str, str]]:
    """The label and path of every page that this service has."""
    return [(label, path) for label, path in _NAVIGATION if is_served(path)]
