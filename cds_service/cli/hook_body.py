"""The body of a hook request on disk, evaluated from its prefetch alone; nobody is contacted."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cds_service.cli.faults import Unusable

if TYPE_CHECKING:
    from cds_service.evaluation.evaluator import Evaluation
    from cds_service.settings.model import Settings
    from fhir_mappings.assess import Knowledge


def evaluate_body(
    body: bytes, at: datetime, settings: Settings, knowledge: Knowledge, file: Path
) -> Evaluation:
    """The evaluation of a hook request. Raises Unusable where the service would refuse it."""
    from cds_service.evaluation.chart_request import ChartRequest
    from cds_service.evaluation.evaluator import Evaluator
    from cds_service.fhir_client import Deadline, FhirReader
    from cds_service.hooks import HOOKS
    from cds_service.http.problem import Refusal
    from cds_service.settings.model import NOBODY
    from cds_service.wire.body import read_body
    from cds_service.wire.request import request_of

    try:
        decoded = read_body(body)
        hook = decoded.envelope.get("hook")
        service = next((one for one in HOOKS.values() if one.hook == hook), HOOKS["all-relapse"])
        request = request_of(decoded, service)
        evaluator = Evaluator(knowledge, settings, FhirReader(settings))
        return evaluator.evaluate(ChartRequest.of_hook(request), NOBODY, at, Deadline.after(0.0))
    except Refusal as refusal:
        raise Unusable(
            f"{file}: the service would refuse this request ({refusal.problem.value}): {refusal.diagnostics}"
        ) from None
