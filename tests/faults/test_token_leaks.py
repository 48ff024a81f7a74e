"""The EHR's token goes to the tenant's server alone, and is gone when the reading is."""

from __future__ import annotations

import copy
import gc
import json
import logging
import os
import pickle
import time
import weakref
from pathlib import Path
from typing import Any

import pytest

from cds_service.fhir_client import Deadline, Reading, RefusedServer
from cds_service.fhir_client.tokens import bearer
from cds_service.fhir_client.transport import Reply, Request
from fhir_mappings.assessment import Availability, NeedState
from tests.faults.fault_modes import MODES
from tests.faults.fault_proxy import FaultProxy
from tests.faults.little_fhir import BASE, NEEDS, LittleFhir, bundle, record
from tests.faults.readings import CANARY, Authorization, reader_of, reading, tenant_of
from tests.faults.wire import Answer, Asked, LoopbackServer

MARROW = NEEDS[2:3]
OBSERVATIONS = [resource for resource in record("p1") if resource["resourceType"] == "Observation"]


def answering_with_next(url: Any) -> Any:
    """A server whose every page names ``url`` as the next one. ``{own}`` stands for its own authority."""

    def respond(asked: Asked) -> Answer:
        own = f"127.0.0.1:{asked.headers['host'].rpartition(':')[2]}"
        filled = url.replace("{own}", own) if isinstance(url, str) else url
        page = bundle(OBSERVATIONS[:2], None, [{"relation": "next", "url": filled}])
        return Answer(body=json.dumps(page).encode())

    return respond


BLOCKED: dict[str, Any] = {
    "T-01-other-host": "http://{evil}/fhir/Observation?page=2",
    "T-02-other-port": "http://127.0.0.1:{evil_port}/fhir/Observation?page=2",
    "T-03-other-scheme": "https://{own}/fhir/Observation?page=2",
    "T-04-file": "file:///etc/passwd",
    "T-05-network-path": "//{evil}/fhir/Observation?page=2",
    "T-06-userinfo": "http://{own}@{evil}/fhir/Observation?page=2",
    "T-07-backslash": "http://{evil}\\@{own}/fhir/Observation?page=2",
    "T-08-encoded-dots": "http://{own}/fhir/%2e%2e/admin",
    "T-09-outside-the-base": "http://{own}/admin?page=2",
    "T-10-prefix-of-the-base": "http://{own}/fhirevil/Observation?page=2",
    "T-11-number": 42,
    "T-12-too-long": "http://{own}/fhir/Observation?ct=" + "x" * 20_000,
    "T-15-http-link": "http://ehr.example.org/fhir/Observation?page=2",
    "T-dots": "http://{own}/fhir/../admin",
    "T-relative-dots": "../admin?page=2",
    "T-double-slash": "http://{own}/fhir//Observation?page=2",
    "T-fragment": "http://{own}/fhir/Observation?page=2#x",
    "T-line-break": "http://{own}/fhir/Observation?page=2\r\nX-Evil: 1",
    "T-space": "http://{own}/fhir/Observation?page= 2",
    "T-not-ascii": "http://{own}/fhir/Observation?page=é",
    "T-port-twice": "http://{own}:443/fhir/Observation?page=2",
    "T-javascript": "javascript:alert(1)",
    "T-empty": "",
    "T-null": None,
}


@pytest.mark.req("E5")
@pytest.mark.req("F3")
@pytest.mark.parametrize("name", BLOCKED)
def test_a_next_link_that_leads_elsewhere_is_blocked(name: str) -> None:
    with LoopbackServer(LittleFhir()) as evil:
        link = BLOCKED[name]
        if isinstance(link, str):
            link = link.replace("{evil}", f"localhost:{evil.port}").replace("{evil_port}", str(evil.port))
        with LoopbackServer(answering_with_next(link)) as server, reading(server.url + BASE) as opened:
            fetched = opened.fetch(MARROW, "p1")["marrow"]
        assert evil.connections == 0
        assert CANARY not in evil.everything
        assert len(server.asked) == 1
    assert fetched.state == NeedState(Availability.UNKNOWN, "paging-blocked")
    assert len(fetched.entries) == 2


FOLLOWED = {
    "T-14-relative-to-host": "/fhir/Observation?page=2",
    "T-14-relative-to-base": "/Observation?page=2",
    "T-14-relative-to-request": "Observation?page=2",
    "T-14-query-alone": "?page=2",
    "T-14-no-type": "http://{own}/fhir?_getpages=abc&_bundletype=searchset",
    "T-14-relative-no-type": "/fhir?_getpages=abc",
    "T-14-capital-scheme": "HTTP://{own}/fhir/Observation?page=2",
    "T-14-long-continuation": "http://{own}/fhir/Observation?ct=" + "x" * 4096,
}


