"""Patient: birth date, sex, death, and whether the record was merged into another (P-07)."""

from __future__ import annotations

from fhir_mappings.clinical.facts import Person
from fhir_mappings.fhir.collected import Collected
from fhir_mappings.fhir.dates import read_moment
from fhir_mappings.fhir.elements import Resource
from fhir_mappings.fhir.lazy_rare_elements import version_of

_SEXES = frozenset({"male", "female", "other"})


def read_person(resource: Resource, ref: str, into: Collected) -> None:
    """Add the person of one Patient resource."""
    into.persons.append(
        Person(
            resource=ref,
            birth=read_moment(resource.birth_date),
            sex=resource.gender if resource.gender in _SEXES else "unknown",
            deceased=bool(resource.deceased_boolean or resource.deceased_date_time),
            merged=_is_merged(resource),
            version=version_of(resource),
        )
    )


def _is_merged(resource: Resource) -> bool:
    """Whether another record holds this patient's data (FHIR R4, Patient.link).

    ``replaced-by`` says so. Some servers write ``refer`` on a record that is no longer in use; an inactive
    record without such a link is still this patient's own.
    """
    links = {link.type for link in resource.link or ()}
    return "replaced-by" in links or (resource.active is False and "refer" in links)
