"""Why a launch or a chart is refused, and what the person in front of the page is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Told:
    """The page of a refusal: HTTP status, what happened, and what to do."""

    status: int
    title: str
    words: str


_AGAIN = "Open the timeline again from the patient's chart."
_ADMINISTRATOR = "Please tell the person who administers this service."
_LATER = "Try again in a moment."

OAUTH_ERRORS: Mapping[str, tuple[str, str]] = {
    "invalid_request": ("it could not use the request, or does not know this launch", _ADMINISTRATOR),
    "unauthorized_client": ("this service may not sign in this way", _ADMINISTRATOR),
    "unsupported_response_type": ("it does not give authorisation codes", _ADMINISTRATOR),
    "unsupported_grant_type": ("it does not take authorisation codes", _ADMINISTRATOR),
    "invalid_scope": ("it does not give the access that was asked for", _ADMINISTRATOR),
    "invalid_client": ("it did not accept the service's client id or secret", _ADMINISTRATOR),
    "server_error": ("it failed", _LATER),
    "temporarily_unavailable": ("it is overloaded or under maintenance", _LATER),
    "other": ("it gave no reason that is known here", _ADMINISTRATOR),
}
"""The errors that an EHR may name (RFC 6749 4.1.2.1 and 5.2): what each says, and what to do.

``access_denied`` and ``invalid_grant`` have pages of their own. Whatever else an EHR writes is ``other``:
its own text is neither shown nor logged.
"""


def oauth_error(text: str) -> str:
    """The error code if it is one of the closed set, else ``other``."""
    return text if text in OAUTH_ERRORS else "other"


PAGES: Mapping[str, Told] = {
    "unknown-server": Told(
        403,
        "This FHIR server is not known here",
        "The launch names a FHIR server that is not on this service's list. Nothing was contacted. "
        + _ADMINISTRATOR,
    ),
    "no-client": Told(
        501,
        "The timeline is not set up for this EHR",
        "This EHR has no client id here (smart_client_id). " + _ADMINISTRATOR,
    ),
    "too-many-launches": Told(
        503, "Too many launches are under way", "Others are being signed in just now. " + _LATER
    ),
    "malformed-launch": Told(
        400, "This launch cannot be read", "The launch address is incomplete or malformed. " + _AGAIN
    ),
    "launch-too-long": Told(
        400,
        "The launch context is too long",
        "The launch parameter that the EHR sent is longer than 2048 characters. " + _ADMINISTRATOR,
    ),
    "no-server": Told(
        400,
        "No FHIR server was named",
        "The launch address has no iss parameter. " + _AGAIN,
    ),
    "discovery-failed": Told(
        502,
        "The EHR does not say how to sign in",
        "Its SMART configuration could not be read. Try again in a moment. " + _ADMINISTRATOR,
    ),
    "discovery-unusable": Told(
        502,
        "The EHR's sign-in cannot be used",
        "Its SMART configuration lacks an endpoint or PKCE with S256. " + _ADMINISTRATOR,
    ),
    "foreign-endpoint": Told(
        502,
        "The EHR's sign-in lies at an unknown place",
        "Its SMART configuration names an address that is not on this service's list (smart_origins). "
        + _ADMINISTRATOR,
    ),
    "unknown-launch": Told(
        400,
        "This launch is not known to this browser",
        "It was begun in another browser, was used before, or is not genuine. No data were read. " + _AGAIN,
    ),
    "launch-elsewhere": Told(
        400,
        "This launch is not known to this browser",
        "It was begun or answered at another address of this service than its public one (public_url), "
        "or in another browser, or was used before. No data were read.",
    ),
    "launch-expired": Told(
        400, "This launch has expired", "Signing in took too long. No data were read. " + _AGAIN
    ),
    "access-denied": Told(
        403,
        "Access was not granted",
        "The EHR or its user did not allow the timeline to read this chart. No data were read.",
    ),
    "authorization-failed": Told(
        502,
        "The EHR refused the sign-in",
        "It answered the request for access with an error. No data were read.",
    ),
    "client-refused": Told(
        502,
        "The EHR does not accept this service",
        "The service's client id or secret was not accepted. No data were read.",
    ),
    "token-refused": Told(
        502,
        "The EHR refused to complete the sign-in",
        "It did not exchange the authorisation code for access. No data were read.",
    ),
    "token-failed": Told(
        502,
        "The EHR could not complete the sign-in",
        "Its token endpoint did not answer, or failed. No data were read. " + _LATER,
    ),
    "code-refused": Told(
        403,
        "The EHR refused to complete the sign-in",
        "The authorisation code was expired, used before, or not issued for this launch. "
        "No data were read. " + _AGAIN,
    ),
    "token-unusable": Told(
        502,
        "The EHR's answer cannot be used",
        "Its token response is not the one SMART App Launch defines. No data were read. " + _ADMINISTRATOR,
    ),
    "token-too-long": Told(
        502,
        "The EHR's access token is too long",
        "It does not fit into this browser's session. No data were read. " + _ADMINISTRATOR,
    ),
    "no-patient": Told(
        400, "No patient is chosen", "The EHR granted access without naming a patient. " + _AGAIN
    ),
    "patient-unusable": Told(
        502,
        "The EHR's patient id cannot be used",
        "It named the patient by something that is not a plain id (1 to 64 letters, digits, - and .). "
        "No data were read. " + _ADMINISTRATOR,
    ),
    "missing-scope": Told(
        403,
        "The access does not cover what is needed",
        "Conditions and Observations must be readable in full; with less, silence would look like "
        "a negative result. No data were read. " + _ADMINISTRATOR,
    ),
    "session-over": Told(401, "This session is over", "The access to the chart has ended. " + _AGAIN),
    "unknown-patient": Told(
        404, "There is no such patient", "Choose one of the demonstration's patients on the timeline page."
    ),
    "service-unready": Told(
        503, "The timeline cannot be opened now", "The service's store cannot be read. Try again in a moment."
    ),
}


class LaunchRefused(Exception):
    """A launch or a session that is refused.

    ``reason`` is a key of ``PAGES``; ``error``, where the EHR named one, a key of ``OAUTH_ERRORS``.
    """

    def __init__(self, reason: str, error: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.error = error

    @property
    def told(self) -> Told:
        """The page."""
        told = PAGES[self.reason]
        if not self.error:
            return told
        says, then = OAUTH_ERRORS[self.error]
        return replace(told, words=f"{told.words} The EHR says that {says} (error: {self.error}). {then}")
