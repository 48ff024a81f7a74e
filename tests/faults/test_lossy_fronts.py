"""Gateways that change the address of a search: the same finding or a named refusal, however it is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fhir_mappings.assess import Knowledge
from tests.faults.fronted_clinic import Upstream, answers_through, finding_of
from tests.faults.lossy_fronts import LOSSLESS, LOSSY, as_it_is, unchanged, without_links
from tests.servers.charts import Chart, demonstration
from tests.servers.opening import running_sandbox

FEW = ("isolated-cns", "coded-relapse", "newly-diagnosed")
SILENT = ("newly-diagnosed", "healthy", "negative-report", "history-in-report")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Upstream]:
    with running_sandbox() as sandbox:
        yield Upstream(sandbox.base, sandbox.tokens.issue)


@pytest.fixture(scope="module")
def few() -> list[Chart]:
    return [chart for chart in demonstration() if chart.patient_id in FEW]


@pytest.fixture(scope="module")
def clean(knowledge: Knowledge, sandbox: Upstream) -> dict[str, Any]:
    """What is said of every demonstration patient through a front that changes nothing."""
    found = answers_through(unchanged, sandbox, demonstration(), knowledge)
    assert {name for name, said in found.items() if not said["hook, read"][1].get("cards")} == set(SILENT)
    return found


def test_joined_slashes_change_no_answer(
    knowledge: Knowledge, sandbox: Upstream, clean: dict[str, Any]
) -> None:
    assert answers_through(LOSSLESS["slashes joined"], sandbox, demonstration(), knowledge) == clean


@pytest.mark.parametrize("front", LOSSLESS)
def test_fronts_that_lose_nothing_change_no_finding(
    knowledge: Knowledge, sandbox: Upstream, few: list[Chart], clean: dict[str, Any], front: str
) -> None:
    for spoil in (as_it_is, without_links):
        told = answers_through(LOSSLESS[front], sandbox, few, knowledge, spoil)
        for name, ways in told.items():
            for way, said in ways.items():
                assert finding_of(said) == finding_of(clean[name][way]), (name, way)


@pytest.mark.parametrize("front", LOSSY)
def test_fronts_that_lose_something_hide_no_finding(
    knowledge: Knowledge, sandbox: Upstream, few: list[Chart], clean: dict[str, Any], front: str
) -> None:
    for spoil in (as_it_is, without_links):
        told = answers_through(LOSSY[front], sandbox, few, knowledge, spoil)
        for name, ways in told.items():
            for way, said in ways.items():
                found = finding_of(said)
                assert found == finding_of(clean[name][way]) or found[0] == "not-evaluable", (name, way)
