"""Which keys of a JWK Set we trust to verify, and which we leave out and why."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from cds_service.auth.callers import printable
from cds_service.http.strict_json import AmbiguousJson, read_object

MAX_KEYS = 100
MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192
"""A larger key makes every verification slow, at the choice of whoever publishes it."""

FITS = {
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "RS256": ("RSA", ""),
    "RS384": ("RSA", ""),
    "PS384": ("RSA", ""),
}
"""Key type and curve that belong to each algorithm. No symmetric algorithm is in this table, nor can be."""

_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")


class NotAKeySet(ValueError):
    """The document is no JWK Set. Quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key. ``bound`` holds it once for each algorithm that it may verify."""

    kid: str
    kind: str
    bits: int
    bound: Mapping[str, PyJWK] = field(repr=False)

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The algorithms it may verify."""
        return tuple(self.bound)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A key that is not trusted. ``kid`` is printable; ``why`` is for the operator."""

    kid: str
    why: str


@dataclass(frozen=True, slots=True)
class KeySet:
    """What a JWK Set holds for us. An empty one is a statement too: every key was withdrawn."""

    keys: tuple[TrustedKey, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    digest: str = ""

    def find(self, kid: str, algorithm: str) -> TrustedKey | None:
        """The key of that id which may verify that algorithm."""
        return next((key for key in self.keys if key.kid == kid and algorithm in key.algorithms), None)

    def knows(self, kid: str) -> bool:
        """Whether any key, trusted or left out, has that id: a refresh would not help."""
        return any(key.kid == kid for key in self.keys) or any(
            key.kid == printable(kid) for key in self.left_out
        )


def read_key_set(document: bytes) -> KeySet:
    """Reads a JWK Set (RFC 7517 5). A key that is weak, private, symmetric, not for signatures or
    ambiguous is left out; the others count.

    :raises NotAKeySet: not a JSON object with a list ``keys`` of at most 100 objects.
    """
    try:
        entries = read_object(document).get("keys")
    except AmbiguousJson as fault:
        raise NotAKeySet(f"not a JWK Set: {fault}") from None
    if not isinstance(entries, list) or len(entries) > MAX_KEYS:
        raise NotAKeySet(f"not a JWK Set: keys is not a list of at most {MAX_KEYS} keys")
    trusted: list[TrustedKey] = []
    left_out: list[LeftOut] = []
    for entry in entries:
        found = _read(entry)
        if isinstance(found, TrustedKey) and _is_taken(found, trusted):
            found = LeftOut(printable(found.kid), "another key of this type has the same kid")
        trusted.append(found) if isinstance(found, TrustedKey) else left_out.append(found)
    return KeySet(tuple(trusted), tuple(left_out), hashlib.sha256(document).hexdigest())


def _is_taken(key: TrustedKey, others: list[TrustedKey]) -> bool:
    return any(key.kid == other.kid and set(key.algorithms) & set(other.algorithms) for other in others)


def _read(entry: Any) -> TrustedKey | LeftOut:
    if not isinstance(entry, dict):
        return LeftOut("", "not an object")
    shown = printable(entry.get("kid"))
    why = _fault(entry)
    if why:
        return LeftOut(shown, why)
    algorithms = [name for name in FITS if _fits(entry, name)]
    if not algorithms:
        return LeftOut(shown, "its type, curve and alg fit no accepted algorithm")
    try:
        bound = {name: PyJWK(entry, algorithm=name) for name in algorithms}
    except (PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        return LeftOut(shown, "its numbers do not make a public key")
    bits = _bits(bound[algorithms[0]].key)
    if entry["kty"] == "RSA" and not MIN_RSA_BITS <= bits <= MAX_RSA_BITS:
        return LeftOut(shown, f"RSA of {bits} bits; accepted: {MIN_RSA_BITS} to {MAX_RSA_BITS}")
    return TrustedKey(entry["kid"], entry["kty"], bits, bound)


def _fits(entry: Mapping[str, Any], algorithm: str) -> bool:
    kind, curve = FITS[algorithm]
    return (
        entry["kty"] == kind
        and (not curve or entry.get("crv") == curve)
        and entry.get("alg", algorithm) == algorithm
    )


def _bits(key: object) -> int:
    if isinstance(key, RSAPublicKey):
        return key.key_size
    return key.curve.key_size if isinstance(key, EllipticCurvePublicKey) else 0


def _fault(entry: Mapping[str, Any]) -> str:
    kid = entry.get("kid")
    if not isinstance(kid, str) or not kid:
        return "no kid"
    if entry.get("kty") not in ("EC", "RSA"):
        return "kty is neither EC nor RSA"
    if any(name in entry for name in _PRIVATE):
        return "it holds private key material: whoever published it must replace it"
    if entry.get("use", "sig") != "sig":
        return "use is not sig"
    operations = entry.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return "key_ops lacks verify"
    return ""
