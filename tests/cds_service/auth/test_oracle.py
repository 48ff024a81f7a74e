"""joserfc as a second opinion: no token that it refuses is accepted by us.

Both see the same key, claims and moment. Tokens are good ones that hypothesis has cut, spliced and
rewritten. We refuse more than joserfc does (sizes, lifetimes, duplicate names); never less.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from joserfc.jws import JWSRegistry

from cds_service.auth import Refused, Verifier
from cds_service.settings.model import Settings, Tenant
from cds_service.store import open_store
from tests.cds_service.auth import forge
from tests.cds_service.auth.forge import AT, ENDPOINT, ES, NOW, RS, Json

EXAMPLES = 400


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Verifier]:
    folder = tmp_path_factory.mktemp("oracle")
    (folder / "keys.json").write_bytes(forge.key_set(ES.jwk(), RS.jwk()))
    tenant = Tenant(id="general", iss=forge.ISS, jwks_file=Path(folder / "keys.json"))
    store = open_store("sqlite://")
    made = Verifier(Settings(public_url=forge.BASE, tenants=(tenant,)), store)
    yield made
    made.stop()
    store.close()


KEYS = KeySet([ECKey.import_key(ES.jwk()), RSAKey.import_key(RS.jwk())])
CLAIMS = jwt.JWTClaimsRegistry(
    now=NOW,
    leeway=60,
    iss={"essential": True, "value": forge.ISS},
    aud={"essential": True, "value": ENDPOINT},
    exp={"essential": True},
    iat={"essential": True},
    jti={"essential": True},
)
# The one difference allowed: header members nobody knows are ignored, as RFC 7515 section 4 asks, where
# joserfc refuses them.
REGISTRY = JWSRegistry(algorithms=["ES384", "RS384"], strict_check_header=False)


def joserfc_accepts(text: str) -> bool:
    try:
        CLAIMS.validate(jwt.decode(text, KEYS, registry=REGISTRY).claims)
    except Exception:
        # It has exceptions of many kinds, RecursionError among them; every one is a refusal.
        return False
    return True


def we_accept(verifier: Verifier, text: str) -> bool:
    try:
        return verifier.verify(f"Bearer {text}", ENDPOINT, AT).is_authenticated
    except Refused:
        return False


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.integers(NOW - 4000, NOW + 4000)
    | st.floats(allow_nan=True)
    | st.sampled_from(["", "JWT", "none", "HS384", "ES384", "RS384", ES.kid, RS.kid, forge.ISS, ENDPOINT])
    | st.text(max_size=8)
)
_VALUES = _SCALARS | st.lists(_SCALARS, max_size=3)
_NAMES = st.sampled_from(
    ["alg", "kid", "typ", "jku", "crit", "b64", "zip", "iss", "aud", "exp", "iat", "nbf", "jti", "sub", "x"]
)
_CHANGES = st.dictionaries(_NAMES, _VALUES, max_size=3)
_DROPPED = st.lists(_NAMES, max_size=2)
_KEYS = st.sampled_from([ES, RS, forge.EVIL, forge.OTHER])


def _changed(members: Json, changes: Json, dropped: list[str]) -> Json:
    return {name: value for name, value in {**members, **changes}.items() if name not in dropped}


@st.composite
def _rewritten(draw: Callable[[st.SearchStrategy[object]], object]) -> str:
    """Header and claims changed, then signed, mostly with the right key."""
    key = draw(st.one_of(st.just(ES), st.just(RS), _KEYS))
    assert isinstance(key, forge.Key)
    head = _changed(forge.header(key), draw(_CHANGES), draw(_DROPPED))  # type: ignore[arg-type]
    body = _changed(forge.claims(), draw(_CHANGES), draw(_DROPPED))  # type: ignore[arg-type]
    return forge.compact(head, body, key)


@st.composite
def _damaged(draw: Callable[[st.SearchStrategy[object]], object]) -> str:
    """A good token with one stretch replaced."""
    text = forge.token(draw(st.sampled_from([ES, RS])))  # type: ignore[arg-type]
    start = draw(st.integers(0, len(text) - 1))
    length = draw(st.integers(0, 4))
    patch = draw(st.text("ABCabc019-_.=+/ \n", max_size=4))
    assert isinstance(start, int)
    assert isinstance(length, int)
    return f"{text[:start]}{patch}{text[start + length :]}"


@st.composite
def _spliced(draw: Callable[[st.SearchStrategy[object]], object]) -> str:
    """Segments of several good tokens in any order."""
    parts = [part for key in (ES, RS, forge.EVIL) for part in forge.token(key).split(".")]
    return ".".join(draw(st.lists(st.sampled_from(parts), min_size=1, max_size=5)))  # type: ignore[arg-type]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=_rewritten() | _damaged() | _spliced())
def test_j_69_what_joserfc_refuses_we_refuse(verifier: Verifier, text: str) -> None:
    if we_accept(verifier, text):
        # Blanks around the token belong to the Authorization header.
        assert joserfc_accepts(text.strip(" ")), text


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    key=st.sampled_from([ES, RS]), extra=st.dictionaries(st.text(max_size=6), st.text(max_size=9), max_size=3)
)
def test_good_tokens_are_accepted_by_both(verifier: Verifier, key: forge.Key, extra: dict[str, str]) -> None:
    members = {name: value for name, value in extra.items() if name != "nbf"}
    text = forge.compact(forge.header(key), {**members, **forge.claims()}, key)
    assert joserfc_accepts(text)
    assert we_accept(verifier, text)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    payload=st.binary(max_size=300)
    | st.text(max_size=100).map(lambda text: json.dumps({"iss": text}).encode())
)
def test_any_payload_at_all_is_an_orderly_refusal(verifier: Verifier, payload: bytes) -> None:
    assert not we_accept(verifier, forge.compact(forge.header(ES), payload, ES))


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(value=st.text(max_size=200))
def test_any_authorization_header_at_all_is_an_orderly_refusal(verifier: Verifier, value: str) -> None:
    with pytest.raises(Refused):
        verifier.verify(value, ENDPOINT, AT)
