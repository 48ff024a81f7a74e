"""The same charts on servers that are not ours: whatever the data come from, the answer is the same.

Equal means: the cards, and the explained assessment with every criterion and its evidence.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from cds_service.app import create_app
from cds_service.app_state import parts_of
from cds_service.cli.in_process import InProcess
from cds_service.demo.ehr import HookReply, call_hook, new_session
from cds_service.demo.sandbox.access import AccessTokens
from cds_service.demo.sandbox.repository import Repository
from cds_service.demo.sandbox.routes import sandbox_blueprint
from cds_service.demo.sandbox.server import Sandbox
from cds_service.settings.model import Habits, Settings, Tenant
from fhir_mappings.assess import Knowledge
from tests.servers.charts import TODAY, Chart, cases, demonstration, put

SERVICE = "http://relapse-cds.localhost"
Ask = Callable[[str, Chart, bool], dict[str, Any]]
Fire = Callable[[str, Chart, bool], HookReply]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """The sandbox of the demonstration, with all charts, on a port of its own."""
    app = Flask("sandbox")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    sandbox = Sandbox(Repository(), AccessTokens(b"k" * 32), f"http://127.0.0.1:{server.port}/fhir")
    app.register_blueprint(sandbox_blueprint(sandbox, "2026-01-01"), url_prefix="/fhir")
    thread = Thread(target=server.serve_forever)
    thread.start()
    put(sandbox.base, [*demonstration(), *cases()], sandbox.tokens.issue())
    yield sandbox
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def asking(knowledge: Knowledge, sandbox: Sandbox, other: str, habits: Habits) -> Iterator[Ask]:
    """As ``firing``, for charts that can be evaluated: the bodies of the answers."""
    with firing(knowledge, sandbox, other, habits) as fire:

        def ask(base: str, chart: Chart, prefetch: bool) -> dict[str, Any]:
            reply = fire(base, chart, prefetch)
            assert reply.status == 200, (chart.patient_id, reply.body)
            return reply.body

        yield ask


@contextmanager
def firing(knowledge: Knowledge, sandbox: Sandbox, other: str, habits: Habits) -> Iterator[Fire]:
    """Opens charts at a service that may read both servers, at the chart's own moment."""
    moment: list[datetime] = []
    own = Tenant(id="own", fhir_servers=(sandbox.base,), allow_private=True, profile="sandbox")
    theirs = Tenant(
        id="theirs",
        fhir_servers=(other,),
        allow_private=True,
        open_fhir=True,
        profile="sandbox",
        habits=habits,
    )
    settings = Settings.embedded(
        public_url=SERVICE, tenants=(own, theirs), explain=True, deadline_ms=30_000, snooze_days=0
    )
    app = create_app(settings, clock=lambda: moment[-1], knowledge=knowledge)
    with new_session() as session:
        session.mount(SERVICE, InProcess(app))

        def fire(base: str, chart: Chart, prefetch: bool) -> HookReply:
            moment.append(chart.at)
            token = sandbox.tokens.issue(chart.patient_id) if base == sandbox.base else None
            return call_hook(
                SERVICE,
                "all-relapse",
                base,
                chart.patient_id,
                token=token,
                prefetch=prefetch,
                session=session,
            )

        yield fire
    parts_of(app).close()


def comparable(answer: Any) -> Any:
    """An answer without the ids of cards, suggestions and new resources, which differ between tenants."""
    if isinstance(answer, dict):
        own = ("uuid", "id") if "resourceType" in answer else ("uuid",)
        return {key: comparable(value) for key, value in answer.items() if key not in own}
    return [comparable(item) for item in answer] if isinstance(answer, list) else answer


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
