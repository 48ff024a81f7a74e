"""What a token must say, as one table.

Header   alg, kid, typ    required and checked        jku   checked when present
         crit, b64, zip, enc, jwk, x5u                refused: they would let the token name its own rules
         anything else                                knowingly not read
Claims   iss, aud, exp, iat, jti   required and checked    nbf, sub   checked when present
         tenant, anything else                        knowingly not read: the tenant follows from iss

Sources: CDS Hooks 2.0 "Trusting CDS Clients"; RFC 7515 4.1; RFC 7519 4.1; RFC 8725.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from cds_service.auth.callers import Reason, Refused, printable
from cds_service.settings.model import Tenant

MAX_KEY_ID = 256
MAX_TOKEN_ID = 256
MAX_LIFETIME_SECONDS = 3600
"""Epic signs for 900 s; an hour is the most that the replay store has to remember."""
LEEWAY_SECONDS = 60
_SLASHES = re.compile("/+")
_OWN_RULES = ("crit", "b64", "zip", "enc", "jwk", "x5u")


def check_header(header: Mapping[str, Any], algorithms: Collection[str]) -> None:
    """Checks what can be checked before the tenant is known.

    :raises Refused: with the first fault.
    """
    for name in _OWN_RULES:
        if name in header:
            raise Refused(Reason.CRITICAL, f"the header member {name} is not accepted")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        allowed = ", ".join(algorithms)
        raise Refused(Reason.ALGORITHM, f"alg is {printable(algorithm)}; accepted: {allowed}")
    if header.get("typ") != "JWT":
        raise Refused(Reason.TYPE, f"typ is {printable(header.get('typ'))} instead of JWT")
    key_id = header.get("kid")
    # The set of characters is left open: Epic's key ids are base64 with + / =.
    if not isinstance(key_id, str) or not 0 < len(key_id) <= MAX_KEY_ID:
        raise Refused(Reason.KEY_ID, f"kid is not a text of 1 to {MAX_KEY_ID} characters")


def check_jku(header: Mapping[str, Any], tenant: Tenant) -> None:
    """A ``jku`` may only repeat what is configured; nothing is ever fetched from the token's value. For a
    tenant with a key file it is ignored.

    :raises Refused: another address, or none.
    """
    if "jku" not in header:
        return
    found = header["jku"]
    is_address = isinstance(found, str) and found.startswith(("https://", "http://"))
    if not is_address or (tenant.jku and found != tenant.jku):
        configured = tenant.jku or "a key file"
        raise Refused(Reason.JKU, f"jku is {printable(found)}, configured is {configured}", tenant.id)


def check_audience(claims: Mapping[str, Any], endpoint: str, tenant: Tenant) -> None:
    """``aud`` (a text, or a list of texts) must hold the URL of the endpoint that was called, from our
    configuration, or one of the tenant's aliases. Slashes that were joined doubly, and a last one, say
    nothing of whom a token is for; everything else is compared as it is written.

    :raises Refused: it holds neither.
    """
    found = claims.get("aud")
    audiences = found if isinstance(found, list) else [found]
    accepted = (endpoint, *tenant.audiences)
    wanted = {_joined(one) for one in accepted}
    texts = [one for one in audiences if isinstance(one, str)]
    if len(texts) < len(audiences) or not any(_joined(one) in wanted for one in texts):
        shown = ", ".join(printable(one) for one in audiences[:5])
        raise Refused(Reason.AUDIENCE, f"aud is {shown}; accepted: {', '.join(accepted)}", tenant.id)


def _joined(address: str) -> str:
    """An address with each run of slashes in its path as one, and without one slash at its end."""
    scheme, separator, rest = address.partition("://")
    if not separator or "?" in rest or "#" in rest:
        return address
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host}{_SLASHES.sub('/', slash + path).removesuffix('/')}"


def check_times(claims: Mapping[str, Any], at: datetime) -> int:
    """Checks exp, iat and nbf against the moment of the call; returns exp, in seconds since 1970.

    :raises Refused: missing, not whole numbers, too long a life, over, or not begun.
    """
    exp, iat = (_seconds(claims, name) for name in ("exp", "iat"))
    nbf = _seconds(claims, "nbf") if "nbf" in claims else iat
    now = at.timestamp()
    if not 0 < exp - iat <= MAX_LIFETIME_SECONDS:
        raise Refused(Reason.LIFETIME, f"exp - iat is {exp - iat} s; accepted: 1 to {MAX_LIFETIME_SECONDS} s")
    if now >= exp + LEEWAY_SECONDS:
        raise Refused(Reason.EXPIRED, f"expired {now - exp:.0f} s ago")
    if iat > now + LEEWAY_SECONDS or nbf > now + LEEWAY_SECONDS:
        raise Refused(Reason.NOT_YET, f"begins in {max(iat, nbf) - now:.0f} s; compare the clocks")
    return exp


def check_token_id(claims: Mapping[str, Any]) -> str:
    """The jti, which makes the token good for one call.

    :raises Refused: missing, blank or too long.
    """
    found = claims.get("jti")
    if not isinstance(found, str) or not found.strip() or len(found) > MAX_TOKEN_ID:
        raise Refused(Reason.TOKEN_ID, f"jti is not a text of 1 to {MAX_TOKEN_ID} characters")
    return found


def check_subject(claims: Mapping[str, Any]) -> None:
    """``sub``, Epic's client id, decides nothing here; but one that is no text makes no JWT (RFC 7519 4.1.2).

    :raises Refused: present and not text.
    """
    if not isinstance(claims.get("sub", ""), str):
        raise Refused(Reason.SUBJECT, "sub is not a text")


def _seconds(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if type(value) is not int or not 0 <= value < 2**53:
        raise Refused(Reason.TIME, f"{name} is not a whole number of seconds since 1970")
    return value