@pytest.mark.req("E5")
@pytest.mark.parametrize("name", FOLLOWED)
def test_t14_the_forms_of_real_servers_are_followed(name: str) -> None:
    first = answering_with_next(FOLLOWED[name])
    last = Answer(body=json.dumps(bundle(OBSERVATIONS[2:3], 3)).encode())

    def respond(asked: Asked) -> Answer:
        return last if "_count" not in asked.target else Answer(body=first(asked).body)

    with LoopbackServer(respond) as server, reading(server.url + BASE) as opened:
        fetched = opened.fetch(MARROW, "p1")["marrow"]
        assert len(server.asked) == 2
        assert server.asked[1].target.startswith(BASE)
        assert server.asked[1].headers["authorization"] == f"Bearer {CANARY}"
    assert fetched.state == NeedState(Availability.PRESENT)
    assert len(fetched.entries) == 3


def test_t13_a_loop_of_pages_ends_incomplete() -> None:
    with LoopbackServer(answering_with_next("?page=2")) as server, reading(server.url + BASE) as opened:
        fetched = opened.fetch(MARROW, "p1")["marrow"]
        assert len(server.asked) == 2
    assert fetched.state.reason == "truncated"


def test_t13_endless_distinct_pages_end_incomplete() -> None:
    count = iter(range(10_000))

    def respond(asked: Asked) -> Answer:
        link = {"relation": "next", "url": f"?page={next(count)}"}
        return Answer(body=json.dumps(bundle(OBSERVATIONS[:1], None, [link])).encode())

    with LoopbackServer(respond) as server, reading(server.url + BASE) as opened:
        fetched = opened.fetch(MARROW, "p1")["marrow"]
        assert len(server.asked) == 20
    assert fetched.state.reason == "truncated"


@pytest.mark.parametrize("name", BLOCKED)
def test_a_prefetched_next_link_is_confined_too(name: str) -> None:
    with LoopbackServer(LittleFhir()) as evil, LoopbackServer(LittleFhir()) as server:
        link = str(BLOCKED[name] or "").replace("{own}", f"127.0.0.1:{server.port}")
        link = link.replace("{evil}", f"localhost:{evil.port}").replace("{evil_port}", str(evil.port))
        with reading(server.url + BASE) as opened:
            fetched = opened.follow(MARROW[0], link if link != "42" else "//42")
        assert (evil.connections, server.connections) == (0, 0)
    assert fetched.state.reason == "paging-blocked"


def test_the_rest_of_a_prefetched_result_is_read() -> None:
    with LoopbackServer(LittleFhir()) as server, reading(server.url + BASE) as opened:
        query = "patient=p1&code=http://loinc.org%7C11150-7"
        fetched = opened.follow(MARROW[0], f"{server.url}{BASE}/Observation?{query}&_page=1")
    assert fetched.state == NeedState(Availability.PRESENT)
    assert [entry.resource.id for entry in fetched.entries if entry.resource] == [
        "p1-o3",
        "p1-o4",
        "p1-o5",
        "p1-o6",
    ]


