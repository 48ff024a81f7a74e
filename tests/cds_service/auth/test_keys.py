"""Which keys of a JWK Set are trusted, and which are left out."""

from __future__ import annotations

import json

import pytest

from cds_service.auth.keys import NotAKeySet, read_key_set
from tests.cds_service.auth.forge import ES, RS, Json, ec_key, key_set, number, rsa_key

WEAK: list[tuple[str, Json, str]] = [
    ("RSA of 1024 bits", rsa_key("w", 1024).jwk(), "1024 bits"),
    ("P-192", ec_key("w", "P-192").jwk(alg=None), "fit no accepted algorithm"),
    ("P-521", ec_key("w", "P-521").jwk(alg=None), "fit no accepted algorithm"),
    ("symmetric", {"kid": "w", "kty": "oct", "k": "c2VjcmV0"}, "neither EC nor RSA"),
    ("OKP", {"kid": "w", "kty": "OKP", "crv": "Ed25519", "x": "AA"}, "neither EC nor RSA"),
    ("for encryption", ES.jwk(kid="w", use="enc"), "use is not sig"),
    ("for signing only", ES.jwk(kid="w", use=None, key_ops=["sign"]), "lacks verify"),
    ("key_ops no list", ES.jwk(kid="w", key_ops="verify"), "lacks verify"),
    ("private", ES.jwk(kid="w", d="AA"), "private key material"),
    ("alg of another type", ES.jwk(kid="w", alg="RS384"), "fit no accepted algorithm"),
    ("alg symmetric", RS.jwk(kid="w", alg="HS384"), "fit no accepted algorithm"),
    ("curve and alg differ", ES.jwk(kid="w", alg="ES256"), "fit no accepted algorithm"),
    ("point not on the curve", ES.jwk(kid="w", x=ES.jwk()["y"]), "do not make a public key"),
    ("no modulus", RS.jwk(kid="w", n=None), "do not make a public key"),
    ("modulus no text", RS.jwk(kid="w", n=7), "do not make a public key"),
    ("exponent 1", RS.jwk(kid="w", e=number(1)), "do not make a public key"),
    ("modulus of 16384 bits", RS.jwk(kid="w", n=number((1 << 16383) | 1)), "16384 bits"),
]


@pytest.mark.parametrize(("name", "jwk", "why"), WEAK, ids=[case[0] for case in WEAK])
def test_j_64_a_key_that_is_weak_or_not_for_us_is_left_out(name: str, jwk: Json, why: str) -> None:
    found = read_key_set(key_set(jwk, ES.jwk()))
    assert [key.kid for key in found.keys] == [ES.kid]
    assert [entry.kid for entry in found.left_out] == ["w"]
    assert why in found.left_out[0].why


@pytest.mark.parametrize("entry", [7, None, "key", [], {}, {"kid": ""}, {"kid": 7, "kty": "EC"}])
def test_an_entry_that_is_no_key_costs_only_itself(entry: object) -> None:
    found = read_key_set(json.dumps({"keys": [entry, RS.jwk()]}).encode())
    assert [key.kid for key in found.keys] == [RS.kid]
    assert len(found.left_out) == 1


def test_of_two_keys_with_one_kid_the_second_is_left_out() -> None:
    found = read_key_set(key_set(ES.jwk(), ec_key("second").jwk(kid=ES.kid)))
    assert len(found.keys) == 1
    assert "same kid" in found.left_out[0].why


def test_one_kid_may_name_keys_of_two_types() -> None:
    found = read_key_set(key_set(ES.jwk(), RS.jwk(kid=ES.kid)))
    assert found.find(ES.kid, "ES384") is not found.find(ES.kid, "RS384")


def test_a_key_verifies_only_what_its_alg_allows() -> None:
    found = read_key_set(key_set(RS.jwk(), RS.jwk(kid="any", alg=None)))
    assert [key.algorithms for key in found.keys] == [("RS384",), ("RS256", "RS384", "PS384")]
    assert found.find(RS.kid, "PS384") is None
    assert found.find("any", "PS384") is not None


def test_an_empty_set_withdraws_every_key() -> None:
    assert read_key_set(b'{"keys": []}').keys == ()


def test_a_known_kid_is_known_although_its_key_is_left_out() -> None:
    found = read_key_set(key_set(rsa_key("w", 1024).jwk()))
    assert found.knows("w")
    assert not found.knows("other")


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": [], "keys": []}',
        b"<html>",
        b'{"keys": [' + b"1," * 100 + b"1]}",
    ],
)
def test_what_is_no_key_set_is_refused(document: bytes) -> None:
    with pytest.raises(NotAKeySet):
        read_key_set(document)


def test_nothing_of_a_key_is_shown_by_its_repr() -> None:
    assert str(RS.jwk()["n"])[:20] not in repr(read_key_set(key_set(RS.jwk())))
