"""Every demonstration patient gets the expected status from the rules alone, on any day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import msgspec
import pytest

from cds_service.demo.application import LOCAL_CODES
from cds_service.demo.demo_patients import load_patients
from fhir_mappings.assess import Knowledge, Subject, assess, load_knowledge
from fhir_mappings.fhir.decoding import decode


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


@pytest.mark.parametrize(
    "today", [date(2026, 11, 20), date(2024, 2, 29), date(2027, 1, 1), date(2026, 3, 31)]
)
def test_every_patient_has_the_expected_status(knowledge: Knowledge, today: date) -> None:
    at = datetime.combine(today, time(12), UTC)
    found, expected = {}, {}
    for patient in load_patients(today):
        resources = [decode(msgspec.json.encode(resource)).resource for resource in patient.resources]
        answer = assess(resources, at, knowledge, subject=Subject(patient.id), local_codes=LOCAL_CODES)
        found[patient.id] = answer.status.value
        expected[patient.id] = patient.expect.status
    assert found == expected
