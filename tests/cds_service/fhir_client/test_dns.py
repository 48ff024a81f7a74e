"""Name resolution within a deadline."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from cds_service.fhir_client.deadline import Deadline
from cds_service.fhir_client.dns import resolve


@pytest.mark.parametrize(
    ("host", "target"),
    [("127.0.0.1", (socket.AF_INET, ("127.0.0.1", 80))), ("[::1]", (socket.AF_INET6, ("::1", 80, 0, 0)))],
)
def test_a_literal_address_is_not_looked_up(host: str, target: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "getaddrinfo")
    assert resolve(host, 80, Deadline.after(1)) == [target]


def test_a_hanging_lookup_is_shared_and_holds_no_other_host(monkeypatch: pytest.MonkeyPatch) -> None:
    released, asked = threading.Event(), []

    def look_up(host: str, port: int, *_: Any) -> list[Any]:
        asked.append(host)
        if host == "hangs.example":
            released.wait(240)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            resolve("hangs.example", 443, Deadline.after(0.02))
    assert asked == ["hangs.example"]
    assert resolve("works.example", 443, Deadline.after(60)) == [(socket.AF_INET, ("192.0.2.1", 443))]
    released.set()


@pytest.mark.parametrize("fault", [socket.gaierror(), UnicodeError()])
def test_an_unknown_name_has_no_address(fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: Any) -> list[Any]:
        raise fault

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert resolve("unknown.example", 443, Deadline.after(60)) == []


def test_each_lookup_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["192.0.2.1", "192.0.2.2"])
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), 1))]
    )
    found = [resolve("moves.example", 1, Deadline.after(60))[0][1][0] for _ in range(2)]
    assert found == ["192.0.2.1", "192.0.2.2"]
