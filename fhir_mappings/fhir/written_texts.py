"""Where words stand in a resource, and what they are about: the texts that the report reader is given."""

from __future__ import annotations

from fhir_mappings.clinical.facts import ResultStatus, Specimen, WrittenReport
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.vocabulary import ResultConcept, Vocabulary
from fhir_mappings.fhir.elements import Attachment

LONGEST_TEXT = 200_000
"""Characters of one text that are kept."""

_NEED_AREAS = {"mrd": "residual", "genetics": "genetics", "marrow": "marrow", "csf": "csf", "blood": "blood"}
_MATERIALS = {Specimen.MARROW: "marrow", Specimen.BLOOD: "blood", Specimen.CSF: "csf"}
_READ_NEEDS = frozenset({"marrow", "blood", "csf", "mrd", "genetics", "markers"})


def area_of_concept(concept: ResultConcept) -> str:
    """What a result concept is about, in the words of the report reader; empty where that is not fixed."""
    if concept.need == "mrd":
        return "residual"
    if concept.material in _MATERIALS:
        return _MATERIALS[concept.material]
    return _NEED_AREAS.get(concept.need, "marrow" if concept.need == "markers" else "")


def area_of_words(words: str, vocabulary: Vocabulary) -> str:
    """What a report is about by the lower-case words of its code, title and specimen."""
    return next((rule.meaning for rule in vocabulary.report_kinds if rule.matches(words)), "")


def is_read(concept: ResultConcept) -> bool:
    """Whether words under a concept are read: those of the leukaemia, not those of a liver."""
    return concept.need in _READ_NEEDS


def concept_read(concept: ResultConcept) -> str:
    """The concept that a text under a code answers by itself; empty for a report."""
    return "" if concept.dimension == "text" or concept.need == "markers" else concept.id


def attached(
    attachment: Attachment,
    ref: str,
    element: str,
    area: str,
    collected: Moment | None,
    status: ResultStatus,
) -> WrittenReport | None:
    """An attachment as a text to read; None where it names nothing."""
    if not attachment.data and not attachment.url:
        return None
    return WrittenReport(
        resource=ref,
        element=element,
        area=area,
        content=attachment.data or "",
        collected=collected,
        media=attachment.content_type or "application/octet-stream",
        url="" if attachment.data else attachment.url or "",
        status=status,
        label=attachment.title or "",
    )
