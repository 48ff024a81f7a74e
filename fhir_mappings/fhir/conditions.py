"""Condition to diagnoses: what the code says, how certain it is, and which phase it states (F-14..F-16)."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_mappings.clinical.facts import Certainty, Diagnosis, Ignored, Phase, WrittenReport
from fhir_mappings.clinical.vocabulary import Vocabulary
from fhir_mappings.fhir.certainty import stated_certainties
from fhir_mappings.fhir.codings import codings_of, label_of, words_of
from fhir_mappings.fhir.collected import CodedDiagnosis, Collected
from fhir_mappings.fhir.dates import read_moment, read_period
from fhir_mappings.fhir.elements import CodeableConcept, Extension, Resource
from fhir_mappings.fhir.lazy_elements import concept_of, status_of
from fhir_mappings.fhir.lazy_rare_elements import extensions_of, has_modifier, version_of
from fhir_mappings.fhir.leukaemia import as_history, meaning_of

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
    if words := _course_words(resource, vocabulary, into):
        into.reports.extend(_in_words(resource, ref, words, extensions, vocabulary))
    if stated is None:
        return
    code, meaning = stated
    version = version_of(resource)
    concept = concept_of(resource.code)
    certainties = stated_certainties(status_of(resource.verification_status), concept, extensions, vocabulary)
    refused = certainties & vocabulary.certainty.refuted
    if refused:
        why = "entered-in-error" if "entered-in-error" in refused else "refuted"
        into.ignored.append(Ignored(ref, why, meaning.kind.value, version))
        return
    if certainties & vocabulary.certainty.past:
        meaning = as_history(meaning)
    if has_modifier(resource):
        into.ignored.append(Ignored(ref, "modifier-extension", meaning.kind.value, version))
        into.unreadable.add("conditions")
        return
    unproven = vocabulary.certainty.unproven
    clinical = _PHASES.get(_code_of(status_of(resource.clinical_status)), Phase.UNSTATED)
    onset = read_moment(resource.onset_date_time) or read_period(resource.onset_period)
    into.diagnoses.append(
        Diagnosis(
            resource=ref,
            kind=meaning.kind,
            certainty=Certainty.PROVISIONAL if certainties & unproven else Certainty.CONFIRMED,
            phase=_fold(meaning.phase, clinical),
            phase_by_code=meaning.phase,
            onset=onset,
            recorded=read_moment(resource.recorded_date),
            abated=read_moment(resource.abatement_date_time) or read_period(resource.abatement_period),
            lineage=meaning.lineage,
            bcr_abl1=meaning.bcr_abl1,
            kmt2a=meaning.kmt2a,
            history=meaning.history,
            names_all=meaning.names_all,
            site=meaning.site,
            label=label_of(concept),
            code=code,
            version=version,
        )
    )


def _stated_by(
    resource: Resource, extensions: list[Extension], vocabulary: Vocabulary, into: Collected
) -> CodedDiagnosis | None:
    morphologies = [found.value_codeable_concept for found in extensions if found.url == HISTOLOGY]
    if morphologies:
        return meaning_of([concept_of(resource.code), *morphologies], vocabulary)
    code, known = bytes(resource.code), into.diagnoses_by_code
    if code not in known:
        known[code] = meaning_of([concept_of(code)], vocabulary)
    return known[code]


def _course_words(resource: Resource, vocabulary: Vocabulary, into: Collected) -> str:
    """The words of a code, where they may tell a relapse or leukaemia of a site (D-05, D-06); else empty."""
    code, known = bytes(resource.code), into.course_words_by_code
    if code not in known:
        words = words_of(concept_of(code))
        told = vocabulary.diagnosis_course_text.search(words.lower()) and vocabulary.leukaemia_text.search(
            words
        )
        known[code] = words if told else ""
    return known[code]


def _in_words(
    resource: Resource, ref: str, words: str, extensions: list[Extension], vocabulary: Vocabulary
) -> Iterator[WrittenReport]:
    """The words as a text to be read, which reaches probable at most; nothing refuted or unproven."""
    concept = concept_of(resource.code)
    stated = stated_certainties(status_of(resource.verification_status), concept, extensions, vocabulary)
    certainty = vocabulary.certainty
    if has_modifier(resource) or stated & (certainty.refuted | certainty.past | certainty.unproven):
        return
    day = read_moment(resource.recorded_date) or read_moment(resource.onset_date_time)
    day = day or read_period(resource.onset_period)
    yield WrittenReport(
        ref, "code.text", "diagnosis", words, day, date_basis="reported", version=version_of(resource)
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
