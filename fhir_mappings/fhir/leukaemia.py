"""What the code of a Condition states about leukaemia: ALL, possibly ALL, or another disease (D-01..D-03)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from fhir_mappings.clinical.disease_names import Stance
from fhir_mappings.clinical.facts import DiagnosisKind, Lineage, Phase
from fhir_mappings.clinical.vocabulary import DiagnosisMeaning, Vocabulary
from fhir_mappings.fhir.certainty import letter_of
from fhir_mappings.fhir.codings import meanings, texts_of, words_of
from fhir_mappings.fhir.collected import CodedDiagnosis
from fhir_mappings.fhir.elements import CodeableConcept, Coding

_RANK = (
    DiagnosisKind.MIXED_PHENOTYPE,
    DiagnosisKind.ALL,
    DiagnosisKind.LYMPHOBLASTIC_LYMPHOMA,
    DiagnosisKind.MYELOID_LEUKAEMIA,
    DiagnosisKind.OTHER_LEUKAEMIA,
    DiagnosisKind.POSSIBLE_ALL,
)
"""Names of several leukaemias in one text, the one that decides first."""
_POSSIBLE = DiagnosisMeaning(DiagnosisKind.POSSIBLE_ALL)
_REFUSED = (Stance.DENIED, Stance.OTHER_PERSON)


def meaning_of(concepts: Sequence[CodeableConcept | None], vocabulary: Vocabulary) -> CodedDiagnosis | None:
    """What a code and the morphologies beside it state together.

    A code under its system asserts; words refine a code that leaves the type open, and stand for a code that
    is not known; a code of ALL under a system that is not known leaves ALL possible.
    """
    code, coded = _coded(concepts, vocabulary)
    if coded is not None and coded.kind is not DiagnosisKind.POSSIBLE_ALL:
        return code, coded
    concept = concepts[0]
    words = _words(concept, vocabulary)
    if coded is not None:
        return _refined(code, coded, words)
    if words.named:
        return ("text", words.meaning) if words.meaning is not None else None
    return (
        _of_unknown_system(concept, vocabulary)
        or _other_cancer(concept, vocabulary)
        or _other_words(concept, vocabulary)
    )


@dataclass(frozen=True, slots=True)
class _Words:
    """Whether words name a leukaemia, and what they state of it.

    ``meaning`` is None where they deny it, speak of another person, or of another leukaemia in the past.
    """

    named: bool
    meaning: DiagnosisMeaning | None = None


def _coded(
    concepts: Sequence[CodeableConcept | None], vocabulary: Vocabulary
) -> tuple[str, DiagnosisMeaning | None]:
    found: DiagnosisMeaning | None = None
    code = ""
    for concept in concepts:
        for coding, meaning in (*meanings(concept, vocabulary.diagnoses), *_lettered(concept, vocabulary)):
            code = code or f"{coding.system}|{coding.code}"
            found = meaning if found is None else _combine(found, meaning)
    return code, found


def _lettered(
    concept: CodeableConcept | None, vocabulary: Vocabulary
) -> Iterator[tuple[Coding, DiagnosisMeaning]]:
    """German codes with the letter of their certainty after them."""
    for coding in (concept.coding or ()) if concept is not None else ():
        lettered = letter_of(coding, vocabulary)
        meaning = vocabulary.diagnoses.find(coding.system, lettered[0]) if lettered is not None else None
        if meaning is not None:
            yield coding, meaning


def as_history(meaning: DiagnosisMeaning) -> DiagnosisMeaning:
    """A diagnosis that is stated as one of the past: ALL becomes a history of it (D-03)."""
    if meaning.kind not in (DiagnosisKind.ALL, DiagnosisKind.POSSIBLE_ALL):
        return replace(meaning, phase=Phase.INACTIVE)
    names_all = meaning.names_all or meaning.kind is DiagnosisKind.ALL
    return DiagnosisMeaning(DiagnosisKind.POSSIBLE_ALL, Phase.REMISSION, history=True, names_all=names_all)


def _refined(code: str, coded: DiagnosisMeaning, words: _Words) -> CodedDiagnosis | None:
    """A code that leaves the type open, with the words beside it; a history stays one."""
    worded = words.meaning
    if not words.named:
        return code, coded
    if worded is None:
        return None
    if coded.history:
        past = worded.kind in (DiagnosisKind.ALL, DiagnosisKind.POSSIBLE_ALL)
        names_all = worded.names_all or worded.kind is DiagnosisKind.ALL
        return (code, replace(coded, names_all=names_all)) if past else None
    if worded.kind is DiagnosisKind.POSSIBLE_ALL and not worded.history:
        return code, coded
    return "text", worded


def _words(concept: CodeableConcept | None, vocabulary: Vocabulary) -> _Words:
    named = vocabulary.disease_names.find(words_of(concept))
    if not named:
        return _Words(named=False)
    known = [(one, vocabulary.diagnosis_text_meanings[one.means]) for one in named]
    known.sort(key=lambda pair: _RANK.index(pair[1].kind))
    first, meaning = known[0]
    same = [(one, found) for one, found in known if found.kind is meaning.kind]
    if any(one.stance in _REFUSED for one, _found in same):
        return _Words(named=True)
    if meaning.kind is DiagnosisKind.POSSIBLE_ALL or len(same) == 1:
        named_lineage = first.lineage
    else:
        named_lineage = next((one.lineage for one, _found in same if one.lineage), "")
    meaning = next((found for _one, found in same if found.lineage is not Lineage.UNKNOWN), meaning)
    return _Words(True, _with_stance(meaning, named_lineage, {one.stance for one, _found in same}))


def _with_stance(meaning: DiagnosisMeaning, lineage: str, stances: set[Stance]) -> DiagnosisMeaning | None:
    if Stance.HISTORY in stances:
        if meaning.kind not in (DiagnosisKind.ALL, DiagnosisKind.POSSIBLE_ALL):
            return None
        names_all = meaning.kind is DiagnosisKind.ALL
        return DiagnosisMeaning(
            DiagnosisKind.POSSIBLE_ALL, Phase.REMISSION, history=True, names_all=names_all
        )
    if lineage and meaning.kind is DiagnosisKind.ALL and meaning.lineage is Lineage.UNKNOWN:
        meaning = replace(meaning, lineage=Lineage(lineage))
    if Stance.SUSPECTED in stances:
        # Suspected alone is no diagnosis (F-16); beside the plain name it leaves the diagnosis open.
        return _POSSIBLE if Stance.STATED in stances and meaning.kind is DiagnosisKind.ALL else None
    return meaning


def _of_unknown_system(concept: CodeableConcept | None, vocabulary: Vocabulary) -> CodedDiagnosis | None:
    """A code of ALL whose system is missing or not known: it could be ALL."""
    for coding in (concept.coding or ()) if concept is not None else ():
        if not coding.code or (coding.system and vocabulary.systems.canonical(coding.system)):
            continue
        listed = vocabulary.diagnoses.get(vocabulary.diagnoses.spelt(coding.code), {})
        kinds = {meaning.kind for meaning in listed.values()}
        if DiagnosisKind.ALL in kinds or DiagnosisKind.POSSIBLE_ALL in kinds:
            history = all(meaning.history for meaning in listed.values())
            found = next(iter(listed.values())) if history else _POSSIBLE
            return f"{coding.system or ''}|{coding.code}", found
    return None


def _other_cancer(concept: CodeableConcept | None, vocabulary: Vocabulary) -> CodedDiagnosis | None:
    """Another malignancy of the blood or one that goes to the marrow, by its category or by a plain word."""
    codes = [coding.code for coding in (concept.coding or ()) if coding.code] if concept is not None else []
    text = texts_of(concept)
    for kind, category, words in (
        (DiagnosisKind.OTHER_BLOOD_CANCER, vocabulary.blood_cancer_codes, vocabulary.blood_cancer_words),
        (DiagnosisKind.MARROW_TUMOUR, vocabulary.marrow_tumour_codes, vocabulary.marrow_tumour_words),
    ):
        if any(category.fullmatch(code) for code in codes):
            return "category", DiagnosisMeaning(kind)
        if _is_named(words, text, vocabulary):
            return "text", DiagnosisMeaning(kind)
    return None


def _is_named(words: re.Pattern[str], text: str, vocabulary: Vocabulary) -> bool:
    match = words.search(text)
    if match is None:
        return False
    return vocabulary.disease_names.stance(text[: match.start()], text[match.end() :]) not in _REFUSED


def _other_words(concept: CodeableConcept | None, vocabulary: Vocabulary) -> CodedDiagnosis | None:
    """Diagnoses beside the leukaemia that stand in words (Down syndrome)."""
    text = texts_of(concept)
    for rule in vocabulary.diagnosis_texts if text else ():
        if rule.hint in text and rule.matches(text):
            return "text", vocabulary.diagnosis_text_meanings[rule.meaning]
    return None


def _combine(one: DiagnosisMeaning, other: DiagnosisMeaning) -> DiagnosisMeaning:
    """Two codings of one Condition: ALL outranks a broader leukaemia code; stated beats unstated."""
    if one.kind is not other.kind:
        kinds = {one.kind: one, other.kind: other}
        return kinds.get(DiagnosisKind.ALL) or kinds[max(kinds, key=_exactness)]
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
        history=one.history and other.history,
        names_all=one.names_all or other.names_all,
    )


def _exactness(kind: DiagnosisKind) -> bool:
    """A code that leaves the type open gives way to any other; of two others the first decides."""
    return kind is not DiagnosisKind.POSSIBLE_ALL
