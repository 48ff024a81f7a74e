"""The EHR's bearer token: checked once, shown nowhere, gone with the object that holds it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Protocol

from cds_service.fhir_client.problem import RefusedServer

_SCHEME = "Bearer"
_LONGEST = 16 * 1024
_TOKEN = re.compile(r"[!-~]+")
"""Wider than the b64token of RFC 6750: any visible ASCII is harmless in a header, a line break is not."""


class FhirAuthorization(Protocol):
    """What the hook request carries to read FHIR (CDS Hooks, "Passing the Access Token")."""

    @property
    def access_token(self) -> str: ...
    @property
    def token_type(self) -> str: ...
    @property
    def expires_in(self) -> int: ...


@dataclass(frozen=True, slots=True)
class GrantedAccess:
    """An access token that did not come with a hook request, such as that of a SMART launch."""

    access_token: str = field(repr=False)
    expires_in: int
    token_type: str = _SCHEME


class BearerToken:
    """An access token that prints as nothing and refuses to be used after its time."""

    __slots__ = ("__weakref__", "_ends", "_value")

    def __init__(self, value: str, expires_in: float) -> None:
        self._value = value
        self._ends = time.monotonic() + expires_in

    @property
    def expired(self) -> bool:
        """True when ``expires_in`` has passed since the request came."""
        return time.monotonic() >= self._ends

    def header(self) -> str:
        """The value of the Authorization header."""
        return f"{_SCHEME} {self._value}"

    def __repr__(self) -> str:
        return "BearerToken(hidden)"

    def __reduce__(self) -> str:
        raise TypeError("a bearer token is not copied or stored")


def bearer(authorization: FhirAuthorization) -> BearerToken:
    """The token of a hook request. Raises ``RefusedServer`` when it is odd or expired."""
    value, lifetime = authorization.access_token, authorization.expires_in
    if authorization.token_type != _SCHEME:
        raise RefusedServer("token-type")
    if len(value) > _LONGEST or not _TOKEN.fullmatch(value):
        raise RefusedServer("token-malformed")
    if not lifetime > 0:
        raise RefusedServer("token-expired")
    return BearerToken(value, lifetime)
