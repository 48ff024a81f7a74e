"""Marked values in every field that comes in, every way of failing: none is in a log, metric, trace or row.

The service runs as talkative as it can be made. What may be kept is named at the end.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
import requests

from cds_service.demo.demo_patients import load_patients
from cds_service.observability.tracing import SPANS
from cds_service.settings.model import Settings, Tenant
from cds_service.store import open_store
from tests.cds_service.charts import HOOK_INSTANCE, Json, bundle
from tests.cds_service.running import running
from tests.faults.wire import Answer, Asked, LoopbackServer

TODAY = date(2026, 11, 20)
AT = datetime.combine(TODAY, time(12), UTC)
BORN = "2001-02-03"
MARKED = re.compile(rf"CANARY[\w.-]*|{BORN}".encode())
KEPT = {b"CANARY-comment", b"CANARY-reason", b"CANARY-card", b"CANARY-suggestion"}
"""What a user said about a card is stored; that is what feedback is for."""
CALL, FEEDBACK = "/cds-services/all-relapse", "/cds-services/all-relapse/feedback"
CAPTURED = "2026-11-20T11:00:00Z"


def marked_chart() -> list[Json]:
    """A patient in relapse whose every identifying value is marked."""
    relapse = next(one for one in load_patients(TODAY) if one.id == "early-marrow")
    chart: list[Json] = json.loads(json.dumps(relapse.resources).replace("early-marrow", "CANARY-patient"))
    for resource in chart:
        resource["text"] = {"status": "generated", "div": "<div>CANARY-narrative</div>"}
        resource["note"] = [{"text": "CANARY-note"}]
        if resource["resourceType"] == "Patient":
            resource["name"] = [{"family": "CANARY-family", "given": ["CANARY-given"]}]
            resource["identifier"] = [{"value": "CANARY-number"}]
            resource["address"] = [{"line": ["CANARY-street"]}]
            resource["birthDate"] = BORN
    return chart


@dataclass
class Ehr:
    """A FHIR server that answers as it is told, with the marked chart where it works."""

    chart: list[Json]
    fault: Answer | None = None

    def __call__(self, asked: Asked) -> Answer:
        if self.fault is not None:
            return self.fault
        kind = asked.target.split("/")[2].partition("?")[0]
        found = [resource for resource in self.chart if resource["resourceType"] == kind]
        body = found[0] if kind == "Patient" else bundle(*found, total=len(found))
        return Answer(body=json.dumps(body).encode())


FAULTS = [
    Answer(403, b"CANARY-forbidden"),
    Answer(200, b"<html>CANARY-page</html>", {"Content-Type": "text/html", "Set-Cookie": "CANARY=cookie"}),
    Answer(302, b"", {"Location": "http://CANARY.example/"}),
    Answer(200, b'{"resourceType":"Bundle","entry":[{"resource":{"id":"CANARY-cut'),
    # The last, because the circuit breaker opens.
    Answer(500, b'{"resourceType":"OperationOutcome","issue":[{"diagnostics":"CANARY-diagnostics"}]}'),
]
HEADERS = {
    "User-Agent": "CANARY-agent",
    "Referer": "https://CANARY.example/",
    "Cookie": "CANARY=cookie",
    "X-Request-Id": "CANARY request",
    "X-Forwarded-For": "CANARY-address",
    "traceparent": "CANARY-trace",
}


def body(**more: Any) -> Json:
    context = {
        "userId": "Practitioner/CANARY-user",
        "patientId": "CANARY-patient",
        "encounterId": "CANARY-visit",
    }
    return {"hook": "patient-view", "hookInstance": HOOK_INSTANCE, "context": context, **more}


def hostile_bodies() -> Iterator[bytes]:
    yield b'{"CANARY-key":"CANARY-value"'
    yield b'{"hook":"patient-view","hook":"CANARY-hook"}'
    yield b"\xff\xfeCANARY-coding"
    yield b'{"CANARY":' * 5_000
    yield json.dumps(body(hookInstance="CANARY-instance")).encode()
    yield json.dumps(body(context={"userId": "CANARY", "patientId": "CANARY patient"})).encode()
    yield json.dumps(body(prefetch={"CANARY-key": {"resourceType": "CANARY-type"}})).encode()
    yield json.dumps(body(prefetch={"conditions": "CANARY-text"})).encode()
    yield json.dumps(body(fhirServer="https://CANARY-host.example/fhir")).encode()
    foreign = {
        "resourceType": "Condition",
        "id": "CANARY-id",
        "subject": {"reference": "Patient/CANARY-other"},
    }
    yield json.dumps(body(prefetch={"conditions": bundle(foreign)})).encode()


def feedback(card: str) -> Iterator[Json]:
    said = {
        "userComment": "CANARY-comment",
        "reason": {"code": "CANARY-reason", "system": "https://x.example"},
    }
    yield {"card": card, "outcome": "overridden", "outcomeTimestamp": CAPTURED, "overrideReason": said}
    taken = [{"id": "CANARY-suggestion"}]
    yield {
        "card": "CANARY-card",
        "outcome": "accepted",
        "outcomeTimestamp": CAPTURED,
        "acceptedSuggestions": taken,
    }
    yield {"card": card, "outcome": "CANARY-outcome"}


def test_no_marked_value_is_kept_or_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    ehr, database = Ehr(marked_chart()), tmp_path / "store.db"
    with LoopbackServer(ehr) as fhir, LoopbackServer(lambda _: Answer()) as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
        base = f"{fhir.url}/fhir"
        tenant = Tenant(id="general", fhir_servers=(base,), allow_private=True, habits="smart")
        settings = Settings.embedded(
            tenants=(tenant,), auth="optional", workers=1, store=f"sqlite:///{database}", log_level="debug"
        )
        token = {"access_token": "CANARY-token", "token_type": "Bearer", "expires_in": 300}
        read = body(
            fhirServer=base, fhirAuthorization={**token, "scope": "CANARY-scope", "subject": "CANARY"}
        )
        with running(settings, AT, tmp_path) as service:

            def post(path: str, **more: Any) -> requests.Response:
                return requests.post(
                    service.url + path, timeout=60, headers=more.pop("headers", HEADERS), **more
                )

            shown = post(CALL, json=read)
            assert shown.status_code == 200
            for raw in hostile_bodies():
                sent = post(CALL, data=raw, headers={**HEADERS, "Content-Type": "application/json"})
                assert 400 <= sent.status_code < 500
            for proof in ("Bearer CANARY-jwt", "Bearer e30.CANARY.e30", "Basic Q0FOQVJZ"):
                assert post(CALL, json=body(), headers={"Authorization": proof}).status_code == 401
            for item in feedback(shown.json()["cards"][0]["uuid"]):
                assert post(FEEDBACK, json={"feedback": [item]}).status_code in (200, 400)
            for path in (
                "/CANARY?CANARY=1",
                "/cds-services/CANARY",
                "/clinical/CANARY",
                "/timeline/chart/CANARY",
            ):
                assert requests.get(service.url + path, timeout=60).status_code >= 400
            for path in (
                "launch?iss=https://CANARY.example&launch=CANARY&moved=1",
                "callback?code=CANARY&state=CANARY",
            ):
                assert requests.get(f"{service.url}/timeline/{path}", timeout=60).status_code >= 400
            with closing(sqlite3.connect(database)) as broken:
                broken.execute("ALTER TABLE evaluations RENAME TO gone")
                assert post(CALL, json=read).status_code == 503
                assert post(FEEDBACK, json={"feedback": [next(feedback("CANARY-card"))]}).status_code == 503
                broken.execute("ALTER TABLE gone RENAME TO evaluations")
            for fault in FAULTS:
                ehr.fault = fault
                assert post(CALL, json=read, params={"q": "CANARY-query"}).status_code == 412
            metrics = requests.get(f"{service.url}/metrics", timeout=60).content
            traces = all_traces(collector)
        log = service.log.read_bytes()
    assert b"store-unavailable" in log
    assert MARKED.findall(log) == []
    assert MARKED.findall(metrics) == []
    assert MARKED.findall(traces) == []
    assert all(name.encode() in traces for name in (*SPANS, "general", "relapse"))
    assert all(isinstance(json.loads(line), dict) for line in log.splitlines())
    assert set(in_the_store(database)) == KEPT


def all_traces(collector: LoopbackServer) -> bytes:
    """What the collector was sent, after every kind of span has come."""
    end = monotonic() + 60
    while True:
        sent = b"".join(asked.body for asked in list(collector.asked))
        if all(name.encode() in sent for name in SPANS) or monotonic() > end:
            return sent
        sleep(0.1)


def in_the_store(database: Path) -> list[bytes]:
    """The marked values in any cell of any table."""
    open_store(f"sqlite:///{database}").close()
    with closing(sqlite3.connect(database)) as connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        cells = [
            cell for table in tables for row in connection.execute(f"SELECT * FROM {table}") for cell in row
        ]
    return [found for cell in cells for found in MARKED.findall(str(cell).encode())]
