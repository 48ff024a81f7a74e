"""The outside of a token: the Authorization header and the three segments of a compact JWS."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cds_service.auth.callers import Reason, Refused
from cds_service.http.strict_json import AmbiguousJson, read_object

MAX_TOKEN_BYTES = 8192
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9_.-]+)")


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A token taken apart, of which nothing is proven yet. Has no repr: a token is never printed."""

    text: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def bearer(authorization: str | Sequence[str] | None) -> str:
    """The token of the one Authorization header.

    :raises Refused: no header, several, or another scheme.
    """
    values = [authorization] if isinstance(authorization, str) else list(authorization or ())
    if len(values) != 1:
        raise Refused(Reason.HEADER, f"{len(values)} Authorization headers; send exactly one")
    if len(values[0]) > MAX_TOKEN_BYTES + 16:
        raise Refused(Reason.SIZE, f"the token is larger than {MAX_TOKEN_BYTES} bytes")
    match = _BEARER.fullmatch(values[0].strip(" "))
    if match is None:
        raise Refused(Reason.HEADER, "the Authorization header is not: Bearer, a blank, one compact JWT")
    return match[1]


def take_apart(text: str) -> Token:
    """The header and claims of a compact JWS.

    :raises Refused: too large, not three base64url segments, or not two unambiguous JSON objects.
    """
    if len(text) > MAX_TOKEN_BYTES:
        raise Refused(Reason.SIZE, f"the token is larger than {MAX_TOKEN_BYTES} bytes")
    segments = text.split(".")
    if len(segments) != 3:
        raise Refused(Reason.FORM, f"{len(segments)} segments instead of three")
    header, claims, _signature = (_decoded(segment) for segment in segments)
    return Token(text, _object(header, "header"), _object(claims, "payload"))


def _decoded(segment: str) -> bytes:
    """Canonical base64url without padding: of several spellings of the same bytes only one is taken, so
    that a token cannot be re-spelt."""
    if not _SEGMENT.fullmatch(segment) or len(segment) % 4 == 1:
        raise Refused(Reason.FORM, "a segment is empty or not base64url without padding")
    data = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != segment:
        raise Refused(Reason.FORM, "a segment is not canonical base64url")
    return data


def _object(data: bytes, part: str) -> dict[str, Any]:
    try:
        return read_object(data)
    except AmbiguousJson as fault:
        raise Refused(Reason.JSON, f"{part}: {fault}") from None
