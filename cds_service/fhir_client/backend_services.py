"""Access tokens for a program without a user: SMART Backend Services, asymmetric (private_key_jwt).

SMART App Launch 2.2, "Backend Services" and "Client Authentication: Asymmetric". The key never leaves this
process; what is sent is a JWT that is good once, for five minutes, at one address.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from cds_service.fhir_client.deadline import Deadline
from cds_service.fhir_client.transport import Failed, Reply, Request, Transport
from cds_service.http.fhir_base import MalformedUrl, parse_base

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 300
EARLY_SECONDS = 60.0
"""A token is renewed this long before it ends."""
ANSWER_SECONDS = 30.0


class NotAuthorized(Exception):
    """No token could be had; the message says why and holds no secret."""


@dataclass(frozen=True, slots=True)
class Client:
    """How this program is registered at the server. ``key`` is a PEM with an RSA or P-384 private key."""

    client_id: str
    key: bytes
    key_id: str
    scope: str = "system/*.rs"


class TokenSource:
    """The access token for one server, renewed when it ends. Not shared between threads."""

    def __init__(
        self,
        transport: Transport,
        client: Client,
        token_url: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._transport = transport
        self._client = client
        self._token_url = token_url
        self._now = now
        self._key, self._algorithm = _private_key(client.key)
        self._token = ""
        self._ends = 0.0

    def header(self) -> str:
        """The value of the Authorization header. Raises NotAuthorized."""
        if not self._token or self._now() >= self._ends:
            self._renew()
        return f"Bearer {self._token}"

    def forget(self) -> None:
        """The server refused the token: the next one is new."""
        self._token = ""

    def _renew(self) -> None:
        body = urlencode(
            {
                "grant_type": "client_credentials",
                "scope": self._client.scope,
                "client_assertion_type": ASSERTION,
                "client_assertion": self._assertion(),
            }
        ).encode()
        path = self._token_url.removeprefix(self._transport.base.authority)
        request = Request(path, "POST", body, "application/x-www-form-urlencoded", accept="application/json")
        reply = self._transport.send(request, "", Deadline.after(ANSWER_SECONDS))
        if isinstance(reply, Failed):
            raise NotAuthorized(f"the token endpoint does not answer ({reply.reason})")
        if reply.status != 200:
            raise NotAuthorized(f"the token endpoint refuses this client (status {reply.status})")
        self._take(_json(reply))

    def _take(self, answer: dict[str, Any]) -> None:
        token, lasts = answer.get("access_token"), answer.get("expires_in", ASSERTION_SECONDS)
        if not isinstance(token, str) or not token or str(answer.get("token_type", "")).lower() != "bearer":
            raise NotAuthorized("the token endpoint answers without a bearer token")
        if not token.isascii() or any(c.isspace() for c in token):
            raise NotAuthorized("the token endpoint answers with a token of odd characters")
        seconds = float(lasts) if isinstance(lasts, int | float) and 0 < lasts < 86_400 else ASSERTION_SECONDS
        self._token = token
        self._ends = self._now() + max(seconds - EARLY_SECONDS, seconds / 2)

    def _assertion(self) -> str:
        now = int(self._now())
        claims = {
            "iss": self._client.client_id,
            "sub": self._client.client_id,
            "aud": self._token_url,
            "jti": str(uuid.uuid4()),
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
        }
        headers = {"kid": self._client.key_id, "typ": "JWT"}
        return jwt.encode(claims, self._key, self._algorithm, headers)


def token_endpoint(transport: Transport) -> str:
    """The token endpoint that the server itself names, at its own origin. Raises NotAuthorized.

    One at another origin is used only where whoever runs the command names it.
    """
    request = Request(f"{transport.base.path}/.well-known/smart-configuration", accept="application/json")
    reply = transport.send(request, "", Deadline.after(ANSWER_SECONDS))
    if isinstance(reply, Failed) or reply.status != 200:
        raise NotAuthorized("the server has no .well-known/smart-configuration; name --token-url")
    url = str(_json(reply).get("token_endpoint", ""))
    try:
        same = parse_base(url).authority == transport.base.authority
    except MalformedUrl:
        same = False
    if not same:
        raise NotAuthorized("the server names a token endpoint at another address; name it with --token-url")
    return url


def _private_key(pem: bytes) -> tuple[RSAPrivateKey | EllipticCurvePrivateKey, str]:
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError):
        raise NotAuthorized("the key file is no PEM with a private key without a password") from None
    if isinstance(key, RSAPrivateKey) and key.key_size >= 2048:
        return key, "RS384"
    if isinstance(key, EllipticCurvePrivateKey) and key.curve.name == "secp384r1":
        return key, "ES384"
    raise NotAuthorized("the key is neither RSA of 2048 bits or more nor P-384, as SMART asks for")


def _json(reply: Reply) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(reply.body)
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}
