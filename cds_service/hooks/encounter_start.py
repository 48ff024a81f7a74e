"""encounter-start: a patient is admitted or a visit begins (Hook Library 1.0.1; maturity 1)."""

from __future__ import annotations

from cds_service.hooks.context import Context, HookService, Text


class EncounterStartContext(Context):
    """userId, patientId and encounterId are required."""

    encounterId: Text


SERVICE = HookService(
    id="all-relapse-encounter-start",
    hook="encounter-start",
    hook_version="1.0",
    title="Relapsed acute lymphoblastic leukaemia, at the start of an encounter",
    description="The evaluation of all-relapse when an encounter starts, so that a relapse found since the "
    "chart was last opened is seen.",
    context=EncounterStartContext,
)
