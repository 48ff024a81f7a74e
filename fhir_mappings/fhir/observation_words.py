"""The words of an Observation, where its value is no figure and no code: its text, its comments."""

from __future__ import annotations

from fhir_mappings.clinical.facts import Result, ResultStatus, Specimen, WrittenReport
from fhir_mappings.clinical.quantities import Narrative, Unusable
from fhir_mappings.clinical.vocabulary import ResultConcept, Vocabulary
from fhir_mappings.fhir.codings import label_of, texts_of
from fhir_mappings.fhir.collected import Collected
from fhir_mappings.fhir.collection_time import collected_moment
from fhir_mappings.fhir.elements import Component, Resource
from fhir_mappings.fhir.lazy_elements import concept_of
from fhir_mappings.fhir.lazy_rare_elements import has_modifier, notes_of, version_of
from fhir_mappings.fhir.written_texts import (
    LONGEST_TEXT,
    area_of_concept,
    area_of_words,
    concept_read,
    is_read,
)

_AREAS = {Specimen.MARROW: "marrow", Specimen.BLOOD: "blood", Specimen.CSF: "csf"}
_ASSERTING = frozenset({"final", "amended", "corrected"})
_VOID = frozenset({"entered-in-error", "cancelled"})
SHORTEST_REPORT = 12
"""Characters from which a text under an unknown code may be a report."""

_WORDY = frozenset({"unit-missing", "unit-unknown"})


def add_words(resource: Resource, result: Result, concept: ResultConcept, into: Collected) -> None:
    """Keep the text of a result without a usable value for the report reader.

    A comment beside a value adds nothing: the value decides. Without a value it is all there is (K7).
    """
    if not is_read(concept):
        return
    value = result.value
    text, element = "", ""
    if isinstance(value, Narrative) or (isinstance(value, Unusable) and value.why in _WORDY):
        text, element = resource.value_string or value_text(resource), "value"
    elif isinstance(value, Unusable) and value.why == "no-value":
        notes = [note for note in notes_of(resource) if note.strip()]
        text, element = "\n\n".join(notes), "note"
    _add(text, element, result, concept, into)


def read_named_report(
    resource: Resource, ref: str, specimen: str, vocabulary: Vocabulary, into: Collected
) -> None:
    """Keep a text under a code that only its name explains: "Testicular biopsy report"."""
    status = (resource.status or "").strip().lower()
    code = concept_of(resource.code)
    words = " | ".join([specimen, texts_of(code)])
    if status in _VOID or has_modifier(resource) or vocabulary.donor_text.search(words):
        return
    area = area_of_words(words, vocabulary)
    if not area:
        return
    moment, basis = collected_moment(resource)
    into.reports.append(
        WrittenReport(
            resource=ref,
            element="value",
            area=area,
            content=(resource.value_string or "")[:LONGEST_TEXT],
            collected=moment,
            status=ResultStatus.FINAL if status in _ASSERTING else ResultStatus.PRELIMINARY,
            date_basis=basis,
            label=label_of(code),
            version=version_of(resource),
        )
    )


def add_component_words(
    component: Component, result: Result, concept: ResultConcept, into: Collected
) -> None:
    """The same for a component of an Observation."""
    if is_read(concept) and isinstance(result.value, Narrative):
        _add(component.value_string or result.value.text, "component", result, concept, into)


def _add(text: str, element: str, result: Result, concept: ResultConcept, into: Collected) -> None:
    if not text.strip():
        return
    area = _AREAS.get(result.specimen, "") if concept.dimension == "text" else ""
    into.reports.append(
        WrittenReport(
            resource=result.resource,
            element=element,
            area=area or area_of_concept(concept),
            content=text[:LONGEST_TEXT],
            collected=result.collected,
            concept=concept_read(concept),
            status=result.status,
            specimen_ref=result.specimen_ref,
            date_basis=result.date_basis,
            label=concept.title,
            version=result.version,
        )
    )


def value_text(resource: Resource) -> str:
    """The text of a coded value that no code explains."""
    concept = resource.value_codeable_concept
    if concept is None:
        return ""
    return (
        concept.text or next((coding.display for coding in concept.coding or () if coding.display), "") or ""
    )
