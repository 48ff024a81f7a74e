"""HAPI FHIR behind gateways that change the address of a search."""

from __future__ import annotations

from fhir_mappings.assess import Knowledge
from tests.faults.fronted_clinic import Upstream, answers_through
from tests.faults.lossy_fronts import slashes_joined, unchanged
from tests.servers.charts import demonstration, put


def test_joined_slashes_change_no_finding(knowledge: Knowledge, hapi: str) -> None:
    put(hapi, demonstration())
    server = Upstream(hapi, habits="hapi")
    clean = answers_through(unchanged, server, demonstration(), knowledge)
    assert sum(bool(said["hook, read"][1].get("cards")) for said in clean.values()) >= 10
    assert answers_through(slashes_joined, server, demonstration(), knowledge) == clean
