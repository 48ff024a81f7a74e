"""A chart to evaluate: whose, where it can be read, and what came with the question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from cds_service.fhir_client.tokens import FhirAuthorization
from cds_service.wire.request import HookRequest
from fhir_mappings.assess import Decoded


@dataclass(frozen=True, slots=True)
class ChartRequest:
    """One patient's chart. The hook, the timeline and the command line each make one.

    ``supplied`` holds what arrived under each prefetch key; None is JSON null. ``proposed`` are draft
    orders that are about to be signed.
    """

    patient_id: str
    fhir_server: str | None = None
    authorization: FhirAuthorization | None = None
    supplied: Mapping[str, Decoded | None] = field(default_factory=dict)
    proposed: Decoded | None = None

    @classmethod
    def of_hook(cls, hook: HookRequest) -> Self:
        """The chart that a hook call speaks of."""
        return cls(
            hook.patient_id, hook.fhir_server, hook.authorization, hook.prefetch, hook.context.proposed()
        )
