"""A server may close a connection that is idle just when it is used again (RFC 9112, 9.3.1)."""

from __future__ import annotations

import json
import socket

from cds_service.fhir_client import Deadline
from cds_service.fhir_client.breaker import FAILURES_IN_A_ROW
from fhir_mappings.assessment import Availability
from tests.cds_service.charts import bundle
from tests.faults.little_fhir import SmallNeed
from tests.faults.readings import Authorization, reader_of, tenant_of
from tests.faults.wire import Answer, Asked, LoopbackServer

NEEDS = [
    SmallNeed(f"need{number}", kind, ()) for number, kind in enumerate(("Condition", "Procedure", "CarePlan"))
]
READINGS = FAILURES_IN_A_ROW + 2


class ClosesWhenUsedAgain(LoopbackServer):
    """Answers the first request of a connection, and closes it at the second without a word."""

    def __init__(self, always: bool = False) -> None:
        super().__init__(lambda _: Answer(body=json.dumps(bundle()).encode()))
        self._used: set[socket.socket] = set()
        self._always = always

    def converse(self, connection: socket.socket, asked: Asked) -> bool:
        """Answer, or end the connection."""
        if self._always or connection in self._used:
            return False
        self._used.add(connection)
        return super().converse(connection, asked)


def readings(server: LoopbackServer) -> list[set[str]]:
    """The reasons of several readings in a row; empty text for a need that was read."""
    url, reader, found = f"{server.url}/fhir", reader_of(), []
    for _ in range(READINGS):
        with reader.open(tenant_of(url), url, Authorization(), Deadline.after(60)) as opened:
            found.append({need.state.reason for need in opened.fetch(NEEDS, "p1").values()})
    reader.close()
    return found


def test_a_connection_that_was_closed_while_idle_is_no_failure() -> None:
    with ClosesWhenUsedAgain() as server:
        assert readings(server) == [{""}] * READINGS
        assert server.connections >= READINGS


def test_a_connection_that_is_closed_when_it_is_new_is_one() -> None:
    with ClosesWhenUsedAgain(always=True) as server:
        url, reader = f"{server.url}/fhir", reader_of()
        with reader.open(tenant_of(url), url, Authorization(), Deadline.after(60)) as opened:
            found = opened.fetch(NEEDS, "p1")
        reader.close()
    assert {need.state.availability for need in found.values()} == {Availability.UNKNOWN}
    assert {need.state.reason for need in found.values()} <= {"server-error", "breaker-open"}
