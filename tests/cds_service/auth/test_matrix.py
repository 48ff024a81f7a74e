"""Every token of the matrix, good and forged, against the verifier."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cds_service.auth import CannotVerify, Refused, Verifier
from cds_service.settings.model import Settings, Tenant
from cds_service.store import Store
from tests.cds_service.auth import forge
from tests.cds_service.auth.forge import AT, DISCOVERY, ENDPOINT, ES, FEEDBACK, NOW, OTHER, RS, bearer, token
from tests.cds_service.auth.matrix import MATRIX, Case, marked


@pytest.fixture(scope="module")
def key_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    (folder / "general.json").write_bytes(forge.key_set(ES.jwk(), RS.jwk()))
    (folder / "clinic.json").write_bytes(forge.key_set(OTHER.jwk(), forge.EVIL.jwk(kid=RS.kid)))
    return folder


@pytest.fixture(scope="module")
def settings(key_files: Path) -> Settings:
    return Settings(
        public_url=forge.BASE,
        tenants=(
            Tenant(id="general", iss=forge.ISS, jwks_file=key_files / "general.json", audiences=("alias",)),
            Tenant(id="clinic", iss=forge.OTHER_ISS, jwks_file=key_files / "clinic.json"),
        ),
    )


@pytest.fixture
def verifier(settings: Settings, sqlite_store: Store) -> Iterator[Verifier]:
    made = Verifier(settings, sqlite_store)
    yield made
    made.stop()


def _reason(verifier: Verifier, authorization: object, audience: str = ENDPOINT) -> str:
    try:
        caller = verifier.verify(authorization, audience, AT)  # type: ignore[arg-type]
    except Refused as refused:
        return refused.reason.value
    assert caller.tenant is not None
    return ""


def test_the_matrix_is_as_large_as_promised() -> None:
    assert len(MATRIX) >= 69
    assert len({case.id for case in MATRIX}) == len(MATRIX)
    numbered = {f"J-{number:02}" for number in range(1, 57)}
    assert numbered <= {case.id for case in MATRIX}
    assert [case.id for case in MATRIX[:56] if not case.reason] == ["J-01", "J-02", "J-03"]


# A jku is only held against the configured one where one is configured (see test_jku).
_WITH_JKU = ("J-15", "J-16", "J-17")


@pytest.mark.req("P2")
@pytest.mark.req("P3")
@pytest.mark.req("P4")
@pytest.mark.req("P5")
@pytest.mark.req("P6")
@pytest.mark.req("P7")
@pytest.mark.req("P8")
@pytest.mark.req("P9")
@pytest.mark.parametrize("case", marked(case for case in MATRIX if case.id not in _WITH_JKU))
def test_each_token_of_the_matrix(verifier: Verifier, case: Case) -> None:
    assert _reason(verifier, case.make()) == case.reason


@pytest.mark.parametrize("case", marked(case for case in MATRIX if case.id in _WITH_JKU))
@pytest.mark.req("P5")
def test_a_jku_may_only_repeat_the_configured_one(
    settings: Settings, sqlite_store: Store, case: Case
) -> None:
    verifier = Verifier(settings, sqlite_store)
    # The keys are there already, so that a refusal can only come from the token's own jku.
    tenant = replace_tenant(settings, jku=forge.JKU)
    verifier._tenants = {forge.ISS: tenant}
    assert _reason(verifier, case.make()) == case.reason
    assert _reason(verifier, bearer(token(ES, {"jku": forge.JKU}))) == ""
    verifier.stop()


def replace_tenant(settings: Settings, **changes: object) -> Tenant:
    return settings.tenants[0].model_copy(update=changes)


@pytest.mark.req("P14")
def test_with_a_key_file_the_tokens_jku_is_ignored(verifier: Verifier) -> None:
    assert _reason(verifier, bearer(token(ES, {"jku": "https://evil.example/jwks"}))) == ""
    assert _reason(verifier, bearer(token(ES, {"jku": 7}))) == "jku"


@pytest.mark.req("P10")
def test_j_57_the_same_token_again(verifier: Verifier) -> None:
    used = bearer(token())
    assert _reason(verifier, used) == ""
    assert [_reason(verifier, used) for _ in range(3)] == ["replayed"] * 3


def test_j_58_a_retry_with_the_same_jti_is_refused_as_well(verifier: Verifier) -> None:
    assert _reason(verifier, bearer(token(jti="one"))) == ""
    assert _reason(verifier, bearer(token(jti="one", exp=NOW + 200))) == "replayed"


def test_two_issuers_may_use_the_same_jti(verifier: Verifier) -> None:
    assert _reason(verifier, bearer(token(jti="shared"))) == ""
    assert _reason(verifier, bearer(token(OTHER, iss=forge.OTHER_ISS, jti="shared"))) == ""


def test_a_refused_token_does_not_use_up_its_jti(verifier: Verifier) -> None:
    assert _reason(verifier, bearer(token(jti="kept", aud="elsewhere"))) == "audience"
    assert _reason(verifier, bearer(token(jti="kept"))) == ""


def test_j_59_without_a_store_nobody_is_believed(settings: Settings, sqlite_store: Store) -> None:
    verifier = Verifier(settings, sqlite_store)
    with sqlite_store._engines.writing() as connection:
        connection.exec_driver_sql("DROP TABLE replay")
    with pytest.raises(CannotVerify, match="store"):
        verifier.verify(bearer(token()), ENDPOINT, AT)
    verifier.stop()


def test_j_63_a_kid_of_another_tenant_does_not_verify(verifier: Verifier) -> None:
    evil = forge.Key(RS.kid, "ES384", forge.EVIL.private)
    assert _reason(verifier, bearer(token(evil, iss=forge.OTHER_ISS))) == ""
    assert _reason(verifier, bearer(token(evil))) == "unknown-key"


@pytest.mark.parametrize(
    ("audience", "own"), [(DISCOVERY, DISCOVERY), (FEEDBACK, FEEDBACK), (ENDPOINT, "alias")]
)
def test_j_65_each_endpoint_has_its_own_audience_or_an_alias(
    verifier: Verifier, audience: str, own: str
) -> None:
    assert _reason(verifier, bearer(token(aud=own)), audience) == ""
    other = ENDPOINT if audience != ENDPOINT else FEEDBACK
    assert _reason(verifier, bearer(token(aud=other)), audience) == "audience"


def test_another_tenants_alias_is_no_alias(verifier: Verifier) -> None:
    assert _reason(verifier, bearer(token(OTHER, iss=forge.OTHER_ISS, aud="alias"))) == "audience"


@pytest.mark.parametrize(
    ("exp", "iat", "reason"),
    [
        (NOW - 59, NOW - 300, ""),
        (NOW - 60, NOW - 300, "expired"),
        (NOW - 61, NOW - 300, "expired"),
        (NOW + 300, NOW + 59, ""),
        (NOW + 300, NOW + 60, ""),
        (NOW + 300, NOW + 61, "not-yet-valid"),
        (NOW + 3600, NOW, ""),
        (NOW + 3601, NOW, "lifetime"),
    ],
)
@pytest.mark.req("P11")
def test_j_66_clocks_may_differ_by_a_minute(verifier: Verifier, exp: int, iat: int, reason: str) -> None:
    assert _reason(verifier, bearer(token(exp=exp, iat=iat))) == reason


@pytest.mark.req("P9")
def test_an_algorithm_must_be_configured(settings: Settings, sqlite_store: Store) -> None:
    only_rsa = settings.model_copy(update={"jwt_algorithms": ("RS384",)})
    verifier = Verifier(only_rsa, sqlite_store)
    assert _reason(verifier, bearer(token())) == "algorithm"
    assert _reason(verifier, bearer(token(RS))) == ""
    verifier.stop()


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS384"])
@pytest.mark.req("P9")
def test_further_algorithms_by_configuration(
    settings: Settings, sqlite_store: Store, tmp_path: Path, algorithm: str
) -> None:
    key = forge.ec_key("k", "P-256", algorithm) if algorithm == "ES256" else forge.rsa_key("k", alg=algorithm)
    (tmp_path / "keys.json").write_bytes(forge.key_set(key.jwk()))
    tenant = replace_tenant(settings, jwks_file=tmp_path / "keys.json")
    more = settings.model_copy(update={"jwt_algorithms": (algorithm,), "tenants": (tenant,)})
    verifier = Verifier(more, sqlite_store)
    assert _reason(verifier, bearer(token(key))) == ""
    verifier.stop()


@pytest.mark.parametrize(
    ("auth", "discovery_auth", "discovery", "is_needed"),
    [
        ("required", "optional", False, True),
        ("required", "optional", True, False),
        ("required", "required", True, True),
        ("optional", "optional", False, False),
        ("optional", "optional", True, False),
        ("optional", "required", True, True),
        ("off", "required", True, False),
        ("off", "optional", False, False),
    ],
)
@pytest.mark.req("P1")
@pytest.mark.req("B15")
def test_who_must_bring_a_token(
    settings: Settings,
    sqlite_store: Store,
    auth: str,
    discovery_auth: str,
    discovery: bool,
    is_needed: bool,
) -> None:
    changed = settings.model_copy(update={"auth": auth, "discovery_auth": discovery_auth})
    verifier = Verifier(changed, sqlite_store)
    if is_needed:
        with pytest.raises(Refused):
            verifier.identify([], ENDPOINT, AT, discovery=discovery)
    else:
        assert not verifier.identify([], ENDPOINT, AT, discovery=discovery).is_authenticated
    verifier.stop()


def test_where_a_token_is_optional_a_bad_one_is_refused_all_the_same(
    settings: Settings, sqlite_store: Store
) -> None:
    verifier = Verifier(settings.model_copy(update={"auth": "optional"}), sqlite_store)
    with pytest.raises(Refused):
        verifier.identify("Bearer x.y.z", ENDPOINT, AT)
    assert verifier.identify(bearer(token()), ENDPOINT, AT).is_authenticated
    verifier.stop()


def test_whatever_breaks_inside_is_a_refusal(verifier: Verifier, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_: object) -> None:
        raise RuntimeError("CANARY")

    monkeypatch.setattr("cds_service.auth.verifier.check_times", explode)
    assert _reason(verifier, bearer(token())) == "fault"


@pytest.mark.req("P13")
def test_no_token_reaches_the_log(verifier: Verifier, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sent = []
    for case in MATRIX:
        value = case.make()
        values = [value] if isinstance(value, str) else list(value)
        sent += [part for one in values for part in one.replace(",", ".").split(".") if len(part) > 20]
        _reason(verifier, value)
    log = caplog.text
    assert "token-refused" in log
    assert not [part for part in sent if part in log]


@pytest.mark.req("P4")
def test_a_caller_is_the_tenant_of_its_issuer(verifier: Verifier) -> None:
    caller = verifier.verify(bearer(token(jti="mine")), ENDPOINT, AT + timedelta(seconds=1))
    assert caller.tenant is not None
    assert (caller.tenant.id, caller.issuer, caller.jti) == ("general", forge.ISS, "mine")
    assert replace(caller, jti="").is_authenticated
