"""The demonstration patients as assessments with their facts, on a fixed day."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from cds_service.demo.demo_patients import DemoPatient, load_patients
from fhir_mappings.assess import assess_facts, load_knowledge, named_patient, read_facts
from fhir_mappings.assessment import Assessment, Availability, NeedState
from fhir_mappings.clinical.facts import Facts
from fhir_mappings.fhir.decoding import decode

DAY = date(2026, 11, 20)
AT = datetime.combine(DAY, time(9), tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AssessedPatient:
    """One demonstration patient, assessed."""

    patient: DemoPatient
    facts: Facts
    assessment: Assessment


def bundle_of(patient: DemoPatient) -> bytes:
    """The whole chart as a FHIR Bundle."""
    entries = [{"resource": resource} for resource in patient.resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


@functools.cache
def patients() -> tuple[DemoPatient, ...]:
    """The demonstration patients, dated relative to the fixed day."""
    return load_patients(DAY)


@functools.cache
def assessed(patient_id: str) -> AssessedPatient:
    """The demonstration patient of that id, assessed on the fixed day."""
    (patient,) = (one for one in patients() if one.id == patient_id)
    knowledge = load_knowledge()
    entries = decode(bundle_of(patient)).resource.entry or []
    subject = named_patient(entries)
    facts = read_facts(entries, subject, knowledge)
    seen = {need.key: NeedState(Availability.PRESENT) for need in knowledge.needs}
    return AssessedPatient(patient, facts, assess_facts(facts, seen, AT, knowledge, subject))
