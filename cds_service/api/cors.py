"""Cross-origin calls of browser-based EHRs: exact origins from the configuration, no credentials."""

from __future__ import annotations

from flask import Response, request

from cds_service.settings.model import Settings

HEADERS = "Authorization, Content-Type, X-Request-Id"
METHODS = "GET, POST, OPTIONS"
SECONDS = "600"
"""How long a browser may keep the answer to a preflight."""


def is_preflight() -> bool:
    """True for the question a browser asks before a cross-origin call; it carries no token."""
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def add_headers(response: Response, settings: Settings) -> None:
    """Admits the calling origin where it is listed. Error answers carry the same headers."""
    if not settings.cors_origins:
        return
    response.vary.add("Origin")
    origin = request.headers.get("Origin", "")
    if origin not in settings.cors_origins:
        return
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = "X-Request-Id"
    if is_preflight():
        response.headers["Access-Control-Allow-Headers"] = HEADERS
        response.headers["Access-Control-Allow-Methods"] = METHODS
        response.headers["Access-Control-Max-Age"] = SECONDS
