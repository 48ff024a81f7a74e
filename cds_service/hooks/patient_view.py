"""patient-view: a chart was opened (Hook Library 1.0.1; maturity 5)."""

from __future__ import annotations

from cds_service.hooks.context import Context, HookService


class PatientViewContext(Context):
    """userId and patientId are required, encounterId is optional."""


SERVICE = HookService(
    id="all-relapse",
    hook="patient-view",
    hook_version="1.0",
    title="Relapsed acute lymphoblastic leukaemia",
    description="Looks for relapse of acute lymphoblastic leukaemia in the chart that was opened, and shows "
    "the evidence, what is missing, and the options described in guidelines.",
    context=PatientViewContext,
)
