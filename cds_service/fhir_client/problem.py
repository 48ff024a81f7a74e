"""Why a FHIR server is not read at all."""

from __future__ import annotations

_WORDS = {
    "malformed-url": "The FHIR server's URL is not a plain absolute http(s) URL. Send the base URL only.",
    "not-allowed": "The FHIR server is not on this tenant's list. Add its base URL to `fhir_servers`.",
    "http-in-production": "The FHIR server is addressed by http. Use https, or `environment = development`.",
    "token-missing": "No access token came for the FHIR server. Send fhirAuthorization, or set `open_fhir`.",
    "token-type": "fhirAuthorization.token_type must be Bearer.",
    "token-malformed": "fhirAuthorization.access_token is not a bearer token of at most 16 KB.",
    "token-expired": "fhirAuthorization.expires_in must be more than 0. Send a fresh token.",
    "breaker-open": "The FHIR server failed repeatedly just now. Try again in some seconds.",
    "busy": "Too many readings of this tenant are under way. Try again in a moment.",
}

_REASONS = {"breaker-open": "breaker-open", "busy": "refused"}
"""What becomes of the needs that the server was to be asked for; otherwise nothing was supplied to ask it."""


class RefusedServer(Exception):
    """The FHIR server will not be contacted; raised before any name is resolved or socket opened.

    ``reason`` is one of: malformed-url, not-allowed, http-in-production, token-missing, token-type,
    token-malformed, token-expired, breaker-open, busy. The message names no URL and no token.
    ``need_reason`` is the reason (of ``NeedState``) why the needs it was to be asked for are unknown.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(_WORDS[reason])
        self.reason = reason
        self.need_reason = _REASONS.get(reason, "not-supplied")
