"""Whose line is it: every way in which a reference is written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.cohort.heads import (
    Block,
    head_of,
    heads_of,
    joined_to,
    patient_id,
    patients_of,
    resource_key,
)
from cds_service.cohort.heads import unfolded as lines_of


@pytest.mark.parametrize(
    ("reference", "patient"),
    [
        ("Patient/1", "1"),
        ("Patient/a-b.C", "a-b.C"),
        ("Patient/1/_history/3", "1"),
        ("https://ehr.example.org/fhir/Patient/1", "1"),
        ("https://ehr.example.org/fhir/Patient/1/_history/3", "1"),
        ("urn:uuid:5f3e", "5f3e"),
        ("Group/1", ""),
        ("Device/Patient", ""),
        ("#patient", ""),
        ("RelatedPerson/1", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_reference_names_a_patient(reference: str | None, patient: str) -> None:
    assert patient_id(reference) == patient


@pytest.mark.parametrize(
    ("resource", "patients"),
    [
        ({"resourceType": "Patient", "id": "7"}, ("7",)),
        ({"resourceType": "Observation", "subject": {"reference": "Patient/7"}}, ("7",)),
        ({"resourceType": "EpisodeOfCare", "patient": {"reference": "Patient/7"}}, ("7",)),
        ({"resourceType": "ResearchSubject", "individual": {"reference": "Patient/7"}}, ("7",)),
        (
            {"resourceType": "X", "subject": [{"reference": "Patient/7"}, {"reference": "Patient/8"}]},
            ("7", "8"),
        ),
        ({"resourceType": "Medication", "id": "7"}, ()),
        ({"resourceType": "Observation", "subject": {"display": "Robin"}}, ()),
        ({"resourceType": "Observation", "subject": 5}, ()),
        # One element of the wrong type does not hide the others.
        ({"resourceType": "Observation", "id": 5, "subject": {"reference": "Patient/7"}}, ("7",)),
        (
            {"resourceType": "Condition", "subject": {"reference": 1}, "patient": {"reference": "Patient/7"}},
            ("7",),
        ),
    ],
)
def test_a_line_belongs_to_patients(resource: dict[str, Any], patients: tuple[str, ...]) -> None:
    head = head_of(json.dumps(resource).encode())
    assert head is not None
    assert patients_of(head) == patients


@pytest.mark.parametrize("line", [b"", b"[]", b"5", b"{", b"\xff{}", b'{"resourceType":"Pat'])
def test_what_is_no_object_has_no_head(line: bytes) -> None:
    assert head_of(line) is None


@pytest.mark.parametrize(
    ("reference", "key"),
    [
        ("Medication/5", "Medication/5"),
        ("https://ehr.example.org/fhir/Medication/5/_history/2", "Medication/5"),
        ("urn:uuid:5", "Medication/5"),
        ("#med", ""),
        ("Substance/5", ""),
        ("Medication/", ""),
        (None, ""),
    ],
)
def test_a_reference_names_a_medication(reference: str | None, key: str) -> None:
    assert resource_key(reference, "Medication") == key


def test_what_a_line_refers_to_is_found() -> None:
    line = {
        "resourceType": "MedicationRequest",
        "medicationReference": {"reference": "Medication/5/_history/1"},
        "specimen": [{"reference": "Specimen/9"}, {"display": "marrow"}],
    }
    assert list(joined_to(json.dumps(line).encode())) == ["Medication/5", "Specimen/9"]
    assert list(joined_to(b'{"medicationReference":5,"specimen":"x"}')) == []


def test_many_heads_are_those_of_the_single_lines() -> None:
    lines = [b'{"resourceType":"Patient","id":"1"}', b"", b"{", b'{"resourceType":"Observation"}']
    assert heads_of(Block(b"\n".join(lines))) == [head_of(line) for line in lines]


def test_a_bundle_on_many_lines_becomes_one_line_each() -> None:
    inner = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "id": "2"}}]}
    bundle = {
        "resourceType": "Bundle",
        "entry": [{"resource": {"resourceType": "Condition"}}, {"resource": inner}],
    }
    lines = lines_of(json.dumps(bundle, indent=2).encode())
    assert [json.loads(line)["resourceType"] for line in lines] == ["Condition", "Patient"]
    assert not any(b"\n" in line for line in lines)
