"""A chart to evaluate: whose, where it can be read, and what came with the question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from cds_service.fhir_client.tokens import FhirAuthorization
from cds_service.wire.request import HookRequest
from fhir_mappings.assess import Decoded, checked


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


_DECIDING = frozenset({"Condition", "Patient"})
"""What says whether a chart is opened at all; of one that is not, nothing else is looked at."""


def with_checked(request: ChartRequest, deciding: bool = False) -> ChartRequest:
    """The request without the resources in which a member stands twice; itself where there are none.

    With ``deciding``, only what holds Conditions or the Patient is looked through.
    """
    found = {
        key: checked(value)
        for key, value in request.supplied.items()
        if value is not None and (not deciding or _is_deciding(value))
    }
    spoilt = {key: value for key, value in found.items() if _is_another(value, request.supplied[key])}
    return replace(request, supplied={**request.supplied, **spoilt}) if spoilt else request


def _is_another(value: Decoded, before: Decoded | None) -> bool:
    return before is not None and value.resource is not before.resource


def _is_deciding(value: Decoded) -> bool:
    resource = value.resource
    if resource.resource_type != "Bundle":
        return resource.resource_type in _DECIDING
    kinds = {entry.resource.resource_type for entry in resource.entry or () if entry.resource is not None}
    return not _DECIDING.isdisjoint(kinds)
