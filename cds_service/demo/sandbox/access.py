"""Bearer tokens of the sandbox: issued per hook call, signed, short-lived, bound to one patient.

The signature lets the demonstration's EHR issue a token in one process and the sandbox check it in
another, with nothing shared but the secret made at start.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

from cds_service.demo.sandbox.outcomes import FhirError

_ALGORITHM = "HS256"
_AUDIENCE = "relapse-cds-demo-sandbox"
_BEARER = re.compile(r"Bearer +([A-Za-z0-9\-._~+/]+=*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Access:
    """What a token opens: the record of one patient, or every record when ``patient_id`` is empty."""

    patient_id: str = ""


class AccessTokens:
    """Issues and checks tokens with one secret of at least 32 bytes."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 32:
            raise ValueError("the token secret must have at least 32 bytes")
        self._secret = secret

    def issue(self, patient_id: str = "", lifetime_seconds: int = 300) -> str:
        """A token for one patient (or for all, when no id is given) that expires."""
        expires = datetime.now(UTC) + timedelta(seconds=lifetime_seconds)
        claims = {"aud": _AUDIENCE, "exp": expires, "patient": patient_id}
        return jwt.encode(claims, self._secret, algorithm=_ALGORITHM)

    def check(self, authorization: str | None) -> Access:
        """What the ``Authorization`` header opens.

        Raises:
            FhirError: 401, when there is no token, or it is not ours, altered or expired.
        """
        shape = _BEARER.fullmatch((authorization or "").strip())
        if shape is None:
            raise FhirError(401, "login", "A bearer token is required. Send it in the Authorization header.")
        try:
            claims = jwt.decode(
                shape[1],
                self._secret,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                options={"require": ["exp", "aud"]},
            )
        except jwt.InvalidTokenError as fault:
            raise FhirError(401, "login", "The bearer token is not valid here or has expired.") from fault
        return Access(str(claims.get("patient", "")))
