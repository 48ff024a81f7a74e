"""A service that reads a FHIR server through a gateway, and what it says by every way of opening a chart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask

from cds_service.app_state import parts_of
from cds_service.cli.in_process import InProcess
from cds_service.demo.ehr import call_hook, new_session
from cds_service.evaluation.chart_request import ChartRequest
from cds_service.fhir_client.tokens import GrantedAccess
from cds_service.settings.model import Habits, Tenant
from cds_service.timeline.charts import read_chart
from fhir_mappings.assess import Knowledge
from tests.faults.lossy_fronts import Change, Front, Spoil, as_it_is
from tests.servers.charts import Chart
from tests.servers.opening import SERVICE, comparable, serving


@dataclass(frozen=True)
class Upstream:
    """A FHIR server: its base, a token for each patient, and the name of its habits."""

    base: str
    token: Callable[[str], str] = lambda _: "open"
    habits: Habits = "none"


def answers_through(
    change: Change,
    upstream: Upstream,
    charts: Sequence[Chart],
    knowledge: Knowledge,
    spoil: Spoil = as_it_is,
) -> dict[str, Any]:
    """By patient: what each way of opening the chart says, read through a front that applies ``change``."""
    with Front(upstream.base, change, spoil) as front:
        tenant = Tenant(
            id="front",
            fhir_servers=(front.base,),
            allow_private=True,
            profile="sandbox",
            habits=upstream.habits,
        )
        with serving(knowledge, (tenant,)) as (app, moment):
            clinic = Clinic(app, front.base, moment, upstream.token)
            return {chart.patient_id: clinic.opened(chart) for chart in charts}


@dataclass(frozen=True)
class Clinic:
    """A service that reads one FHIR base, and the three ways in which a chart is opened there."""

    app: Flask
    base: str
    moment: list[datetime]
    token: Callable[[str], str]

    def opened(self, chart: Chart) -> dict[str, Any]:
        """What each way of opening the chart says, by the name of the way."""
        self.moment.append(chart.at)
        return {
            "hook, prefetched": self._hook(chart, prefetch=True),
            "hook, read": self._hook(chart, prefetch=False),
            "timeline": self._timeline(chart),
        }

    def _hook(self, chart: Chart, prefetch: bool) -> Any:
        with new_session() as session:
            session.mount(SERVICE, InProcess(self.app))
            token = self.token(chart.patient_id)
            reply = call_hook(
                SERVICE,
                "all-relapse",
                self.base,
                chart.patient_id,
                token=token,
                prefetch=prefetch,
                session=session,
            )
        return reply.status, comparable(reply.body)

    def _timeline(self, chart: Chart) -> Any:
        parts = parts_of(self.app)
        tenant, token = parts.settings.tenants[0], self.token(chart.patient_id)
        asked = ChartRequest(chart.patient_id, self.base, GrantedAccess(token, 300))
        found = read_chart(parts, asked, tenant, chart.at)
        assessment = found.evaluation.assessment
        return assessment.status, assessment.criteria, assessment.missing_needs, found.timeline


def finding_of(said: Any) -> tuple[str, ...]:
    """Status, headline and verdicts of an answer; "not-evaluable" and the reason where it was refused."""
    if not isinstance(said[0], int):
        status, criteria, missing, _ = said
        verdicts = (f"{one.criteria_set} {one.id} {type(one.verdict).__name__}" for one in criteria)
        return (status.value, *verdicts, *missing)
    status, body = said
    if status != 200:
        assert status == 412, body
        told = body["issue"][0]["diagnostics"]
        assert told.startswith("not seen: "), body
        return ("not-evaluable", told)
    assessment = body["extension"]["org.relapse-cds.assessment"]
    verdicts = (f"{one['set']} {one['id']} {one['verdict']}" for one in assessment.get("criteria", ()))
    headline = body["cards"][0]["summary"] if body["cards"] else ""
    return (assessment["status"], headline, *verdicts)
