"""Who calls, or why a caller is not believed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cds_service.settings.model import NOBODY, Tenant


class Reason(Enum):
    """Why a token was refused. For the operator's log and metric only: the caller always sees the same
    401. A closed set, so that it can label a metric."""

    HEADER = "authorization-header"
    FORM = "not-a-compact-jwt"
    SIZE = "too-large"
    JSON = "ambiguous-json"
    ALGORITHM = "algorithm"
    TYPE = "typ"
    KEY_ID = "kid"
    CRITICAL = "header-not-understood"
    JKU = "jku"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    TIME = "time-claims"
    LIFETIME = "lifetime"
    EXPIRED = "expired"
    NOT_YET = "not-yet-valid"
    TOKEN_ID = "jti"  # noqa: S105 - the name of a claim
    SUBJECT = "sub"
    UNKNOWN_KEY = "unknown-key"
    SIGNATURE = "signature"
    REPLAYED = "replayed"
    FAULT = "fault"


class Refused(Exception):
    """The caller is not who the token says, or says nothing: answer 401.

    ``explanation`` is for the operator and may quote configured values and the token's issuer, audience
    and key id, never the token. :func:`cds_service.auth.printable` has made foreign text harmless.
    """

    def __init__(self, reason: Reason, explanation: str, tenant: str = "") -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.explanation = explanation
        self.tenant = tenant


class CannotVerify(Exception):
    """Nobody can be believed just now, through no fault of the caller: answer 503.

    ``what`` is ``store`` (replay cannot be ruled out) or ``keys`` (never seen, or too long ago).
    """

    def __init__(self, what: str, tenant: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.tenant = tenant


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller. ``tenant`` is NOBODY where no token was given and none was required."""

    tenant: Tenant = NOBODY
    issuer: str = ""
    jti: str = ""

    @property
    def is_authenticated(self) -> bool:
        """Whether a token proved the tenant."""
        return self.tenant is not NOBODY


ANONYMOUS = Caller()


def printable(text: object, limit: int = 200) -> str:
    """Foreign text for one line of a log: printable ASCII, everything else escaped, cut to ``limit``."""
    return ascii(text)[1:-1][:limit] if isinstance(text, str) else f"<{type(text).__name__}>"
