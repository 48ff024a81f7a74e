"""Keys from an address: fetched in the background, kept through faults, rotated without a call waiting."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from cds_service.auth import CannotVerify, Refused, Verifier, fetching
from cds_service.auth.fetching import KeyAddress, KeyFile, NoKeys
from cds_service.auth.trust import Freshness, TenantKeys
from cds_service.settings.model import Settings, Tenant
from cds_service.store import Store
from tests.cds_service.auth import forge, key_server
from tests.cds_service.auth.forge import AT, ENDPOINT, ES, RS, bearer, key_set, token
from tests.cds_service.auth.key_server import KeyServer, serving

WAIT = 120.0


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with serving() as running:
        running.publish(key_set(ES.jwk()))
        yield running


class Clock:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def address(server: KeyServer) -> KeyAddress:
    return KeyAddress(server.url, http_admitted=True, allow_private=True)


def keys_from(server: KeyServer, clock: Clock) -> TenantKeys:
    return TenantKeys("general", address(server), monotonic=clock)


def test_keys_are_fetched_and_found(server: KeyServer) -> None:
    keys = keys_from(server, Clock())
    assert keys.refresh()
    assert keys.current().find(ES.kid, "ES384") is not None
    assert keys.age == 0.0


def test_before_the_first_fetch_nobody_can_be_verified(server: KeyServer) -> None:
    keys = keys_from(server, Clock())
    assert keys.age is None
    with pytest.raises(CannotVerify, match="keys"):
        keys.current()


def _redirect(handler: BaseHTTPRequestHandler) -> None:
    key_server.send(handler, 302, b"", Location="/keys/elsewhere.json")


FAULTS: list[tuple[Callable[[BaseHTTPRequestHandler], None], str]] = [
    (key_server.failing, "status-not-200"),
    (key_server.not_found, "status-not-200"),
    (_redirect, "status-not-200"),
    (key_server.html, "not-a-key-set"),
    (key_server.large, "unusable-body"),
    (key_server.hanging_up, "unreachable"),
    (key_server.dripping, "unreachable"),
]


@pytest.mark.parametrize(("fault", "why"), FAULTS, ids=lambda part: getattr(part, "__name__", part))
def test_j_61_a_fault_keeps_the_last_good_keys_until_they_are_too_old(
    server: KeyServer,
    fault: Callable[[BaseHTTPRequestHandler], None],
    why: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    keys = keys_from(server, clock)
    assert keys.refresh()
    good = keys.current()
    monkeypatch.setattr(fetching, "FETCH_SECONDS", 0.4)
    server.behave = fault
    with pytest.raises(NoKeys) as caught:
        address(server).fetch("")
    assert caught.value.why == why
    assert not keys.refresh()
    clock.now += 86_400
    assert keys.current() is good
    clock.now += 1
    with pytest.raises(CannotVerify):
        keys.current()
    server.publish(key_set(ES.jwk()))
    assert keys.refresh()
    assert keys.current().keys


def test_a_server_that_is_down_keeps_the_last_good_keys() -> None:
    with serving() as running:
        running.publish(key_set(ES.jwk()))
        keys = keys_from(running, Clock())
        assert keys.refresh()
    assert not keys.refresh()
    assert keys.current().keys


def test_a_redirect_is_not_followed(server: KeyServer) -> None:
    server.behave = _redirect
    with pytest.raises(NoKeys):
        address(server).fetch("")
    assert len(server.requests) == 1


def test_an_unchanged_document_is_confirmed_by_its_tag(server: KeyServer) -> None:
    server.publish(key_set(ES.jwk()), etag='"one"')
    clock = Clock()
    keys = keys_from(server, clock)
    assert keys.refresh()
    first = keys.current()
    clock.now += 80_000
    assert keys.refresh()
    assert keys.current() is first
    assert keys.age == 0.0
    assert server.requests[1]["if-none-match"] == '"one"'


def test_an_unasked_304_is_no_confirmation(server: KeyServer) -> None:
    server.behave = lambda handler: key_server.send(handler, 304, b"")
    with pytest.raises(NoKeys):
        address(server).fetch("")


def test_the_environment_takes_no_part(server: KeyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert address(server).fetch("").keys is not None
    sent = server.requests[0]
    assert "authorization" not in sent
    assert "cookie" not in sent


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://ehr.example.org/jwks.json", "http-in-production"),
        ("file:///etc/passwd", "malformed-url"),
        ("https://user@ehr.example.org/jwks.json", "malformed-url"),
        ("https://ehr.example.org/a/../jwks.json", "malformed-url"),
        ("https://127.0.0.1:1/jwks.json", "refused"),
    ],
)
@pytest.mark.req("P5")
@pytest.mark.req("A2")
def test_in_production_only_a_plain_public_https_address_is_asked(url: str, why: str) -> None:
    with pytest.raises(NoKeys) as caught:
        KeyAddress(url).fetch("")
    assert caught.value.why == why


def test_an_unreadable_key_file_keeps_the_last_good_keys(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    keys = TenantKeys("general", KeyFile(file))
    assert not keys.refresh()
    file.write_bytes(key_set(ES.jwk()))
    assert keys.refresh()
    file.write_bytes(b"{")
    assert not keys.refresh()
    assert keys.current().find(ES.kid, "ES384") is not None


# The background thread, with short times.

QUICK = Freshness(every=60.0, cooldown=0.05, max_age=60.0)


def _settings(server: KeyServer) -> Settings:
    tenant = Tenant(id="general", iss=forge.ISS, jku=server.url)
    return Settings(public_url=forge.BASE, environment="development", tenants=(tenant,))


@pytest.fixture
def verifier(server: KeyServer, sqlite_store: Store) -> Iterator[Verifier]:
    made = Verifier(_settings(server), sqlite_store, QUICK)
    yield made
    made.stop()


def eventually(condition: Callable[[], bool]) -> bool:
    """Waits until something that another thread does has happened."""
    pause = threading.Event()
    for _ in range(int(WAIT / 0.02)):
        if condition():
            return True
        pause.wait(0.02)
    return condition()


def is_accepted(verifier: Verifier, key: forge.Key) -> bool:
    try:
        return verifier.verify(bearer(token(key)), ENDPOINT, AT).is_authenticated
    except (Refused, CannotVerify):
        return False


def test_the_first_keys_come_in_the_background(verifier: Verifier) -> None:
    assert verifier.keys["general"].age is None
    # A question about readiness is enough to begin.
    assert eventually(lambda: not verifier.without_keys())
    assert is_accepted(verifier, ES)


def test_a_tenant_whose_keys_never_came_makes_the_service_not_ready(
    server: KeyServer, verifier: Verifier
) -> None:
    server.behave = key_server.failing
    assert verifier.without_keys() == ("general",)
    assert eventually(lambda: len(server.requests) > 1)
    assert verifier.without_keys() == ("general",)


def test_a_first_call_starts_the_fetching_and_is_told_to_come_back(verifier: Verifier) -> None:
    with pytest.raises(CannotVerify, match="keys"):
        verifier.verify(bearer(token()), ENDPOINT, AT)
    assert eventually(lambda: is_accepted(verifier, ES))


def test_j_62_a_new_key_works_after_the_cooldown_and_the_withdrawn_one_is_refused(
    verifier: Verifier, server: KeyServer
) -> None:
    verifier.start()
    assert eventually(lambda: is_accepted(verifier, ES))
    server.publish(key_set(RS.jwk()))
    with pytest.raises(Refused) as caught:
        verifier.verify(bearer(token(RS)), ENDPOINT, AT)
    assert caught.value.reason.value == "unknown-key"
    assert eventually(lambda: is_accepted(verifier, RS))
    assert not is_accepted(verifier, ES)


@pytest.mark.req("T1")
def test_no_call_waits_for_a_rotation(verifier: Verifier, server: KeyServer) -> None:
    verifier.start()
    assert eventually(lambda: is_accepted(verifier, ES))
    gate, entered = threading.Event(), threading.Event()

    def held(handler: BaseHTTPRequestHandler) -> None:
        entered.set()
        gate.wait(WAIT)
        key_server.send(handler, 200, key_set(RS.jwk()))

    server.behave = held
    assert not is_accepted(verifier, RS)
    assert entered.wait(WAIT)
    # The fetch hangs; known keys verify all the same, unknown ones are refused at once.
    assert is_accepted(verifier, ES)
    assert not is_accepted(verifier, RS)
    gate.set()
    assert eventually(lambda: is_accepted(verifier, RS))


def test_j_60_random_kids_cause_one_fetch_per_cooldown(server: KeyServer, sqlite_store: Store) -> None:
    verifier = Verifier(_settings(server), sqlite_store, Freshness(every=60.0, cooldown=30.0))
    verifier.start()
    assert eventually(lambda: is_accepted(verifier, ES))
    for number in range(2_000):
        text = forge.compact(forge.header(ES, kid=f"random-{number}"), forge.claims(), ES)
        with pytest.raises(Refused):
            verifier.verify(bearer(text), ENDPOINT, AT)
    assert len(server.requests) == 1
    verifier.stop()


def test_a_kid_that_was_left_out_causes_no_fetch(verifier: Verifier, server: KeyServer) -> None:
    weak = forge.rsa_key("weak", 1024)
    server.publish(key_set(ES.jwk(), weak.jwk()))
    verifier.start()
    assert eventually(lambda: is_accepted(verifier, ES))
    assert not is_accepted(verifier, weak)
    assert not verifier.keys["general"]._asked.is_set()


@pytest.mark.req("P5")
def test_only_the_configured_address_is_ever_asked(verifier: Verifier, server: KeyServer) -> None:
    verifier.start()
    assert eventually(lambda: is_accepted(verifier, ES))
    with serving() as evil:
        evil.publish(key_set(forge.EVIL.jwk()))
        head = forge.header(forge.EVIL, jku=evil.url)
        for _ in range(3):
            with pytest.raises(Refused):
                verifier.verify(bearer(forge.compact(head, forge.claims(), forge.EVIL)), ENDPOINT, AT)
        assert evil.requests == []


def test_after_a_fork_the_child_fetches_for_itself(verifier: Verifier, server: KeyServer) -> None:
    verifier.start()
    assert eventually(lambda: is_accepted(verifier, ES))
    child = os.fork()
    if child == 0:
        try:
            before = is_accepted(verifier, ES)
            is_alive = verifier.keys["general"]._thread is not None
            os._exit(0 if before and is_alive else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
