"""The same charts on servers that are not ours: whatever the data come from, the answer is the same.

Equal means: the cards, and the explained assessment with every criterion and its evidence.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from cds_service.demo.sandbox.server import Sandbox
from fhir_mappings.assess import Knowledge
from tests.servers.charts import TODAY, Chart, cases, demonstration, put
from tests.servers.opening import Ask, Fire, asking, comparable, firing, running_sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """The sandbox of the demonstration, with all charts."""
    with running_sandbox() as sandbox:
        yield sandbox


def differences(
    ask: Ask, sandbox: Sandbox, other: str, ways: tuple[bool, ...], charts: Sequence[Chart]
) -> list[str]:
    """The patients whose answer depends on where and how the data are read."""
    found, with_cards = [], 0
    for chart in charts:
        expected = comparable(ask(sandbox.base, chart, True))
        with_cards += bool(expected["cards"])
        if comparable(ask(sandbox.base, chart, False)) != expected:
            found.append(f"{chart.patient_id}: sandbox, read by the service")
        for prefetch in ways:
            if comparable(ask(other, chart, prefetch)) != expected:
                found.append(
                    f"{chart.patient_id}: {'prefetched from' if prefetch else 'read from'} the server"
                )
    assert with_cards > len(charts) / 2
    return found


def is_told_to_be_nobody(fire: Fire, base: str) -> bool:
    """Whether a patient whom the server does not know gets no negative answer."""
    reply = fire(base, replace(demonstration()[0], patient_id="nobody-of-this-id"), False)
    told = reply.body["issue"][0].get("diagnostics", "")
    return reply.status == 412 and "The FHIR server knows no such Patient" in told


def test_hapi_gives_the_same_answers(knowledge: Knowledge, sandbox: Sandbox, hapi: str) -> None:
    """The demonstration patients come by ``relapse-cds load-demo``. Prefetched Bundles have pages here."""
    command = ["load-demo", "--fhir-server", hapi, "--today", TODAY.isoformat()]
    loading = "import sys; from cds_service.cli import main; sys.exit(main(sys.argv[1:]))"
    printed = subprocess.run(
        [sys.executable, "-c", loading, *command], check=True, capture_output=True, text=True
    )
    assert [line.split()[0] for line in printed.stdout.splitlines()] == [
        c.patient_id for c in demonstration()
    ]
    put(hapi, cases())
    with firing(knowledge, sandbox, hapi, "hapi") as fire:
        assert is_told_to_be_nobody(fire, hapi)
        assert is_told_to_be_nobody(fire, sandbox.base)
    with asking(knowledge, sandbox, hapi, "hapi") as ask:
        assert differences(ask, sandbox, hapi, (True, False), [*demonstration(), *cases()]) == []
    # Without known habits, what the server can do is learned from its CapabilityStatement.
    with asking(knowledge, sandbox, hapi, "none") as ask:
        assert differences(ask, sandbox, hapi, (False,), [*demonstration()[:6], *cases()[:6]]) == []


def test_medplum_gives_the_same_answers(knowledge: Knowledge, sandbox: Sandbox, medplum: str) -> None:
    """Its router finds nothing for ``patient=<id>``, so that no EHR could prefetch from it."""
    # Each of its searches looks at every resource, so that it is given few.
    charts = [*demonstration()[:4], *cases()[::4]]
    put(medplum, charts)
    with firing(knowledge, sandbox, medplum, "medplum") as fire:
        assert is_told_to_be_nobody(fire, medplum)
    with asking(knowledge, sandbox, medplum, "medplum") as ask:
        assert differences(ask, sandbox, medplum, (False,), charts) == []
