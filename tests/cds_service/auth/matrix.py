"""The token matrix: every way we know to make a token look better than it is, each by name.

J-01 to J-56 are single tokens; the later ids are sequences and live in the tests. A case is a function
that makes the value of the Authorization header afresh, with a jti of its own.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pytest
from _pytest.mark import ParameterSet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.cds_service.auth.forge import (
    BASE,
    DISCOVERY,
    ENDPOINT,
    ES,
    EVIL,
    FEEDBACK,
    ISS,
    JKU,
    NOW,
    OTHER,
    OTHER_ISS,
    RS,
    Json,
    b64,
    bearer,
    claims,
    compact,
    ec_key,
    encoded,
    header,
    rsa_key,
    stranger,
    token,
    with_hmac,
)

__all__ = ["MATRIX", "Case", "marked"]


@dataclass(frozen=True)
class Case:
    """One token. ``reason`` empty: it is good."""

    id: str
    name: str
    make: Callable[[], str | Sequence[str]]
    reason: str

    def __str__(self) -> str:
        return f"{self.id}-{self.name.replace(' ', '-')}"


def _psychic(zeros: int) -> str:
    return bearer(f"{encoded(header(ES))}.{encoded(claims())}.{b64(bytes(zeros))}")


def _unsigned(alg: str | None) -> str:
    return bearer(f"{encoded(header(ES, alg=alg))}.{encoded(claims())}.")


def _unsigned_but_filled(alg: str) -> str:
    return bearer(f"{encoded(header(ES, alg=alg))}.{encoded(claims())}.{b64(b'x' * 96)}")


def _der() -> str:
    signed = f"{encoded(header(ES))}.{encoded(claims())}"
    private = ES.private
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    return bearer(f"{signed}.{b64(private.sign(signed.encode(), ec.ECDSA(hashes.SHA384())))}")


def _tampered() -> str:
    head, _, signed = token().split(".")
    return bearer(f"{head}.{encoded(claims(sub='someone-else'))}.{signed}")


def _signature_of_another_header() -> str:
    head, body, signed = token().split(".")
    return bearer(f"{encoded(header(ES, x='y'))}.{body}.{signed}" if head else "")


def _twice(name: str, first: object, second: object, where: Json) -> str:
    rest = json.dumps({key: value for key, value in where.items() if key != name})[1:]
    pair = f"{json.dumps(name)}: {json.dumps(first)}, {json.dumps(name)}: {json.dumps(second)}, "
    return "{" + pair + rest


def _payload(text: str) -> str:
    return bearer(compact(header(ES), text, ES))


def _raw(replacements: str) -> str:
    """A payload whose exp is written as given."""
    return _payload(json.dumps(claims(exp="@")).replace('"@"', replacements))


def _padded() -> str:
    head, body, signed = token().split(".")
    return bearer(f"{head}.{body}.{signed}==")


def _respelt() -> str:
    """The last character of the signature changed in the bits that decoding drops."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    text = compact(header(RS), claims(), RS)
    spare = alphabet.index(text[-1])
    return bearer(text[:-1] + alphabet[spare ^ 1])


def _standard_alphabet() -> str:
    head, body, signed = token(RS).split(".")
    raw = base64.urlsafe_b64decode(signed + "==")
    return bearer(f"{head}.{body}.{base64.b64encode(raw).decode().replace('=', '')}+/")


def _deep() -> str:
    return _payload('{"a":' * 400 + "1" + "}" * 400)


def _huge() -> str:
    return bearer(token(pad="x" * 1_000_000))


def _jwk_embedded() -> str:
    head = header(ES, jwk=EVIL.jwk(kid=ES.kid))
    return bearer(compact(head, claims(), stranger(ES.kid)))


_HS_SECRETS = {"EC PEM": ES.pem, "RSA PEM": RS.pem, "JWK": json.dumps(ES.jwk()).encode()}


def _confused(secret: bytes) -> str:
    return bearer(with_hmac(header(ES, alg="HS384"), claims(), secret))


def _good(key: object = ES, **changes: object) -> Callable[[], str]:
    return lambda: bearer(token(key, **changes))  # type: ignore[arg-type]


def _head(**changes: object) -> Callable[[], str]:
    return lambda: bearer(token(ES, changes))


