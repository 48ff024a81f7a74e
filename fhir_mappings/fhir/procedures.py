"""Procedure to procedures done. A body site makes a generic radiotherapy cranial or testicular."""

from __future__ import annotations

from fhir_mappings.clinical.facts import Ignored, ProcedureDone
from fhir_mappings.clinical.vocabulary import Vocabulary
from fhir_mappings.fhir.codings import first_meaning, meanings
from fhir_mappings.fhir.collected import CodedProcedure, Collected
from fhir_mappings.fhir.dates import read_moment, read_period
from fhir_mappings.fhir.elements import CodeableConcept, Resource
from fhir_mappings.fhir.lazy_elements import concept_of
from fhir_mappings.fhir.lazy_rare_elements import version_of

_DONE = frozenset({"completed", "in-progress"})


def read_procedure(resource: Resource, ref: str, vocabulary: Vocabulary, into: Collected) -> None:
    """Add one completed or running Procedure of a known kind, or why it is ignored."""
    named, known = bytes(resource.code), into.procedures_by_code
    if named not in known:
        known[named] = _named(concept_of(named), vocabulary)
    found = known[named]
    if found is None:
        return
    code, kind = found
    version = version_of(resource)
    status = (resource.status or "").strip().lower()
    if status not in _DONE:
        why = status if status == "entered-in-error" else "not-performed"
        into.ignored.append(Ignored(ref, why, kind, version))
        return
    sites = resource.body_site if isinstance(resource.body_site, list) else [resource.body_site]
    site = next((found for found in (_site(one, vocabulary) for one in sites) if found), "")
    into.procedures.append(
        ProcedureDone(
            resource=ref,
            kind=f"{site}-radiotherapy" if kind == "radiotherapy" and site else kind,
            performed=read_moment(resource.performed_date_time) or read_period(resource.performed_period),
            site=site,
            code=code,
            version=version,
        )
    )


def _named(concept: CodeableConcept | None, vocabulary: Vocabulary) -> CodedProcedure | None:
    for coding, kind in meanings(concept, vocabulary.procedures):
        return f"{coding.system}|{coding.code}", kind
    return None


def _site(concept: CodeableConcept | None, vocabulary: Vocabulary) -> str:
    return first_meaning(concept, vocabulary.body_sites, "")
