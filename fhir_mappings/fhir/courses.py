"""CarePlan and EpisodeOfCare that treat the ALL Condition: when therapy began and ended."""

from __future__ import annotations

from fhir_mappings.clinical.facts import Ignored, TreatmentCourse
from fhir_mappings.fhir.collected import Collected
from fhir_mappings.fhir.dates import read_moment
from fhir_mappings.fhir.elements import Reference, Resource
from fhir_mappings.fhir.lazy_rare_elements import version_of

_VOID = frozenset({"entered-in-error", "draft", "unknown", "planned", "waitlist", "cancelled"})
_RUNNING = frozenset({"active", "on-hold", "onhold"})


def treated_conditions(resource: Resource) -> list[str]:
    """The references of the Conditions a CarePlan addresses or an EpisodeOfCare is for."""
    references: list[Reference | None] = list(resource.addresses or ())
    references.extend(part.condition for part in resource.diagnosis or ())
    return [found.reference for found in references if found is not None and found.reference]


def read_course(resource: Resource, ref: str, conditions: tuple[str, ...], into: Collected) -> None:
    """Add one course of treatment with the Conditions (``Condition/id``) it is for."""
    status = (resource.status or "").strip().lower()
    if status in _VOID:
        into.ignored.append(Ignored(ref, "not-performed", "course", version_of(resource)))
        return
    period = resource.period
    end = read_moment(period.end) if period else None
    into.courses.append(
        TreatmentCourse(
            resource=ref,
            start=read_moment(period.start) if period else None,
            end=end,
            running=end is None and status in _RUNNING,
            conditions=conditions,
            version=version_of(resource),
        )
    )
