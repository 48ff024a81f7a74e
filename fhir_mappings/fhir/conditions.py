"""Condition to diagnoses: what the code says, how certain it is, and which phase it states (F-14..F-16)."""

from __future__ import annotations

from collections.abc import Sequence

from fhir_mappings.clinical.facts import Certainty, Diagnosis, DiagnosisKind, Ignored, Lineage, Phase
from fhir_mappings.clinical.vocabulary import DiagnosisMeaning, Vocabulary
from fhir_mappings.fhir.codings import codings_of, label_of, meanings, texts_of
from fhir_mappings.fhir.collected import CodedDiagnosis, Collected
from fhir_mappings.fhir.dates import read_moment, read_period
from fhir_mappings.fhir.elements import CodeableConcept, Extension, Resource
from fhir_mappings.fhir.lazy_elements import concept_of, status_of
from fhir_mappings.fhir.lazy_rare_elements import extensions_of, has_modifier, version_of

_REFUSED = frozenset({"refuted", "entered-in-error"})
_UNPROVEN = frozenset({"unconfirmed", "provisional", "differential"})
_PHASES = {
    "relapse": Phase.RELAPSE,
    "recurrence": Phase.RELAPSE,
    "remission": Phase.REMISSION,
    "active": Phase.ACTIVE,
    "inactive": Phase.INACTIVE,
    "resolved": Phase.INACTIVE,
}
HISTOLOGY = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-histology-morphology-behavior"


def read_condition(resource: Resource, ref: str, vocabulary: Vocabulary, into: Collected) -> None:
    """Add what one Condition states about leukaemia, or why it is ignored."""
    extensions = extensions_of(resource)
    if extensions is None:
        # One of them may hold the morphology, so nothing is known of this diagnosis.
        into.ignored.append(Ignored(ref, "unreadable", version=version_of(resource)))
        into.unreadable.add("conditions")
        return
    stated = _stated_by(resource, extensions, vocabulary, into)
    if stated is None:
        return
    code, meaning = stated
    version = version_of(resource)
    verification = _code_of(status_of(resource.verification_status))
    if verification in _REFUSED:
        into.ignored.append(Ignored(ref, verification, meaning.kind.value, version))
        return
    if has_modifier(resource):
        into.ignored.append(Ignored(ref, "modifier-extension", meaning.kind.value, version))
        into.unreadable.add("conditions")
        return
    clinical = _PHASES.get(_code_of(status_of(resource.clinical_status)), Phase.UNSTATED)
    onset = read_moment(resource.onset_date_time) or read_period(resource.onset_period)
    into.diagnoses.append(
        Diagnosis(
            resource=ref,
            kind=meaning.kind,
            certainty=Certainty.PROVISIONAL if verification in _UNPROVEN else Certainty.CONFIRMED,
            phase=_fold(meaning.phase, clinical),
            phase_by_code=meaning.phase,
            onset=onset,
            recorded=read_moment(resource.recorded_date),
            abated=read_moment(resource.abatement_date_time) or read_period(resource.abatement_period),
            lineage=meaning.lineage,
            bcr_abl1=meaning.bcr_abl1,
            kmt2a=meaning.kmt2a,
            site=meaning.site,
            label=label_of(concept_of(resource.code)),
            code=code,
            version=version,
        )
    )


def _stated_by(
    resource: Resource, extensions: list[Extension], vocabulary: Vocabulary, into: Collected
) -> CodedDiagnosis | None:
    morphologies = [found.value_codeable_concept for found in extensions if found.url == HISTOLOGY]
    if morphologies:
        return _meaning_of([concept_of(resource.code), *morphologies], vocabulary)
    code, known = bytes(resource.code), into.diagnoses_by_code
    if code not in known:
        known[code] = _meaning_of([concept_of(code)], vocabulary)
    return known[code]


def _meaning_of(concepts: Sequence[CodeableConcept | None], vocabulary: Vocabulary) -> CodedDiagnosis | None:
    """What a code and the morphologies beside it state together; the text of the code where none is known."""
    found: DiagnosisMeaning | None = None
    code = ""
    for concept in concepts:
        for coding, meaning in meanings(concept, vocabulary.diagnoses):
            code = code or f"{coding.system}|{coding.code}"
            found = meaning if found is None else _combine(found, meaning)
    if found is not None:
        return code, found
    worded = _meaning_of_text(texts_of(concepts[0]), vocabulary)
    return ("text", worded) if worded is not None else None


def _meaning_of_text(text: str, vocabulary: Vocabulary) -> DiagnosisMeaning | None:
    if not text:
        return None
    for rule in vocabulary.diagnosis_texts:
        if rule.hint in text and rule.matches(text):
            return vocabulary.diagnosis_text_meanings[rule.meaning]
    return None


def _combine(one: DiagnosisMeaning, other: DiagnosisMeaning) -> DiagnosisMeaning:
    """Two codings of one Condition: ALL outranks a broader leukaemia code; stated beats unstated."""
    if one.kind is not other.kind:
        kinds = {one.kind: one, other.kind: other}
        return kinds.get(DiagnosisKind.ALL) or one
    lineage = one.lineage if other.lineage in (Lineage.UNKNOWN, one.lineage) else other.lineage
    if Lineage.UNKNOWN not in (one.lineage, other.lineage) and one.lineage is not other.lineage:
        lineage = Lineage.MIXED
    return DiagnosisMeaning(
        kind=one.kind,
        phase=one.phase if one.phase is not Phase.UNSTATED else other.phase,
        lineage=lineage,
        bcr_abl1=one.bcr_abl1 if one.bcr_abl1 != "unstated" else other.bcr_abl1,
        kmt2a=one.kmt2a or other.kmt2a,
        site=one.site or other.site,
    )


def _fold(by_code: Phase, clinical: Phase) -> Phase:
    """The phase now: a status that states relapse or remission, else what the code states."""
    if clinical in (Phase.RELAPSE, Phase.REMISSION, Phase.INACTIVE):
        return clinical
    return by_code if by_code is not Phase.UNSTATED else clinical


def _code_of(status: CodeableConcept | str | None) -> str:
    if isinstance(status, str):
        return status.strip().lower()
    return next((coding.code.strip().lower() for coding in codings_of(status) if coding.code), "")
