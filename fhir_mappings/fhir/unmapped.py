"""Result codes of a chart that no rule knows: what a site may have to map before it can be helped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fhir_mappings.clinical.vocabulary import Vocabulary
from fhir_mappings.fhir.codings import codings_of, label_of
from fhir_mappings.fhir.elements import CodeableConcept, Quantity, Resource
from fhir_mappings.fhir.lazy_elements import UnreadableElement, concept_of, quantity_of
from fhir_mappings.fhir.observations import concepts_of_code


@dataclass(frozen=True, slots=True)
class ResultCode:
    """The code of a result as it stands in a chart, its text, and the unit of the value beside it.

    ``code`` is ``system|code``, or empty for a result that has a text only. ``concept`` is what the rules
    take it for, empty where they know nothing of it.
    """

    code: str
    text: str
    unit: str
    concept: str


def codes_of_results(resources: Iterable[Resource], vocabulary: Vocabulary) -> list[ResultCode]:
    """The codes of the Observations among ``resources``, and of their components, in their order."""
    found: list[ResultCode] = []
    for resource in resources:
        if resource.resource_type != "Observation":
            continue
        try:
            concept, value = concept_of(resource.code), quantity_of(resource.value_quantity)
        except UnreadableElement:
            continue
        found.extend(_codes(concept, value, vocabulary))
        for part in resource.component or ():
            found.extend(_codes(part.code, part.value_quantity, vocabulary))
    return found


def _codes(
    concept: CodeableConcept | None, value: Quantity | None, vocabulary: Vocabulary
) -> list[ResultCode]:
    if concept is None:
        return []
    meant = concepts_of_code(concept, vocabulary)
    name = meant[0][1].id if meant else ""
    unit = (value.code or value.unit or "") if value is not None else ""
    codes = [f"{coding.system or ''}|{coding.code}" for coding in codings_of(concept) if coding.code]
    return [ResultCode(code, label_of(concept), unit, name) for code in codes or [""]]
