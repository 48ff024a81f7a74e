"""Observation to results: by code where there is one, by text only for results without a LOINC code."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from fhir_mappings.clinical.facts import Ignored, Result, ResultStatus, Specimen
from fhir_mappings.clinical.quantities import Measured, Presence, Unusable, Value, as_conflict, plain
from fhir_mappings.clinical.vocabulary import ResultConcept, Vocabulary
from fhir_mappings.fhir.codings import LOINC, codings_of, first_meaning, meanings, texts_of
from fhir_mappings.fhir.collected import CodedResult, Collected
from fhir_mappings.fhir.collection_time import collected_moment
from fhir_mappings.fhir.elements import CodeableConcept, Coding, Component, Reference, Resource
from fhir_mappings.fhir.lazy_elements import concept_of
from fhir_mappings.fhir.lazy_rare_elements import has_modifier, interpretations_of, notes_of, version_of
from fhir_mappings.fhir.observation_words import (
    SHORTEST_REPORT,
    add_component_words,
    add_words,
    read_named_report,
)
from fhir_mappings.fhir.values import below, read_sensitivity, read_value

_ASSERTING = frozenset({"final", "amended", "corrected"})
_VOID = frozenset({"entered-in-error", "cancelled"})
# Under names of their own: Python 3.11 looks members of an Enum up slowly, and every result is asked.
_UNSTATED, _FINAL = Specimen.UNSTATED, ResultStatus.FINAL
_NO_MATERIAL = (Specimen.UNSTATED, Specimen.OTHER)
_LOINC_CODE = re.compile(r"\d{1,5}-\d")
NO_SYSTEM = "|"
UNMAPPED = "?"
"""Before the code of a result that is recognised by its words only."""
_LONGEST_NAME = 80
"""What the code of a result begins with, whose code system is missing or not known."""
_GENE_CODE = "48018-6"
_VARIANT = "genomic-variant"


def read_observation(resource: Resource, ref: str, vocabulary: Vocabulary, into: Collected) -> None:
    """Add the results of one Observation, or why it is ignored."""
    concepts = concepts_of(resource, vocabulary, into)
    if not concepts:
        if resource.component:
            _read_components(resource, ref, vocabulary, into)
        elif resource.value_string and len(resource.value_string) >= SHORTEST_REPORT:
            read_named_report(resource, ref, _specimen_words(resource), vocabulary, into)
        return
    version = version_of(resource)
    if len({concept.id for _code, concept in concepts}) > 1:
        _leave_out(resource, ref, version, "codes-conflict", concepts[0][1], into)
        return
    code, concept = concepts[0]
    if concept.id == _VARIANT:
        _read_variant(resource, ref, version, code, vocabulary, into)
        return
    refused = _refused(resource, concept, vocabulary)
    if refused:
        _leave_out(resource, ref, version, refused, concept, into)
        return
    specimen = specimen_of(resource, vocabulary)
    if concept.only_on is not _UNSTATED and specimen is not concept.only_on:
        return
    value = _value_of(resource, concept, vocabulary)
    if code.startswith(UNMAPPED) and _is_harmless(value, concept, vocabulary):
        _leave_out(resource, ref, version, "code-unmapped", concept, into)
        return
    value = _unless_no_system(code, value)
    if isinstance(value, Unusable) and value.why == "no-value":
        if _status_of(resource) == "registered":
            _leave_out(resource, ref, version, "pending", concept, into)
            return
        before = len(into.results)
        _read_components(resource, ref, vocabulary, into)
        if len(into.results) > before:
            return
    if _conflicts(concept, specimen):
        into.ignored.append(Ignored(ref, "specimen-conflict", concept.id, version))
        specimen, value = Specimen.OTHER, as_conflict(value)
    result = _result(resource, ref, version, code, concept, specimen, value)
    if concept.dimension == "residual":
        result = _with_sensitivity(result, resource, vocabulary)
    into.results.append(result)
    add_words(resource, result, concept, into)


def concepts_of(resource: Resource, vocabulary: Vocabulary, into: Collected) -> tuple[CodedResult, ...]:
    """What the code of an Observation means; each code is understood once. Raises UnreadableElement."""
    named, known = bytes(resource.code), into.results_by_code
    concepts = known.get(named)
    if concepts is None:
        concepts = known[named] = concepts_of_code(concept_of(named), vocabulary)
    return concepts


def concepts_of_code(concept: CodeableConcept | None, vocabulary: Vocabulary) -> tuple[CodedResult, ...]:
    """What the code of an Observation means, by its codings, else by its words."""
    found = tuple(
        (f"{coding.system}|{coding.code}", meaning)
        for coding, meaning in meanings(concept, vocabulary.results)
    )
    if found or concept is None or _has_loinc(concept, vocabulary):
        return found
    text = texts_of(concept)
    for rule in vocabulary.result_texts:
        if rule.hint in text and rule.matches(text):
            code = f"{UNMAPPED}{_named_code(concept)}" if rule.said_only else "text"
            return ((code, vocabulary.result_concepts[rule.meaning]),)
    return _of_no_system(concept, vocabulary)


def _named_code(concept: CodeableConcept) -> str:
    """The code that a site has to map; the words where there is none."""
    codes = (f"{coding.system or ''}|{coding.code}" for coding in concept.coding or () if coding.code)
    return next(codes, texts_of(concept)[:_LONGEST_NAME])


def _of_no_system(concept: CodeableConcept, vocabulary: Vocabulary) -> tuple[CodedResult, ...]:
    """A LOINC code whose system is missing or not known: it is said, and never used."""
    for coding in concept.coding or ():
        code = (coding.code or "").strip()
        if not _LOINC_CODE.fullmatch(code) or vocabulary.systems.canonical(coding.system or ""):
            continue
        meaning = vocabulary.results.get(code, {}).get(LOINC)
        if meaning is not None:
            return ((f"{NO_SYSTEM}{code}", meaning),)
    return ()


def _has_loinc(concept: CodeableConcept, vocabulary: Vocabulary) -> bool:
    return any(
        coding.system == LOINC or (coding.system and vocabulary.systems.canonical(coding.system) == LOINC)
        for coding in concept.coding or ()
    )


def _refused(resource: Resource, concept: ResultConcept, vocabulary: Vocabulary) -> str:
    status = _status_of(resource)
    if status in _VOID:
        return status
    if has_modifier(resource):
        return "modifier-extension"
    if resource.focus and _speaks_of_another(resource.focus):
        return "focus-elsewhere"
    words = _specimen_words(resource)
    if words and vocabulary.donor_text.search(words):
        return "donor-specimen"
    return ""


def _status_of(resource: Resource) -> str:
    return (resource.status or "").strip().lower()


def _leave_out(
    resource: Resource, ref: str, version: str, why: str, concept: ResultConcept, into: Collected
) -> None:
    into.ignored.append(Ignored(ref, why, concept.id, version))
    if why in ("codes-conflict", "modifier-extension"):
        into.unreadable.add(concept.need)


def _speaks_of_another(focus: list[Reference] | Reference | None) -> bool:
    references = focus if isinstance(focus, list) else [focus] if focus else []
    return any(
        (reference.reference or "").rpartition("/")[0].endswith(("Patient", "RelatedPerson"))
        for reference in references
    )


def specimen_of(resource: Resource, vocabulary: Vocabulary) -> Specimen:
    """The material an Observation was measured on, from its own body site and specimen words."""
    if resource.body_site is None and resource.specimen is None:
        return _UNSTATED
    sites = resource.body_site if isinstance(resource.body_site, list) else [resource.body_site]
    for site in sites:
        if site is not None:
            found = first_meaning(site, vocabulary.specimens, Specimen.UNSTATED)
            if found is not Specimen.UNSTATED:
                return found
    return material_in(_specimen_words(resource), vocabulary)


def material_in(words: str, vocabulary: Vocabulary) -> Specimen:
    """The material named by a text, the first rule that matches deciding."""
    if words:
        for rule in vocabulary.specimen_texts:
            if rule.matches(words):
                return Specimen(rule.meaning)
    return Specimen.UNSTATED


def _specimen_words(resource: Resource) -> str:
    if resource.specimen is None and resource.body_site is None:
        return ""
    references = resource.specimen if isinstance(resource.specimen, list) else [resource.specimen]
    sites = resource.body_site if isinstance(resource.body_site, list) else [resource.body_site]
    words = [reference.display or "" for reference in references if reference is not None]
    words.extend(texts_of(site) for site in sites)
    return " | ".join(word for word in words if word).lower()


def _conflicts(concept: ResultConcept, specimen: Specimen) -> bool:
    return (
        concept.material is not specimen
        and concept.material not in _NO_MATERIAL
        and specimen not in _NO_MATERIAL
    )


def _value_of(resource: Resource, concept: ResultConcept, vocabulary: Vocabulary) -> Value:
    value = read_value(resource, concept.dimension, vocabulary)
    if isinstance(value, Unusable) and value.why == "no-value":
        for answer in interpretations_of(resource):
            found = first_meaning(answer, vocabulary.answers, None)
            if found is not None:
                return found
    if concept.dimension == "residual" and value is Presence.ABSENT:
        return _below_sensitivity(resource, vocabulary)
    if concept.id == "disease-status" and resource.value_codeable_concept is not None:
        codings = codings_of(resource.value_codeable_concept)
        codes = {vocabulary.systems.pair(coding.system, coding.code) for coding in codings}
        return Presence.PRESENT if codes & vocabulary.remission_answers else Presence.INDETERMINATE
    return value


def _unless_no_system(code: str, value: Value) -> Value:
    """A value under a code whose system is not known, or that is not mapped, is said and not used."""
    if code.startswith(UNMAPPED):
        return Unusable("code-unmapped", value.original if isinstance(value, Measured) else "")
    if not code.startswith(NO_SYSTEM) or (isinstance(value, Unusable) and value.why == "no-value"):
        return value
    return Unusable("system-missing", value.original if isinstance(value, Measured) else "")


def _is_harmless(value: Value, concept: ResultConcept, vocabulary: Vocabulary) -> bool:
    """Whether a result that is recognised by its words only can be no sign of disease, or says nothing."""
    limits = [
        one.harmless_below for one in vocabulary.result_texts if one.meaning == concept.id and one.said_only
    ]
    if isinstance(value, Measured):
        return value.high is not None and any(limit is not None and value.high < limit for limit in limits)
    if isinstance(value, Unusable):
        return value.why == "no-value"
    return value not in (Presence.PRESENT, Presence.WEAK)


def _below_sensitivity(resource: Resource, vocabulary: Vocabulary) -> Value:
    """An MRD "not detected" as the interval below the stated detection limit, if one is stated."""
    limit = _sensitivity(resource, vocabulary)
    return Presence.ABSENT if limit is None else below(limit)


def _with_sensitivity(result: Result, resource: Resource, vocabulary: Vocabulary) -> Result:
    limit = _sensitivity(resource, vocabulary)
    return result if limit is None else replace(result, sensitivity=plain(limit))


def _sensitivity(resource: Resource, vocabulary: Vocabulary) -> Decimal | None:
    """The sensitivity of an MRD test in %, from a component of that name, else from method and comment."""
    for component in resource.component or ():
        if not vocabulary.sensitivity_text.search(texts_of(component.code)):
            continue
        value = read_value(component, "residual", vocabulary)
        if isinstance(value, Measured) and value.most > 0:
            return value.most
        limit = read_sensitivity(component.value_string or "")
        if limit is not None:
            return limit
    return read_sensitivity(_comment(resource))


def _comment(resource: Resource) -> str:
    return " ".join([texts_of(resource.method), resource.value_string or "", *notes_of(resource)])


def _result(
    resource: Resource,
    ref: str,
    version: str,
    code: str,
    concept: ResultConcept,
    specimen: Specimen,
    value: Value,
) -> Result:
    collected, basis = collected_moment(resource)
    status = _status_of(resource)
    references = resource.specimen if isinstance(resource.specimen, list) else [resource.specimen]
    specimen_ref = next((found.reference for found in references if found and found.reference), "")
    if specimen_ref.startswith("#"):
        specimen_ref = f"{ref}{specimen_ref}"
    method = texts_of(resource.method) if resource.method is not None else ""
    return Result(
        resource=ref,
        concept=concept.id,
        value=value,
        collected=collected,
        status=_FINAL if status in _ASSERTING else ResultStatus.PRELIMINARY,
        specimen=concept.material if specimen is _UNSTATED else specimen,
        specimen_ref=specimen_ref,
        code=code,
        method=method,
        note=_flags(resource, concept.material if specimen is _UNSTATED else specimen),
        date_basis=basis,
        version=version,
    )


_HAEMATOGONES = re.compile(r"h(a)?ematogones?")
_BLOODY = re.compile(
    r"\bbloody\b|\bblood[- ](?:stained|tinged|contaminat\w*)|contaminated with blood"
    r"|\btraumatic (?:tap|puncture|lp|lumbar)"
    r"|\bsanguin\w+|\bblutig\b|\bartifiziell\w* blut\w*|\bha?emorrhagic\b"
)
_NOT_BLOODY = re.compile(
    r"\b(?:not?|non|without|nicht|keine?)[- ](?:\w+ )?(?:bloody|blood[- ]\w+|traumatic \w+|blutig)"
)
"""A tap described as bloody is traumatic, also where nobody counted the erythrocytes (F-06)."""


def _flags(resource: Resource, material: Specimen) -> str:
    """The remark a rule looks for in a comment (F-05, F-06); the comment itself is not kept."""
    notes = notes_of(resource)
    if material is Specimen.CSF:
        words = [resource.value_string or "", *notes, *map(texts_of, interpretations_of(resource))]
        text = _NOT_BLOODY.sub("", " ".join(words).lower())
        return "bloody" if _BLOODY.search(text) else ""
    if not notes:
        return ""
    words = [texts_of(resource.method), resource.value_string or "", *notes]
    return "haematogones" if _HAEMATOGONES.search(" ".join(words).lower()) else ""


def _read_components(resource: Resource, ref: str, vocabulary: Vocabulary, into: Collected) -> None:
    version = version_of(resource)
    for component in resource.component or ():
        for code, concept in concepts_of_code(component.code, vocabulary):
            refused = _refused(resource, concept, vocabulary)
            specimen = specimen_of(resource, vocabulary)
            if refused:
                _leave_out(resource, ref, version, refused, concept, into)
                continue
            if concept.only_on is not _UNSTATED and specimen is not concept.only_on:
                continue
            value = _value_of_component(component, resource, concept, vocabulary)
            if code.startswith(UNMAPPED) and _is_harmless(value, concept, vocabulary):
                _leave_out(resource, ref, version, "code-unmapped", concept, into)
                continue
            value = _unless_no_system(code, value)
            if _conflicts(concept, specimen):
                into.ignored.append(Ignored(ref, "specimen-conflict", concept.id, version))
                specimen, value = Specimen.OTHER, as_conflict(value)
            result = _result(resource, ref, version, code, concept, specimen, value)
            if concept.dimension == "residual":
                result = _with_sensitivity(result, resource, vocabulary)
            into.results.append(result)
            add_component_words(component, result, concept, into)


def _value_of_component(
    component: Component, panel: Resource, concept: ResultConcept, vocabulary: Vocabulary
) -> Value:
    value = read_value(component, concept.dimension, vocabulary)
    if concept.dimension == "residual" and value is Presence.ABSENT:
        return _below_sensitivity(panel, vocabulary)
    return value


def _read_variant(
    resource: Resource, ref: str, version: str, code: str, vocabulary: Vocabulary, into: Collected
) -> None:
    """A genomic variant names its genes in components; each fusion the rules know is one result."""
    genes = frozenset(
        vocabulary.genes[gene.code or ""]
        for component in resource.component or ()
        if any(coding.code == _GENE_CODE for coding in codings_of(component.code))
        for gene in _coded(component)
        if (gene.code or "") in vocabulary.genes
    )
    concept_id = "bcr-abl1" if {"BCR", "ABL1"} <= genes else ""
    if not concept_id:
        return
    concept = vocabulary.result_concepts[concept_id]
    refused = _refused(resource, concept, vocabulary)
    if refused:
        _leave_out(resource, ref, version, refused, concept, into)
        return
    value = read_value(resource, "presence", vocabulary)
    into.results.append(
        _result(resource, ref, version, code, concept, specimen_of(resource, vocabulary), value)
    )


def _coded(component: Component) -> list[Coding]:
    return codings_of(component.value_codeable_concept)
