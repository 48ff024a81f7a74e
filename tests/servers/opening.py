"""Opening charts of a FHIR server at a service inside the test, and comparing the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Thread
from typing import Any

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
from tests.servers.charts import Chart, cases, demonstration, put

SERVICE = "http://relapse-cds.localhost"
Ask = Callable[[str, Chart, bool], dict[str, Any]]
Fire = Callable[[str, Chart, bool], HookReply]


@contextmanager
def running_sandbox() -> Iterator[Sandbox]:
    """The sandbox of the demonstration, with all charts, on a port of its own."""
    app = Flask("sandbox")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    sandbox = Sandbox(Repository(), AccessTokens(b"k" * 32), f"http://127.0.0.1:{server.port}/fhir")
    app.register_blueprint(sandbox_blueprint(sandbox, "2026-01-01"), url_prefix="/fhir")
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        put(sandbox.base, [*demonstration(), *cases()], sandbox.tokens.issue())
        yield sandbox
    finally:
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
    with serving(knowledge, _tenants(sandbox, other, habits)) as (app, moment), new_session() as session:
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


@contextmanager
def serving(knowledge: Knowledge, tenants: tuple[Tenant, ...]) -> Iterator[tuple[Flask, list[datetime]]]:
    """A service for ``tenants``, and the list whose last moment is its clock."""
    moment: list[datetime] = []
    settings = Settings.embedded(
        public_url=SERVICE, tenants=tenants, explain=True, deadline_ms=30_000, snooze_days=0
    )
    app = create_app(settings, clock=lambda: moment[-1], knowledge=knowledge)
    try:
        yield app, moment
    finally:
        parts_of(app).close()


def _tenants(sandbox: Sandbox, other: str, habits: Habits) -> tuple[Tenant, ...]:
    own = Tenant(id="own", fhir_servers=(sandbox.base,), allow_private=True, profile="sandbox")
    theirs = Tenant(
        id="theirs",
        fhir_servers=(other,),
        allow_private=True,
        open_fhir=True,
        profile="sandbox",
        habits=habits,
        documents=True,
    )
    return own, theirs


def comparable(answer: Any) -> Any:
    """An answer without the ids of cards, suggestions and new resources, which differ between tenants."""
    if isinstance(answer, dict):
        own = ("uuid", "id") if "resourceType" in answer else ("uuid",)
        return {key: comparable(value) for key, value in answer.items() if key not in own}
    return [comparable(item) for item in answer] if isinstance(answer, list) else answer
