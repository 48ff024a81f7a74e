"""Calls signed as an EHR signs them, for ``call --sign-with``."""

from __future__ import annotations

from datetime import UTC, datetime

from requests import PreparedRequest
from requests.auth import AuthBase

from cds_service.auth.signing import SigningKey


class SignedCalls(AuthBase):
    """Signs what goes to the service, for the address that is called; the FHIR server gets no such token."""

    def __init__(self, service: str, key: SigningKey) -> None:
        self._service = service.rstrip("/")
        self._key = key

    def __call__(self, prepared: PreparedRequest) -> PreparedRequest:
        address = (prepared.url or "").partition("?")[0]
        if address.startswith(f"{self._service}/"):
            prepared.headers["Authorization"] = f"Bearer {self._key.token(address, datetime.now(UTC))}"
        return prepared
