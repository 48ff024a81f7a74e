"""DocumentReference: attached reports of pathology and laboratory, for the report reader."""

from __future__ import annotations

from dataclasses import replace

from fhir_mappings.clinical.facts import Ignored, ResultStatus
from fhir_mappings.clinical.vocabulary import Vocabulary
from fhir_mappings.fhir.codings import label_of, texts_of
from fhir_mappings.fhir.collected import Collected
from fhir_mappings.fhir.dates import read_moment
from fhir_mappings.fhir.elements import CodeableConcept, Resource
from fhir_mappings.fhir.lazy_rare_elements import (
    attachments_of,
    concepts_of,
    has_modifier,
    string_of,
    version_of,
)
from fhir_mappings.fhir.written_texts import area_of_words, attached


def read_document_reference(resource: Resource, ref: str, vocabulary: Vocabulary, into: Collected) -> None:
    """Add the attachments of one document whose type, title or description is of pathology or laboratory."""
    version = version_of(resource)
    status = (resource.status or "current").strip().lower()
    if status != "current" or has_modifier(resource):
        into.ignored.append(
            Ignored(ref, "superseded" if status != "current" else "modifier-extension", "report", version)
        )
        return
    kind = resource.type if isinstance(resource.type, CodeableConcept) else None
    attachments = attachments_of(resource.content) or []
    words = " | ".join(
        [texts_of(kind), *map(texts_of, concepts_of(resource.category)), resource.title or ""]
        + [(one.title or "").lower() for one in attachments]
    ).lower()
    if vocabulary.donor_text.search(words):
        into.ignored.append(Ignored(ref, "donor-specimen", "report", version))
        return
    area = area_of_words(words, vocabulary)
    if not area and not vocabulary.document_text.search(words):
        return
    moment = read_moment(string_of(resource.date)[:10] or None)
    for place, attachment in enumerate(attachments):
        text = attached(attachment, ref, f"content[{place}].attachment", area, moment, ResultStatus.FINAL)
        if text is not None:
            label = text.label or label_of(kind)
            into.reports.append(replace(text, date_basis="reported", version=version, label=label))
