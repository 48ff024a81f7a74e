"""The call without prefetch: how much longer it takes than the queries it cannot do without.

Those are two, one after the other: the Conditions, and then, when there is ALL among them, the slowest of
the rest. Wall time, against single queries to the same server between the calls.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import orjson
import requests

from benchmarks.calling import call
from benchmarks.charts import PATIENT_ID, Json, body, other_chart, relapse_chart
from benchmarks.fhir_server import SlowServer, slow_server
from benchmarks.measuring import Figure
from benchmarks.service import service_app
from cds_service.app_state import parts_of


@dataclass(frozen=True, slots=True)
class Fetched:
    """The ratio for a chart with ALL, and the queries that a chart without ALL takes."""

    ratio: Figure
    milliseconds: float
    queries_with: int
    queries_without: int


def measure(rounds: int, seconds: float, resources: int) -> Fetched:
    """Both figures, against a server that takes ``seconds`` for every query."""
    with slow_server(_resources(relapse_chart(resources)), seconds) as server:
        ratio, wall = _ratio(server, rounds)
        queries = server.asked.total()
    with slow_server(_resources(other_chart(resources)), 0.0) as server:
        app = service_app(server.url)
        call(app, _without_prefetch(server))
        parts_of(app).close()
        return Fetched(ratio, wall * 1000, queries, server.asked.total())


def _ratio(server: SlowServer, rounds: int) -> tuple[Figure, float]:
    app = service_app(server.url)
    request = _without_prefetch(server)
    ratios, walls = [], []
    with requests.Session() as session:
        session.trust_env = False
        for number in range(rounds + 1):
            floor = _seconds(session, server, "Condition") + _seconds(session, server, "Observation")
            server.asked.clear()
            start = time.perf_counter()
            answer = orjson.loads(call(app, request))
            wall = time.perf_counter() - start
            if not answer["cards"]:
                raise AssertionError("the relapse was not seen")
            # The first call opens the connections and learns what the server can do.
            if number:
                ratios.append(wall / floor)
                walls.append(wall)
    parts_of(app).close()
    return Figure.of(ratios), sorted(walls)[len(walls) // 2]


def _seconds(session: requests.Session, server: SlowServer, kind: str) -> float:
    start = time.perf_counter()
    session.get(f"{server.url}/{kind}?patient={PATIENT_ID}", timeout=30).raise_for_status()
    return time.perf_counter() - start


def _without_prefetch(server: SlowServer) -> bytes:
    request = orjson.loads(body({}))
    del request["prefetch"]
    return orjson.dumps({**request, "fhirServer": server.url})


def _resources(prefetch: Json) -> list[Json]:
    found = [prefetch["patient"]]
    for value in prefetch.values():
        found.extend(entry["resource"] for entry in value.get("entry", ()))
    return found
