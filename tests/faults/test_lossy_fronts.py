"""Gateways that change the address of a search: the same finding as without them, by every way of reading."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fhir_mappings.assess import Knowledge
from tests.faults.fronted_clinic import Upstream, answers_through
from tests.faults.lossy_fronts import slashes_joined, unchanged
from tests.servers.charts import demonstration
from tests.servers.opening import running_sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Upstream]:
    with running_sandbox() as sandbox:
        yield Upstream(sandbox.base, sandbox.tokens.issue)


def test_joined_slashes_change_no_finding(knowledge: Knowledge, sandbox: Upstream) -> None:
    clean = answers_through(unchanged, sandbox, demonstration(), knowledge)
    assert sum(bool(said["hook, read"][1].get("cards")) for said in clean.values()) >= 10
    assert answers_through(slashes_joined, sandbox, demonstration(), knowledge) == clean
