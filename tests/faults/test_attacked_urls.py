"""A FHIR server that is not the tenant's is refused before a name is resolved or a socket opened."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from cds_service.fhir_client import Deadline, FhirReader, RefusedServer
from cds_service.fhir_client.connections import DeadlineSocket
from cds_service.settings.model import Settings, Tenant
from tests.faults.attacked_urls import ALLOWED, ATTACKS, EQUAL
from tests.faults.little_fhir import BASE, NEEDS, LittleFhir
from tests.faults.readings import CANARY, Authorization, reader_of, reading, tenant_of
from tests.faults.watching import watched_network
from tests.faults.wire import Answer, LoopbackServer

GENERAL = Tenant(id="general", fhir_servers=(ALLOWED,))
OTHER = Tenant(id="other", fhir_servers=("https://other.example.org/fhir",))


@pytest.fixture
def production() -> FhirReader:
    return FhirReader(Settings(), learns=False)


@pytest.mark.req("F7")
@pytest.mark.parametrize("name", ATTACKS)
def test_is_refused_without_a_lookup_or_a_socket(name: str, production: FhirReader) -> None:
    with watched_network() as seen, pytest.raises(RefusedServer) as refused:
        production.open(GENERAL, ATTACKS[name], Authorization(), Deadline.after(1))
    assert seen == []
    assert refused.value.reason in ("malformed-url", "not-allowed")
    assert CANARY not in str(refused.value)
    assert "evil" not in str(refused.value)


@pytest.mark.parametrize("url", EQUAL)
def test_equal_spellings_are_the_same_server(url: str, production: FhirReader) -> None:
    with production.open(GENERAL, url, Authorization(), Deadline.after(1)) as opened:
        assert opened is not None


@pytest.mark.parametrize("value", [None, 7, ["https://ehr.example.org/fhir"]])
def test_what_is_no_text_is_refused(value: Any, production: FhirReader) -> None:
    with pytest.raises(RefusedServer, match="plain absolute"):
        production.open(GENERAL, value, Authorization(), Deadline.after(1))


@pytest.mark.req("F7")
def test_s46_another_tenants_server_is_refused(production: FhirReader) -> None:
    with watched_network() as seen, pytest.raises(RefusedServer) as refused:
        production.open(GENERAL, OTHER.fhir_servers[0], Authorization(), Deadline.after(1))
    assert (refused.value.reason, seen) == ("not-allowed", [])


@pytest.mark.req("F8")
@pytest.mark.req("A2")
def test_http_is_refused_in_production_even_where_it_is_listed(production: FhirReader) -> None:
    plain = Tenant(id="plain", fhir_servers=("http://ehr.example.org/fhir",))
    with watched_network() as seen, pytest.raises(RefusedServer) as refused:
        production.open(plain, "http://ehr.example.org/fhir", Authorization(), Deadline.after(1))
    assert (refused.value.reason, seen) == ("http-in-production", [])


S43 = {
    "loopback": "127.0.0.1",
    "metadata": "169.254.169.254",
    "private-10": "10.1.2.3",
    "private-172": "172.16.0.1",
    "private-192": "192.168.1.1",
    "carrier": "100.64.0.1",
    "loopback-6": "::1",
    "mapped": "::ffff:127.0.0.1",
    "unique-local": "fd00::1",
    "nat64": "64:ff9b::7f00:1",
    "6to4": "2002:7f00:1::",
    "protocol-assignments": "192.0.0.8",
    "unspecified": "0.0.0.0",
}


def _resolver(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Names resolve to these addresses, one after the other; returns the addresses dialled."""
    remaining = list(answers)
    dialled: list[str] = []

    def look_up(host: str, port: int, *_: Any) -> list[Any]:
        address = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        place = (address, port, 0, 0) if ":" in address else (address, port)
        return [(family, socket.SOCK_STREAM, 6, "", place)]

    def connect(_: socket.socket, address: Any) -> None:
        dialled.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(DeadlineSocket, "connect", connect)
    return dialled


@pytest.mark.req("F7")
@pytest.mark.parametrize("address", S43.values(), ids=S43)
def test_s43_a_special_address_is_not_dialled(
    address: str, production: FhirReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialled = _resolver(monkeypatch, address)
    with production.open(GENERAL, ALLOWED, Authorization(), Deadline.after(1)) as opened:
        fetched = opened.fetch(NEEDS, "p1")
    assert dialled == []
    assert {need.state.reason for need in fetched.values()} == {"refused"}


def test_s44_the_guard_sees_the_address_that_is_dialled(
    production: FhirReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialled = _resolver(monkeypatch, "198.41.0.4", "127.0.0.1")
    with production.open(GENERAL, ALLOWED, Authorization(), Deadline.after(1)) as opened:
        opened.fetch(NEEDS[:1], "p1")
        second = opened.fetch(NEEDS[:1], "p1")
    assert set(dialled) == {"198.41.0.4"}
    assert second["patient"].state.reason == "refused"


def test_a_private_address_is_dialled_where_the_tenant_allows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    dialled = _resolver(monkeypatch, "10.1.2.3")
    inside = Tenant(id="inside", fhir_servers=(ALLOWED,), allow_private=True)
    with FhirReader(Settings(), learns=False).open(
        inside, ALLOWED, Authorization(), Deadline.after(1)
    ) as opened:
        opened.fetch(NEEDS[:1], "p1")
    assert "10.1.2.3" in dialled


@pytest.mark.req("F3")
@pytest.mark.req("F7")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("place", ["other-origin", "relative", "downgrade"])
def test_s45_a_redirect_is_never_followed(status: int, place: str) -> None:
    with LoopbackServer(LittleFhir()) as evil:
        target = {
            "other-origin": evil.url + BASE,
            "relative": BASE + "/Condition?patient=p1",
            "downgrade": "http://127.0.0.1:1/",
        }
        moved = Answer(status, headers={"Location": target[place]})
        with LoopbackServer(lambda _: moved) as server, reading(server.url + BASE) as opened:
            fetched = opened.fetch(NEEDS, "p1")
        assert evil.connections == 0
        assert len(server.asked) == len(NEEDS)
    assert {need.state.reason for need in fetched.values()} == {"refused"}


def test_s49_every_address_that_is_dialled_is_the_tenants() -> None:
    with LoopbackServer(LittleFhir()) as server, watched_network() as seen:
        with reading(server.url + BASE) as opened:
            opened.fetch(NEEDS, "p1")
        assert {line for line in seen if line.startswith("connect")} == {
            f"connect {('127.0.0.1', server.port)}"
        }
        assert not [line for line in seen if line.startswith("lookup")]


def test_a_patient_id_that_is_no_id_asks_nothing() -> None:
    with LoopbackServer(LittleFhir()) as server:
        for odd in ["1\n", "1/../2", "1&_id=2", "1,2", "", "a" * 129, "..", ".", "1?x", "é"]:
            with reading(server.url + BASE) as opened:
                fetched = opened.fetch(NEEDS, odd)
            assert {need.state.reason for need in fetched.values()} == {"refused"}
        assert server.asked == []


def test_a_listed_server_of_a_tenant_with_private_addresses_is_read() -> None:
    with LoopbackServer(LittleFhir()) as server:
        reader = reader_of()
        tenant = tenant_of(server.url + BASE)
        with reader.open(tenant, server.url + BASE + "/", Authorization(), Deadline.after(5)) as opened:
            assert opened.fetch(NEEDS[1:2], "p1")["conditions"].entries
        reader.close()
