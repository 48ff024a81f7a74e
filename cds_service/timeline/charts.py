"""One patient's chart, read with the guarded reader and assessed by the engine that makes the cards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from cds_service.app_state import Parts
from cds_service.evaluation.evaluator import Evaluation
from cds_service.fhir_client import Deadline
from cds_service.hooks.patient_view import PatientViewContext
from cds_service.observability import audit
from cds_service.settings.model import Tenant
from cds_service.wire.request import FhirAuthorization, HookRequest
from fhir_mappings.assess import Timeline, timeline_of

READ_SECONDS = 20.0
"""A page may take longer than a hook call: somebody asked for it and waits."""


@dataclass(frozen=True, slots=True)
class ReadChart:
    """The assessment of a chart and its picture, both of the same facts and moment."""

    evaluation: Evaluation
    timeline: Timeline


def read_chart(
    parts: Parts,
    tenant: Tenant,
    server: str,
    patient: str,
    token: str,
    scope: str,
    seconds: int,
    at: datetime,
) -> ReadChart:
    """Read and assess. ``token`` opens ``server`` for ``patient`` for at most ``seconds``.

    Raises Refusal where data of another patient came.
    """
    call = HookRequest(
        hook="patient-view",
        instance=str(uuid4()),
        context=PatientViewContext(userId="Practitioner/timeline", patientId=patient),
        fhir_server=server,
        authorization=FhirAuthorization(
            access_token=token,
            token_type="Bearer",  # noqa: S106 - the name of the scheme
            expires_in=seconds,
            scope=scope,
            subject="relapse-cds-timeline",
            patient=patient,
        ),
    )
    evaluation = parts.evaluator.evaluate(call, tenant, at, Deadline.after(READ_SECONDS))
    missing = evaluation.assessment.missing_needs
    audit.evaluated("incomplete" if evaluation.is_incomplete else "timeline", tenant.id, missing)
    local = at.astimezone(ZoneInfo(tenant.timezone))
    return ReadChart(evaluation, timeline_of(evaluation.facts, local, parts.knowledge))
