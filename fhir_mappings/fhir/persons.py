"""Patient: birth date, sex, death, and whether the record was merged into another (P-07)."""

from __future__ import annotations

from fhir_mappings.clinical.facts import Person
from fhir_mappings.fhir.collected import Collected
from fhir_mappings.fhir.dates import read_moment
from fhir_mappings.fhir.elements import Resource
from fhir_mappings.fhir.rare_elements import version_of

_SEXES = frozenset({"male", "female", "other"})


def read_person(resource: Resource, ref: str, into: Collected) -> None:
    """Add the person of one Patient resource."""
    into.persons.append(
        Person(
            resource=ref,
            birth=read_moment(resource.birth_date),
            sex=resource.gender if resource.gender in _SEXES else "unknown",
            deceased=bool(resource.deceased_boolean or resource.deceased_date_time),
            merged=any(link.type == "replaced-by" for link in resource.link or ()),
            version=version_of(resource),
        )
    )
