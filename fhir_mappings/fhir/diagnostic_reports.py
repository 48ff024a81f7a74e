"""DiagnosticReport: coded conclusions, and words for the report reader (its results: ``contained``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import msgspec

from fhir_mappings.clinical.facts import (
    Certainty,
    Diagnosis,
    DiagnosisKind,
    Ignored,
    Phase,
    ResultStatus,
    WrittenReport,
)
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.vocabulary import Vocabulary
from fhir_mappings.fhir.codings import label_of, meanings, texts_of
from fhir_mappings.fhir.collected import Collected
from fhir_mappings.fhir.collection_time import collected_moment
from fhir_mappings.fhir.elements import Reference, Resource
from fhir_mappings.fhir.lazy_elements import concept_of
from fhir_mappings.fhir.lazy_rare_elements import (
    attachments_of,
    concepts_of,
    has_modifier,
    narrative_of,
    references_of,
    version_of,
)
from fhir_mappings.fhir.written_texts import area_of_concept, area_of_words, attached

_ASSERTING = frozenset({"final", "amended", "corrected", "appended"})
_VOID = frozenset({"entered-in-error", "cancelled"})
_TEXT_ONLY = 200_000


def read_diagnostic_report(resource: Resource, ref: str, vocabulary: Vocabulary, into: Collected) -> None:
    """Add what one report states by code, and its texts."""
    status = (resource.status or "").strip().lower()
    version = version_of(resource)
    if status in _VOID:
        into.ignored.append(Ignored(ref, status, "report", version))
        return
    if has_modifier(resource):
        into.ignored.append(Ignored(ref, "modifier-extension", "report", version))
        return
    words = _specimen_words(resource)
    if vocabulary.donor_text.search(words):
        into.ignored.append(Ignored(ref, "donor-specimen", "report", version))
        return
    if status == "registered":
        return
    final = status in _ASSERTING
    moment, basis = collected_moment(resource)
    if final:
        _read_conclusion_codes(resource, ref, version, moment, vocabulary, into)
    area = area_of_report(resource, words, vocabulary)
    state = ResultStatus.FINAL if final else ResultStatus.PRELIMINARY
    label = label_of(concept_of(resource.code))
    for text in _texts(resource, ref, area, moment, state):
        text = replace(text, date_basis=basis, version=version, specimen_ref=_specimen_of(resource))
        into.reports.append(replace(text, label=text.label or label))


def area_of_report(resource: Resource, specimen_words: str, vocabulary: Vocabulary) -> str:
    """What a report is about: its specimen first, then its code, then its words; a code alone may mislead."""
    code = concept_of(resource.code)
    named = area_of_words(specimen_words, vocabulary) if specimen_words else ""
    if named in ("csf", "testis", "blood"):
        return named
    by_words = area_of_words(
        " | ".join([texts_of(code), *map(texts_of, concepts_of(resource.category))]), vocabulary
    )
    if by_words in ("residual", "csf", "testis", "genetics"):
        return by_words
    for _coding, concept in meanings(code, vocabulary.results):
        area = area_of_concept(concept)
        if area:
            return area
    return by_words or named


def _specimens(resource: Resource) -> list[Reference]:
    references = resource.specimen if isinstance(resource.specimen, list) else [resource.specimen]
    return [reference for reference in references if reference is not None]


def _specimen_of(resource: Resource) -> str:
    return next((found.reference for found in _specimens(resource) if found.reference), "") or ""


def _specimen_words(resource: Resource) -> str:
    inner = {f"#{part.id}": part for part in resource.contained or () if part.resource_type == "Specimen"}
    words = []
    for reference in _specimens(resource):
        words.append(reference.display or "")
        part = inner.get(reference.reference or "")
        kind = part.type if part is not None else None
        if part is not None and isinstance(kind, msgspec.Struct):
            words.append(texts_of(kind))
    return " | ".join(word for word in words if word).lower()


def _read_conclusion_codes(
    resource: Resource, ref: str, version: str, moment: Moment | None, vocabulary: Vocabulary, into: Collected
) -> None:
    """A coded conclusion of relapse is a coded relapse (F-28); one of remission a recorded remission."""
    for concept in concepts_of(resource.conclusion_code):
        for coding, meaning in meanings(concept, vocabulary.diagnoses):
            if meaning.kind not in (DiagnosisKind.ALL, DiagnosisKind.TRANSPLANT_RELAPSE):
                continue
            if meaning.phase not in (Phase.RELAPSE, Phase.REMISSION):
                continue
            into.diagnoses.append(
                Diagnosis(
                    resource=ref,
                    kind=meaning.kind,
                    certainty=Certainty.CONFIRMED,
                    phase=meaning.phase,
                    phase_by_code=meaning.phase,
                    onset=moment,
                    recorded=moment,
                    lineage=meaning.lineage,
                    bcr_abl1=meaning.bcr_abl1,
                    kmt2a=meaning.kmt2a,
                    site=meaning.site,
                    label=label_of(concept),
                    code=f"{coding.system}|{coding.code}",
                    version=version,
                )
            )


def _texts(
    resource: Resource, ref: str, area: str, moment: Moment | None, status: ResultStatus
) -> Iterator[WrittenReport]:
    found = False
    if resource.conclusion:
        found = True
        yield WrittenReport(ref, "conclusion", area, resource.conclusion[:_TEXT_ONLY], moment, status=status)
    for place, attachment in enumerate(attachments_of(resource.presented_form) or ()):
        text = attached(attachment, ref, f"presentedForm[{place}]", area, moment, status)
        if text is not None:
            found = True
            yield text
    if found or references_of(resource.result):
        return
    markup = narrative_of(resource.text)
    if markup:
        yield WrittenReport(
            ref, "text", area, markup[:_TEXT_ONLY], moment, media="text/html;inline", status=status
        )
