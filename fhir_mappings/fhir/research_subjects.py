"""ResearchSubject: whether the patient is already on, or screened for, a study (F-13)."""

from __future__ import annotations

from fhir_mappings.clinical.facts import Enrolment
from fhir_mappings.fhir.collected import Collected
from fhir_mappings.fhir.elements import Resource
from fhir_mappings.fhir.lazy_rare_elements import version_of


def read_enrolment(resource: Resource, ref: str, into: Collected) -> None:
    """Add one enrolment with its R4 status code."""
    study = resource.study
    into.enrolments.append(
        Enrolment(
            resource=ref,
            state=(resource.status or "").strip().lower(),
            study=(study.reference or "") if study else "",
            label=(study.display or "") if study else "",
            version=version_of(resource),
        )
    )
