"""Makes tokens of every kind, good and forged, without any JWT library: what is wrong is then wrong on
purpose."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
NOW = int(AT.timestamp())
BASE = "https://cds.example.org"
ENDPOINT = f"{BASE}/cds-services/all-relapse"
DISCOVERY = f"{BASE}/cds-services"
FEEDBACK = f"{ENDPOINT}/feedback"
ISS = "https://ehr.example.org/fhir"
OTHER_ISS = "https://clinic.example.org/fhir"
JKU = "https://ehr.example.org/jwks.json"

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Json = dict[str, Any]


def b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int, size: int = 0) -> str:
    """A number as a JWK holds it."""
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8 or 1, "big"))


@dataclass(frozen=True)
class Key:
    """A private key with its id and usual algorithm."""

    kid: str
    alg: str
    private: PrivateKey = field(repr=False)

    def jwk(self, **changes: Any) -> Json:
        """The public half as a JWK; a change to None leaves the member out."""
        public = self.private.public_key()
        members: Json = {"kid": self.kid, "use": "sig", "alg": self.alg}
        if isinstance(public, rsa.RSAPublicKey):
            numbers = public.public_numbers()
            members |= {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        else:
            point, size = public.public_numbers(), (public.curve.key_size + 7) // 8
            crv = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
            name = crv.get(public.curve.name, "P-192")
            members |= {"kty": "EC", "crv": name, "x": number(point.x, size), "y": number(point.y, size)}
        return {name: value for name, value in {**members, **changes}.items() if value is not None}

    @property
    def pem(self) -> bytes:
        """The public half in PEM, as an attacker would use it for a secret."""
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@cache
def ec_key(kid: str, curve: str = "P-384", alg: str = "ES384") -> Key:
    """An EC key, the same one for the same id within a run."""
    curves: dict[str, ec.EllipticCurve] = {
        "P-384": ec.SECP384R1(), "P-256": ec.SECP256R1(), "P-521": ec.SECP521R1(), "P-192": ec.SECP192R1(),
    }  # fmt: skip
    return Key(kid, alg, ec.generate_private_key(curves[curve]))


@cache
def rsa_key(kid: str, bits: int = 2048, alg: str = "RS384") -> Key:
    """An RSA key, the same one for the same id within a run."""
    return Key(kid, alg, rsa.generate_private_key(65537, bits))


def signature(key: Key, alg: str, data: bytes) -> bytes:
    """A genuine signature by ``alg``."""
    digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[alg[2:]]
    if isinstance(key.private, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.private.sign(data, ec.ECDSA(digest)))
        size = (key.private.curve.key_size + 7) // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    if alg.startswith("PS"):
        return key.private.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    return key.private.sign(data, padding.PKCS1v15(), digest)


def header(key: Key, **changes: Any) -> Json:
    """The header an EHR sends; a change to None leaves the member out."""
    usual = {"alg": key.alg, "typ": "JWT", "kid": key.kid}
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def claims(**changes: Any) -> Json:
    """The claims an EHR sends, with a new jti; a change to None leaves the claim out."""
    usual = {
        "iss": ISS, "aud": ENDPOINT, "iat": NOW - 5, "exp": NOW + 295, "jti": str(uuid4()),
    }  # fmt: skip
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def encoded(part: Json | str | bytes) -> str:
    """A segment: of an object as JSON, of text or bytes as they are."""
    if isinstance(part, dict):
        part = json.dumps(part)
    return b64(part.encode() if isinstance(part, str) else part)


def compact(head: Json | str | bytes, body: Json | str | bytes, key: Key, alg: str = "") -> str:
    """A signed token of whatever header and payload."""
    signed = f"{encoded(head)}.{encoded(body)}"
    return f"{signed}.{b64(signature(key, alg or key.alg, signed.encode()))}"


def with_hmac(head: Json, body: Json, secret: bytes, digest: str = "sha384") -> str:
    """A token signed with a shared secret."""
    signed = f"{encoded(head)}.{encoded(body)}"
    return f"{signed}.{b64(hmac.new(secret, signed.encode(), getattr(hashlib, digest)).digest())}"


ES = ec_key("es-1")
RS = rsa_key("epic+kid/with=base64")
OTHER = ec_key("other-1")
"""The other tenant's key."""
SAME_KID = ec_key("es-1", alg="ES384", curve="P-384")
EVIL = ec_key("es-1-evil")


def stranger(kid: str) -> Key:
    """A key nobody trusts, under a trusted id."""
    return Key(kid, "ES384", EVIL.private)


def token(key: Key = ES, head: Json | None = None, **changes: Any) -> str:
    """A good token, but for the changes."""
    return compact(header(key, **(head or {})), claims(**changes), key)


def bearer(text: str) -> str:
    """The value of the Authorization header."""
    return f"Bearer {text}"


def key_set(*keys: Json) -> bytes:
    """A JWK Set document."""
    return json.dumps({"keys": list(keys)}).encode()
