"""MedicationAdministration, MedicationStatement and MedicationRequest to agents given, running or planned."""

from __future__ import annotations

from collections.abc import Mapping

from fhir_mappings.clinical.facts import Ignored, Medication, MedicationState
from fhir_mappings.clinical.vocabulary import Vocabulary
from fhir_mappings.fhir.codings import codings_of, meanings, texts_of
from fhir_mappings.fhir.collected import Collected
from fhir_mappings.fhir.dates import read_moment, read_period
from fhir_mappings.fhir.decoding import is_stated
from fhir_mappings.fhir.elements import CodeableConcept, Dosage, Resource
from fhir_mappings.fhir.lazy_elements import concept_of
from fhir_mappings.fhir.lazy_rare_elements import version_of

_VOID = frozenset({"entered-in-error", "not-done", "cancelled", "not-taken", "unknown"})
_STATES = {
    "MedicationAdministration": {
        "completed": MedicationState.GIVEN,
        "in-progress": MedicationState.RUNNING,
        "on-hold": MedicationState.RUNNING,
        "stopped": MedicationState.GIVEN,
    },
    "MedicationStatement": {
        "active": MedicationState.RUNNING,
        "completed": MedicationState.GIVEN,
        "stopped": MedicationState.STOPPED,
        "on-hold": MedicationState.STOPPED,
        "intended": MedicationState.PLANNED,
    },
    "MedicationRequest": {
        "active": MedicationState.RUNNING,
        "completed": MedicationState.GIVEN,
        "stopped": MedicationState.STOPPED,
        "on-hold": MedicationState.STOPPED,
        "draft": MedicationState.PLANNED,
    },
}
_PLANS = frozenset({"proposal", "plan", "option"})


def read_medication(
    resource: Resource,
    ref: str,
    vocabulary: Vocabulary,
    drugs: Mapping[str, CodeableConcept],
    into: Collected,
) -> None:
    """Add the agents one medication resource names. ``drugs`` resolves Medication references."""
    agents = _agents(resource, vocabulary, drugs, into)
    if not agents:
        return
    version = version_of(resource)
    status = (resource.status or "").strip().lower()
    state = _STATES[resource.resource_type or ""].get(status)
    if status in _VOID or resource.do_not_perform or state is None:
        into.ignored.extend(Ignored(ref, "not-given", agent, version) for agent in agents)
        return
    if (resource.intent or "") in _PLANS:
        state = MedicationState.PLANNED
    period = resource.effective_period
    start = read_moment(resource.effective_date_time) or (read_moment(period.start) if period else None)
    start = start or read_moment(resource.authored_on) or read_period(period)
    end = read_moment(period.end) if period else None
    intrathecal = _is_intrathecal(resource, vocabulary)
    into.medications.extend(
        Medication(ref, agent, state, start, end, intrathecal, version=version) for agent in agents
    )


def _agents(
    resource: Resource, vocabulary: Vocabulary, drugs: Mapping[str, CodeableConcept], into: Collected
) -> tuple[str, ...]:
    if is_stated(resource.medication_codeable_concept):
        code, known = bytes(resource.medication_codeable_concept), into.agents_by_code
        if code not in known:
            known[code] = _agents_of(concept_of(code), vocabulary)
        return known[code]
    if resource.medication_reference is None:
        return ()
    drug = drugs.get(resource.medication_reference.reference or "")
    return _agents_of(drug or CodeableConcept(text=resource.medication_reference.display), vocabulary)


def _agents_of(concept: CodeableConcept | None, vocabulary: Vocabulary) -> tuple[str, ...]:
    coded = tuple(dict.fromkeys(agent for _coding, agent in meanings(concept, vocabulary.agents)))
    if coded:
        return coded
    text = texts_of(concept)
    if not text or not vocabulary.agent_hint.search(text):
        return ()
    return tuple(dict.fromkeys(agent for pattern, agent in vocabulary.agent_names if pattern.search(text)))


def _is_intrathecal(resource: Resource, vocabulary: Vocabulary) -> bool:
    dosages: list[Dosage] = []
    if resource.dosage is not None:
        dosages.extend(resource.dosage if isinstance(resource.dosage, list) else [resource.dosage])
    dosages.extend(resource.dosage_instruction or [])
    for dosage in dosages:
        codes = {vocabulary.systems.pair(coding.system, coding.code) for coding in codings_of(dosage.route)}
        if codes & vocabulary.intrathecal or "intrathecal" in texts_of(dosage.route):
            return True
    return False