@pytest.mark.req("F6")
@pytest.mark.parametrize("mode", sorted(MODES))
def test_t16_the_token_is_in_no_output(
    mode: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    reader = reader_of(max_body_bytes=1_000_000)
    with FaultProxy(LittleFhir(), mode) as proxy, reading(proxy.url + BASE, 0.3, reader=reader) as opened:
        fetched = opened.fetch(NEEDS, "p1")
        shown = f"{fetched!r} {opened!r} {reader!r} {vars(opened)!r}"
    reader.close()
    standard = capfd.readouterr()
    for text in (caplog.text, standard.out, standard.err, shown):
        assert CANARY not in text
    assert "p1" not in caplog.text
    assert "/fhir" not in caplog.text


def test_t17_environment_and_netrc_have_no_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackServer(LittleFhir()) as evil, LoopbackServer(LittleFhir()) as server:
        netrc = tmp_path / ".netrc"
        netrc.write_text("machine 127.0.0.1 login thief password stolen\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(netrc))
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, evil.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        with reading(server.url + BASE) as opened:
            fetched = opened.fetch(NEEDS, "p1")
        assert evil.connections == 0
        assert {asked.headers["authorization"] for asked in server.asked} == {f"Bearer {CANARY}"}
    assert fetched["marrow"].state == NeedState(Availability.PRESENT)
    assert os.environ["HTTP_PROXY"] == evil.url


def test_t18_a_cookie_is_never_sent_back() -> None:
    cookie = {"Content-Type": "application/fhir+json", "Set-Cookie": "session=CANARY-cookie; Path=/"}

    def respond(asked: Asked) -> Answer:
        return Answer(body=LittleFhir()(asked).body, headers=cookie)

    with LoopbackServer(respond) as server:
        reader = reader_of()
        for _ in range(2):
            with reading(server.url + BASE, reader=reader) as opened:
                opened.fetch(NEEDS, "p1")
        reader.close()
        assert "cookie" not in {name for asked in server.asked for name in asked.headers}


ODD_TOKENS = {
    "T-19-type-mac": (Authorization(token_type="MAC"), "token-type"),
    "T-19-type-empty": (Authorization(token_type=""), "token-type"),
    "T-19-expires-zero": (Authorization(expires_in=0), "token-expired"),
    "T-19-expires-negative": (Authorization(expires_in=-5), "token-expired"),
    "T-19-line-break": (Authorization("abc\r\nX-Evil: 1"), "token-malformed"),
    "T-19-bare-line-feed": (Authorization("abc\nd"), "token-malformed"),
    "T-19-100-kilobytes": (Authorization("a" * 100_000), "token-malformed"),
    "T-19-space": (Authorization("abc def"), "token-malformed"),
    "T-19-nul": (Authorization("abc\x00"), "token-malformed"),
    "T-19-not-ascii": (Authorization("abcé"), "token-malformed"),
    "T-19-empty": (Authorization(""), "token-malformed"),
    "T-19-none": (None, "token-missing"),
}


@pytest.mark.parametrize("name", ODD_TOKENS)
def test_t19_an_odd_token_is_refused_and_never_sent(name: str) -> None:
    authorization, reason = ODD_TOKENS[name]
    with LoopbackServer(LittleFhir()) as server:
        reader = reader_of()
        with pytest.raises(RefusedServer) as refused:
            reader.open(tenant_of(server.url + BASE), server.url + BASE, authorization, Deadline.after(1))
        reader.close()
        assert server.connections == 0
    assert refused.value.reason == reason


@pytest.mark.req("F4")
def test_t19_a_token_that_has_elapsed_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackServer(LittleFhir()) as server, reading(server.url + BASE, 600) as opened:
        later = time.monotonic() + 301
        monkeypatch.setattr("cds_service.fhir_client.tokens.time.monotonic", lambda: later)
        fetched = opened.fetch(MARROW, "p1")
        assert server.asked == []
    assert fetched["marrow"].state.reason == "unauthorised"


@pytest.mark.req("F2")
def test_an_open_server_is_read_without_a_token() -> None:
    with LoopbackServer(LittleFhir()) as server:
        tenant = tenant_of(server.url + BASE, open_fhir=True)
        reader = reader_of()
        with reader.open(tenant, server.url + BASE, None, Deadline.after(5)) as opened:
            assert opened.fetch(MARROW, "p1")["marrow"].entries
        reader.close()
        assert "authorization" not in server.asked[0].headers


@pytest.mark.req("F5")
def test_t21_the_token_is_gone_after_the_reading() -> None:
    secret = "".join(["CANARY-", "of-t21-", str(os.getpid())])
    with LoopbackServer(LittleFhir()) as server:
        reader = reader_of()
        opened = reader.open(
            tenant_of(server.url + BASE), server.url + BASE, Authorization(secret), Deadline.after(5)
        )
        token = weakref.ref(opened._token) if opened._token else None
        assert token is not None
        assert token() is not None
        opened.fetch(NEEDS, "p1")
        opened.close()
        server.asked.clear()
        gc.collect()
        assert token() is None
        assert _holders_of(f"Bearer {secret}") == []
        before = server.connections
        assert opened.fetch(MARROW, "p1")["marrow"].state.reason == "unauthorised"
        assert (server.asked, server.connections) == ([], before)
        reader.close()


def _holders_of(text: str) -> list[object]:
    """Containers of this process that hold the text as a value."""
    held: list[object] = []
    for thing in gc.get_objects():
        values = thing.values() if type(thing) is dict else thing if type(thing) in (list, tuple) else ()
        if any(type(value) in (str, bytes) and value in (text, text.encode()) for value in list(values)):
            held.append(type(thing))
    return held


@pytest.mark.req("F5")
@pytest.mark.req("F6")
def test_a_token_is_neither_shown_nor_copied_nor_stored() -> None:
    token = bearer(Authorization())
    assert CANARY not in repr(token)
    assert CANARY not in f"{token!s} {[token]}"
    with pytest.raises(TypeError, match="not copied"):
        pickle.dumps(token)
    with pytest.raises(TypeError, match="not copied"):
        copy.copy(token)


def test_the_values_on_the_way_do_not_show_bodies() -> None:
    assert "patient=p1" not in repr(Request("/fhir", "POST", b"patient=p1"))
    assert "secret" not in repr(Reply(200, {}, b"secret"))
    assert CANARY not in repr(Reading)
