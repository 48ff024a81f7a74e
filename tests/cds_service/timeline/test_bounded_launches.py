"""Launches at an EHR that hangs hold a quarter of the threads at most."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from cds_service.fhir_client import Deadline
from cds_service.fhir_client.transport import Failed
from cds_service.http.fhir_base import parse_base
from cds_service.settings.model import Settings, Tenant
from cds_service.timeline.endpoints import SmartServers
from cds_service.timeline.problem import LaunchRefused


@pytest.mark.parametrize(("threads", "at_once"), [(1, 1), (4, 1), (16, 4), (64, 16)])
def test_launches_are_bounded_and_their_places_come_back(
    monkeypatch: pytest.MonkeyPatch, threads: int, at_once: int
) -> None:
    servers = SmartServers(Settings.embedded(threads=threads))
    answered = Event()

    class Hanging:
        def send(self, *_: Any) -> Failed:
            assert answered.wait(60)
            return Failed("timed-out")

    monkeypatch.setattr(servers, "_transport", lambda *_: Hanging())
    base = parse_base("https://ehr.example.org/fhir")

    def launched(_: int) -> str:
        try:
            servers.discover(Tenant(id="a"), base, Deadline.after(60))
        except LaunchRefused as refused:
            if refused.reason == "too-many-launches":
                reasons.append(refused.reason)
                if len(reasons) == 40 - at_once:
                    answered.set()
            return refused.reason
        return ""

    reasons: list[str] = []
    with ThreadPoolExecutor(40) as pool:
        told = list(pool.map(launched, range(40)))
    assert told.count("discovery-failed") == at_once
    assert told.count("too-many-launches") == 40 - at_once
    assert launched(0) == "discovery-failed"
