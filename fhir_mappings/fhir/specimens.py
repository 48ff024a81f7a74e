"""Specimen: its material, collection date, and whether it came from a donor (F-17)."""

from __future__ import annotations

from fhir_mappings.clinical.facts import Specimen, SpecimenTaken
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.vocabulary import Vocabulary
from fhir_mappings.fhir.codings import first_meaning, texts_of
from fhir_mappings.fhir.collected import Collected
from fhir_mappings.fhir.dates import read_moment, read_period
from fhir_mappings.fhir.elements import CodeableConcept, Collection, Resource
from fhir_mappings.fhir.lazy_rare_elements import notes_of, version_of
from fhir_mappings.fhir.observations import material_in


def read_specimen(
    resource: Resource, ref: str, vocabulary: Vocabulary, of_another: bool, into: Collected
) -> None:
    """Add one Specimen. A specimen of another person is a donor's; it refuses nothing by itself (R-07)."""
    kind = resource.type if isinstance(resource.type, CodeableConcept) else None
    collection = resource.collection
    site = collection.body_site if collection else None
    words = " | ".join([texts_of(kind), texts_of(site), *notes_of(resource)])
    material = first_meaning(kind, vocabulary.specimens, Specimen.UNSTATED)
    if material is Specimen.UNSTATED:
        material = material_in(words.lower(), vocabulary)
    into.specimens.append(
        SpecimenTaken(
            resource=ref,
            material=material,
            collected=_collected(collection),
            donor=of_another or bool(vocabulary.donor_text.search(words.lower())),
            version=version_of(resource),
        )
    )


def _collected(collection: Collection | None) -> Moment | None:
    if collection is None:
        return None
    return read_moment(collection.collected_date_time) or read_period(collection.collected_period)
