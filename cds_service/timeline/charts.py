"""One patient's chart, read with the guarded reader and assessed by the engine that makes the cards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cds_service.app_state import Parts
from cds_service.evaluation.chart_request import ChartRequest
from cds_service.evaluation.evaluator import Evaluation
from cds_service.evaluation.report_reading import policy_of
from cds_service.fhir_client import Deadline
from cds_service.observability import log, metrics
from cds_service.settings.model import Tenant
from fhir_mappings.assess import Timeline, timeline_of

READ_SECONDS = 20.0
"""A page may take longer than a hook call: somebody asked for it and waits."""


@dataclass(frozen=True, slots=True)
class ReadChart:
    """The assessment of a chart and its picture, both of the same facts and moment."""

    evaluation: Evaluation
    timeline: Timeline


def read_chart(parts: Parts, chart: ChartRequest, tenant: Tenant, at: datetime) -> ReadChart:
    """Read and assess. Raises Refusal where data of another patient came."""
    evaluation = parts.evaluator.evaluate(chart, tenant, at, Deadline.after(READ_SECONDS))
    missing = evaluation.assessment.missing_needs
    for key in missing:
        log.event("need-not-seen", need=key, reason=evaluation.reason(key))
    metrics.evaluated("incomplete" if evaluation.is_incomplete else "timeline", tenant.id, missing)
    return ReadChart(
        evaluation, timeline_of(evaluation.facts, tenant.local(at), parts.knowledge, policy_of(tenant))
    )