MATRIX: tuple[Case, ...] = (
    Case("J-01", "good ES384", _good(), ""),
    Case(
        "J-02", "good RS384 with a base64 kid and nbf as Epic sends", _good(RS, nbf=NOW - 300, sub="epic"), ""
    ),
    Case("J-03", "good aud in a list", _good(aud=["https://elsewhere.example.org", ENDPOINT]), ""),
    Case("J-04", "alg none", lambda: _unsigned("none"), "not-a-compact-jwt"),
    Case("J-05", "alg NonE with a signature", lambda: _unsigned_but_filled("NonE"), "algorithm"),
    Case("J-06", "alg none with a signature", lambda: _unsigned_but_filled("none"), "algorithm"),
    Case("J-07", "alg missing", lambda: bearer(compact(header(ES, alg=None), claims(), ES)), "algorithm"),
    Case("J-08", "empty signature", lambda: _unsigned("ES384"), "not-a-compact-jwt"),
    Case("J-09", "all-zero ES384 signature", lambda: _psychic(96), "signature"),
    Case("J-10", "one zero byte for a signature", lambda: _psychic(1), "signature"),
    Case("J-11", "HS384 keyed with the EC PEM", lambda: _confused(_HS_SECRETS["EC PEM"]), "algorithm"),
    Case("J-12", "HS384 keyed with the RSA PEM", lambda: _confused(_HS_SECRETS["RSA PEM"]), "algorithm"),
    Case("J-13", "HS384 keyed with the JWK", lambda: _confused(_HS_SECRETS["JWK"]), "algorithm"),
    Case("J-14", "embedded jwk", _jwk_embedded, "header-not-understood"),
    Case(
        "J-15",
        "jku of an attacker",
        lambda: bearer(compact(header(ES, jku="https://evil.example/jwks"), claims(), stranger(ES.kid))),
        "jku",
    ),
    Case("J-16", "jku of an attacker, good signature", _head(jku=JKU + "?x=1"), "jku"),
    Case("J-17", "jku that is no text", _head(jku=[JKU]), "jku"),
    Case("J-18", "x5u", _head(x5u="https://evil.example/cert.pem"), "header-not-understood"),
    Case("J-19", "DER signature", _der, "signature"),
    Case("J-20", "crit", _head(crit=["exp"], exp=NOW), "header-not-understood"),
    Case("J-21", "b64 false", _head(b64=False, crit=["b64"]), "header-not-understood"),
    Case("J-22", "zip DEF", _head(zip="DEF"), "header-not-understood"),
    Case("J-23", "tampered claims", _tampered, "signature"),
    Case("J-24", "tampered header", _signature_of_another_header, "signature"),
    Case(
        "J-25",
        "signed by a stranger under a trusted kid",
        lambda: bearer(token(stranger(ES.kid))),
        "signature",
    ),
    Case("J-26", "wrong aud", _good(aud="https://elsewhere.example.org"), "audience"),
    Case("J-27", "aud is a prefix of the endpoint", _good(aud=BASE), "audience"),
    Case("J-28", "aud begins with the endpoint", _good(aud=ENDPOINT + "-2"), "audience"),
    Case("J-29", "aud null", lambda: _payload(json.dumps({**claims(), "aud": None})), "audience"),
    Case("J-30", "aud missing", _good(aud=None), "audience"),
    Case("J-31", "aud list with something that is no text", _good(aud=[ENDPOINT, 7]), "audience"),
    Case("J-32", "exp as text", _good(exp=str(NOW + 300)), "time-claims"),
    Case("J-33", "exp ten years ahead", _good(exp=NOW + 315_360_000), "lifetime"),
    Case("J-34", "exp missing", _good(exp=None), "time-claims"),
    Case("J-35", "exp past", _good(iat=NOW - 400, exp=NOW - 100), "expired"),
    Case("J-36", "exp NaN", lambda: _raw("NaN"), "ambiguous-json"),
    Case("J-37", "exp 1e400", lambda: _raw("1e400"), "ambiguous-json"),
    Case("J-38", "exp true", _good(exp=True), "time-claims"),
    Case("J-39", "exp with a fraction", _good(exp=NOW + 295.5), "time-claims"),
    Case("J-40", "iat missing", _good(iat=None), "time-claims"),
    Case("J-41", "iat in the future", _good(iat=NOW + 120, exp=NOW + 300), "not-yet-valid"),
    Case("J-42", "nbf in the future", _good(nbf=NOW + 120), "not-yet-valid"),
    Case("J-43", "exp before iat", _good(iat=NOW + 30, exp=NOW + 20), "lifetime"),
    Case("J-44", "iss missing", _good(iss=None), "issuer"),
    Case("J-45", "iss of nobody", _good(iss="https://evil.example"), "issuer"),
    Case("J-46", "iss with a slash more", _good(iss=ISS + "/"), "issuer"),
    Case("J-47", "iss in a list", _good(iss=[ISS]), "issuer"),
    Case("J-48", "jti missing", _good(jti=None), "jti"),
    Case("J-49", "jti blank", _good(jti="  "), "jti"),
    Case("J-50", "iss twice", lambda: _payload(_twice("iss", ISS, OTHER_ISS, claims())), "ambiguous-json"),
    Case(
        "J-51",
        "alg twice",
        lambda: bearer(compact(_twice("alg", "none", "ES384", header(ES)), claims(), ES)),
        "ambiguous-json",
    ),
    Case("J-52", "typ missing", _head(typ=None), "typ"),
    Case("J-53", "typ at+jwt", _head(typ="at+jwt"), "typ"),
    Case("J-54", "a token of 1 MB", _huge, "too-large"),
    Case("J-55", "payload nested 400 deep", _deep, "ambiguous-json"),
    Case("J-56", "tenant of another issuer's key", lambda: bearer(token(OTHER)), "unknown-key"),
    # Further single tokens, beyond the measured matrix.
    Case("J-56a", "padding", _padded, "authorization-header"),
    Case("J-56b", "a signature spelt another way", _respelt, "not-a-compact-jwt"),
    Case("J-56c", "the standard base64 alphabet", _standard_alphabet, "authorization-header"),
    Case("J-56d", "two segments", lambda: bearer(token().rpartition(".")[0]), "not-a-compact-jwt"),
    Case(
        "J-56e",
        "five segments as an encrypted token has",
        lambda: bearer(token() + ".a.b"),
        "not-a-compact-jwt",
    ),
    Case("J-56f", "kid missing", _head(kid=None), "kid"),
    Case("J-56g", "kid a number", _head(kid=7), "kid"),
    Case("J-56h", "kid of 300 characters", _head(kid="k" * 300), "kid"),
    Case("J-56i", "kid a path", _head(kid="../../../../etc/passwd"), "unknown-key"),
    Case("J-56j", "kid an SQL phrase", _head(kid="' OR 1=1 --"), "unknown-key"),
    Case(
        "J-56k", "alg not configured", lambda: bearer(token(ec_key("es-256", "P-256", "ES256"))), "algorithm"
    ),
    Case("J-56l", "RS384 with the kid of the EC key", lambda: bearer(token(rsa_key("es-1"))), "unknown-key"),
    Case("J-56m", "payload a list", lambda: _payload("[]"), "ambiguous-json"),
    Case("J-56n", "payload with half a surrogate", lambda: _payload('{"iss":"\\ud800"}'), "ambiguous-json"),
    Case(
        "J-56o",
        "payload in UTF-16",
        lambda: bearer(compact(header(ES), json.dumps(claims()).encode("utf-16"), ES)),
        "ambiguous-json",
    ),
    Case("J-56p", "no token", lambda: "Bearer ", "authorization-header"),
    Case("J-56q", "the scheme Basic", lambda: "Basic dXNlcjpwYXNz", "authorization-header"),
    Case("J-56r", "a line break in the header", lambda: bearer(token()) + "\r\nX: y", "authorization-header"),
    Case("J-56s", "exp of 40 digits", lambda: _raw("9" * 40), "ambiguous-json"),
    Case("J-65a", "the token of feedback", _good(aud=FEEDBACK), "audience"),
    Case("J-65b", "the token of discovery", _good(aud=DISCOVERY), "audience"),
    Case("J-65c", "the token of another service", _good(aud=f"{DISCOVERY}/another"), "audience"),
    Case(
        "J-67a",
        "two Authorization headers",
        lambda: [bearer(token()), bearer(token())],
        "authorization-header",
    ),
    Case(
        "J-67b",
        "two tokens in one header",
        lambda: f"{bearer(token())},{bearer(token())}",
        "authorization-header",
    ),
    Case("J-67c", "bearer in lower case", lambda: f"bearer {token()}", ""),
    Case("J-67d", "no header", lambda: [], "authorization-header"),
)
"""Case, maker, and the reason for the operator."""


_REQUIREMENTS = {
    "algorithm": ("P3", "P9"),
    "audience": ("P4", "P6"),
    "authorization-header": ("P2",),
    "issuer": ("P4", "P5"),
    "jti": ("P4",),
    "jku": ("P5",),
    "kid": ("P3",),
    "signature": ("P3",),
    "time-claims": ("P4",),
    "typ": ("P3",),
    "unknown-key": ("P3",),
    "": ("P3", "P4", "P9"),
}
_NO_SIGNATURE = ("J-04", "J-05", "J-06", "J-07", "J-08")
_SHARED_SECRET = ("J-11", "J-12", "J-13")


def marked(cases: Iterable[Case]) -> list[ParameterSet]:
    """The cases as parameters, each with the requirements of the conformance sheet that it tests."""
    return [pytest.param(case, id=str(case), marks=_marks(case)) for case in cases]


def _marks(case: Case) -> list[pytest.MarkDecorator]:
    ids = list(_REQUIREMENTS.get(case.reason, ()))
    ids += ["P7"] if case.id in _NO_SIGNATURE else []
    ids += ["P8"] if case.id in _SHARED_SECRET else []
    return [pytest.mark.req(id_) for id_ in ids]
