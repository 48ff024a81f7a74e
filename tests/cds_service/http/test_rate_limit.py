"""The calls of a tenant in a minute, over all processes."""

from __future__ import annotations

import os
from collections.abc import Callable

import orjson
import pytest
from flask import Flask

from cds_service.http.rate_limit import CallRate
from tests.cds_service.charts import FHIR_SERVER, asthma, bundle, request

CALL = "/cds-services/all-relapse"


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    moment = [1000.0]
    monkeypatch.setattr("cds_service.http.rate_limit.time.monotonic", lambda: moment[0])
    return moment


def test_calls_beyond_the_rate_wait(now: list[float]) -> None:
    rate = CallRate(["a", "b"], 3)
    assert [rate.wait("a") for _ in range(4)] == [0.0, 0.0, 0.0, 20.0]
    assert rate.wait("b") == 0.0
    now[0] += 20.0
    assert rate.wait("a") == 0.0
    assert rate.wait("a") == 20.0
    now[0] += 3600.0
    assert [rate.wait("a") for _ in range(4)] == [0.0, 0.0, 0.0, 20.0]


def test_without_a_rate_nobody_waits() -> None:
    rate = CallRate(["a"], 0)
    assert not any(rate.wait(name) for name in ("a", "none") * 100)


def test_processes_share_the_rate(now: list[float]) -> None:
    rate = CallRate(["a"], 2)
    child = os.fork()
    if child == 0:
        os._exit(0 if rate.wait("a") == 0.0 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert rate.wait("a") == 0.0
    assert rate.wait("a") == 30.0


def test_a_call_too_many_is_429(make_app: Callable[..., Flask]) -> None:
    client = make_app(rate_limit_per_minute=2).test_client()
    body = orjson.dumps(request({"conditions": bundle(asthma())}, fhirServer=FHIR_SERVER))
    answers = [client.post(CALL, data=body, content_type="application/json") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 30
    assert answers[2].json["issue"][0]["code"] == "throttled"  # type: ignore[index]


def test_feedback_is_counted_with_the_calls(make_app: Callable[..., Flask]) -> None:
    client = make_app(rate_limit_per_minute=2).test_client()
    item = {"card": "unknown", "outcome": "overridden", "outcomeTimestamp": "2021-01-04T09:29:30Z"}
    answers = [client.post(f"{CALL}/feedback", json={"feedback": [item]}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 30
    assert answers[2].json["issue"][0]["code"] == "throttled"  # type: ignore[index]
