"""``/``: what this service is and is not, whether it works, and how an EHR is connected to it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response

from cds_service.app_state import Parts, parts_of, software_version
from cds_service.pages.offers import asked_of_an_ehr, scopes_of
from cds_service.pages.rendering import is_served, page
from cds_service.store import StoreUnavailable
from cds_service.wire.discovery import SPECIFICATION

start = Blueprint("start", __name__)

_PLACES = (
    ("Demo EHR", "/demo/", "open charts of made-up patients and see the cards, the requests and the faults"),
    ("Timeline", "/timeline/", "one patient's leukaemia over time, with every criterion and its evidence"),
    ("Clinical rules", "/clinical/", "every statement, threshold and source, as a clinician reviews them"),
    ("Operator page", "/operator/", "how often the rules fire and what users do with the cards"),
    ("Discovery", "/cds-services", "the services and their prefetch templates, as JSON"),
    (
        "Source attributes",
        "/cds-services/all-relapse/source-attributes",
        "who made this content from what, for whom, and its known limits",
    ),
    ("OpenAPI", "/openapi.json", "the description of this interface for programs"),
    ("Version", "/version", "software, specification and content digest, as JSON"),
    ("Sandbox", "/demo/fhir/metadata", "the FHIR server of the demonstration"),
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must work. ``level``: good, warning or critical."""

    what: str
    says: str
    level: str


@start.get("/")
def start_page() -> Response:
    """The first page."""
    parts = parts_of()
    services = parts.discovery["services"]
    templates = services[0].get("prefetch", {}) if services else {}
    asked = asked_of_an_ehr(parts.knowledge, templates)
    return page(
        "pages/start.html",
        checks=checks(parts),
        services=services,
        asked=asked,
        scopes=scopes_of(asked),
        places=[place for place in _PLACES if is_served(place[1])],
        settings=parts.settings,
        software=software_version(),
        specification=SPECIFICATION,
    )


def checks(parts: Parts) -> list[Check]:
    """The state of the running service, told without names of tenants."""
    return [_store(parts), _keys(parts), _content(parts), _callers(parts)]


def _store(parts: Parts) -> Check:
    try:
        parts.store.check_writable()
    except StoreUnavailable:
        return Check("Store", "cannot be written; calls are answered 503", "critical")
    return Check("Store", "writable", "good")


def _keys(parts: Parts) -> Check:
    missing = len(parts.verifier.without_keys())
    if missing:
        return Check("Keys of EHRs", f"not readable for {missing}; their calls are answered 503", "critical")
    return Check("Keys of EHRs", "readable", "good")


def _content(parts: Parts) -> Check:
    if parts.knowledge.review == "approved":
        return Check("Clinical content", "approved", "good")
    silent = parts.settings.require_approved_content
    effect = "no cards are made" if silent else "every card says so"
    return Check("Clinical content", f"draft, not approved by a clinician; {effect}", "warning")


def _callers(parts: Parts) -> Check:
    words = {
        "required": ("every call needs a signed token", "good"),
        "optional": ("a token is checked where there is one", "warning"),
        "off": ("anybody may call; for demonstrations only", "warning"),
    }
    if parts.settings.open_to_anybody:
        return Check("Callers", "anybody may call, although this is production", "critical")
    says, level = words[parts.settings.auth]
    return Check("Callers", says, level)
