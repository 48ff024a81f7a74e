"""What is counted of reading, and what its labels can hold."""

from __future__ import annotations

from cds_service.fhir_client import Deadline
from cds_service.fhir_client.breaker import FAILURES_IN_A_ROW
from cds_service.observability import metrics
from tests.faults.little_fhir import BASE, NEEDS, LittleFhir
from tests.faults.readings import Authorization, reader_of, tenant_of
from tests.faults.wire import Answer, Asked, LoopbackServer


def count(tenant: str, resource: str, outcome: str) -> float:
    labels = {"tenant": tenant, "resource": resource, "outcome": outcome}
    return metrics.REGISTRY.get_sample_value("fhir_requests_total", labels) or 0.0


def test_exchanges_are_counted_by_tenant_type_and_outcome() -> None:
    little = LittleFhir(page_size=3)
    with LoopbackServer(lambda a: Answer(403) if "/Condition" in a.target else little(a)) as server:
        url = server.url + BASE
        reader = reader_of()
        tenant = tenant_of(url, id="counted")
        with reader.open(tenant, url, Authorization(), Deadline.after(60)) as opened:
            opened.fetch(NEEDS, "p1")
        reader.close()
    assert count("counted", "Patient", "answered") == 1
    assert count("counted", "Condition", "forbidden") == 1
    assert count("counted", "Observation", "answered") == 4
    assert metrics.REGISTRY.get_sample_value("fhir_seconds_count", {"tenant": "counted"}) == 7


def test_a_servers_own_words_never_become_a_label() -> None:
    def respond(asked: Asked) -> Answer:
        return Answer(body=LittleFhir()(asked).body.replace(b"/fhir/Observation", b"/fhir/CANARY"))

    with LoopbackServer(respond) as server:
        url = server.url + BASE
        reader = reader_of()
        with reader.open(tenant_of(url), url, Authorization(), Deadline.after(60)) as opened:
            opened.fetch(NEEDS, "p1")
            opened.follow(NEEDS[2], f"{url}/CANARY?patient=p1")
        reader.close()
    samples = [sample for family in metrics.REGISTRY.collect() for sample in family.samples]
    values = " ".join(value for sample in samples for value in sample.labels.values())
    assert "CANARY" not in values
    assert "p1" not in values.split()


def test_an_open_breaker_shows() -> None:
    with LoopbackServer(lambda _: Answer(500)) as server:
        url = server.url + BASE
        reader = reader_of()
        with reader.open(tenant_of(url, id="broken"), url, Authorization(), Deadline.after(60)) as opened:
            for _ in range(FAILURES_IN_A_ROW):
                opened.fetch(NEEDS[1:2], "p1")
        reader.close()
    assert metrics.REGISTRY.get_sample_value("breaker_state", {"tenant": "broken"}) == 1
