"""Signing as an EHR does, for a test client: a key of our own and the tokens made with it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

ALGORITHMS = ("ES384", "RS384")
"""What CDS Hooks recommends and this service accepts unless configured otherwise."""

LIFETIME = timedelta(minutes=5)


class NoSigningKey(ValueError):
    """The document is no private key that can sign."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key as a JWK, and who signs with it (``iss``). It prints as its key id alone."""

    jwk: dict[str, Any]
    issuer: str

    def __repr__(self) -> str:
        return f"SigningKey({self.jwk.get('kid')!r})"

    @property
    def public(self) -> dict[str, Any]:
        """The key set that the service is given: without any private part."""
        private = {"d", "p", "q", "dp", "dq", "qi", "iss"}
        return {"keys": [{name: value for name, value in self.jwk.items() if name not in private}]}

    def token(self, audience: str, at: datetime) -> str:
        """A token for one call of ``audience``, valid for five minutes, used once."""
        claims = {
            "iss": self.issuer,
            "aud": audience,
            "iat": int(at.timestamp()),
            "exp": int((at + LIFETIME).timestamp()),
            "jti": str(uuid4()),
        }
        headers = {"kid": self.jwk["kid"], "typ": "JWT"}
        return jwt.encode(claims, _private(self.jwk), algorithm=self.jwk["alg"], headers=headers)


def new_key(algorithm: str, issuer: str) -> SigningKey:
    """A new key. ``algorithm`` is one of ALGORITHMS."""
    if algorithm == "ES384":
        found = json.loads(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1())))
    else:
        found = json.loads(
            RSAAlgorithm.to_jwk(rsa.generate_private_key(public_exponent=65537, key_size=3072))
        )
    found.pop("key_ops", None)
    jwk = {**found, "kid": str(uuid4()), "alg": algorithm, "use": "sig"}
    return SigningKey(jwk, issuer)


def read_key(path: Path, issuer: str = "") -> SigningKey:
    """The key in a file that ``write_key`` made; ``issuer`` replaces the one beside it.

    Raises NoSigningKey where the file is no private JWK of an algorithm we sign with, or names nobody.
    """
    try:
        jwk = json.loads(path.read_bytes())
    except ValueError:
        raise NoSigningKey("not JSON") from None
    if not isinstance(jwk, dict) or jwk.get("alg") not in ALGORITHMS or not isinstance(jwk.get("kid"), str):
        raise NoSigningKey(f"no private JWK with kid and alg ({' or '.join(ALGORITHMS)})")
    named = issuer or jwk.pop("iss", "")
    jwk.pop("iss", None)
    if not isinstance(named, str) or not named:
        raise NoSigningKey("it names no issuer, and none was given")
    _private(jwk)
    return SigningKey(jwk, named)


def write_key(key: SigningKey, path: Path) -> None:
    """The private key in a new file that only its owner may read. Raises FileExistsError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({**key.jwk, "iss": key.issuer}, file, indent=2)
        file.write("\n")


def _private(jwk: dict[str, Any]) -> Any:
    try:
        if jwk["alg"] == "ES384":
            key = ECAlgorithm.from_jwk(jwk)
            return cast(ec.EllipticCurvePrivateKey, _with(key, ec.EllipticCurvePrivateKey))
        return cast(rsa.RSAPrivateKey, _with(RSAAlgorithm.from_jwk(jwk), rsa.RSAPrivateKey))
    except (KeyError, ValueError, jwt.InvalidKeyError):
        raise NoSigningKey("not the private part of a key") from None


def _with(key: object, kind: type) -> object:
    if not isinstance(key, kind):
        raise NoSigningKey("only the public part of a key")
    return key
