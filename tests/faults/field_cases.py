"""What the tests of the field cases share: servers that answer as a case says, and one reading of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from cds_service.fhir_client import Deadline, FhirReader
from cds_service.fhir_client.queries import Need
from cds_service.settings.model import Settings
from fhir_mappings.assessment import Availability, NeedState
from fhir_mappings.fhir.bundles import NeedData
from tests.faults.little_fhir import BASE, NEEDS, record
from tests.faults.readings import Authorization, tenant_of
from tests.faults.wire import Answer, Asked, LoopbackServer

PRESENT = NeedState(Availability.PRESENT)
EMPTY = NeedState(Availability.EMPTY)
CONDITIONS, MARROW, BLOOD = NEEDS[1], NEEDS[2], NEEDS[3]
OBSERVATIONS = [resource for resource in record("p1") if resource["resourceType"] == "Observation"]
CONDITION = record("p1")[1]


def unknown(reason: str) -> NeedState:
    return NeedState(Availability.UNKNOWN, reason)


def json_answer(content: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/fhir+json", **headers})


def ids(fetched: NeedData) -> list[str]:
    return [entry.resource.id or "" for entry in fetched.entries if entry.resource]


def fetch(
    respond: Callable[[Asked], Answer],
    *needs: Need,
    habits: str = "none",
    patient: str = "p1",
    readings: int = 1,
    seconds: float = 5.0,
    reader: FhirReader | None = None,
) -> tuple[list[NeedData], list[Asked]]:
    """Read the needs from a server that answers so; returns what was fetched last, and all requests."""
    with LoopbackServer(respond) as server:
        url = server.url + BASE
        own = reader or FhirReader(Settings.embedded(), learns=False)
        tenant = tenant_of(url).model_copy(update={"habits": habits})
        for _ in range(readings):
            with own.open(tenant, url, Authorization(), Deadline.after(seconds)) as opened:
                fetched = opened.fetch(needs, patient)
        own.close()
        return [fetched[need.key] for need in needs], server.asked
