"""Whose resource is it? Every spelling of a reference to the patient (P-01 to P-07), and every other."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.assess import ForeignResource, Subject, read_facts
from fhir_mappings.fhir.attribution import Attribution, Owner
from tests.fhir_mappings.fhir.charts import condition, entry, facts_of, ignored_of, knowledge, observation

BASE = "https://ehr.example.org/fhir"
OURS, FOREIGN, NOBODY, UNCLEAR = Owner.PATIENT, Owner.FOREIGN, Owner.NOBODY, Owner.UNATTRIBUTABLE


def owner(reference: Any, *bases: str, element: str = "subject") -> Owner:
    made = observation(subject=None)
    made[element] = reference
    resource = entry(made).resource
    assert resource is not None
    return Attribution(Subject("p1", bases)).owner(resource)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("Patient/p1", OURS),
        ("Patient/p1/_history/3", OURS),
        (f"{BASE}/Patient/p1", OURS),
        (f"{BASE}/Patient/p1/_history/3", OURS),
        ("Patient/p2", FOREIGN),
        ("Patient/p", FOREIGN),
        ("Patient/p11", FOREIGN),
        ("Patient/P1", FOREIGN),
        (f"{BASE}/Patient/p2", FOREIGN),
        ("https://other.example.org/fhir/Patient/p1", FOREIGN),
        ("https://other.example.org/Patient/p1/_history/1", FOREIGN),
        ("Group/p1", UNCLEAR),
        ("#p1", UNCLEAR),
        ("urn:uuid:4f9d2b16-9a0a-4c3b-8a56-0b5b1f8f4a11", UNCLEAR),
        ("", UNCLEAR),
    ],
)
def test_at_a_known_base(reference: str, expected: Owner) -> None:
    assert owner({"reference": reference}, BASE) is expected


@pytest.mark.parametrize("element", ["subject", "patient", "individual"])
def test_every_element_that_names_the_patient_is_read(element: str) -> None:
    assert owner({"reference": "Patient/p1"}, element=element) is OURS
    assert owner({"reference": "Patient/p2"}, element=element) is FOREIGN


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        (["Patient/p1"], OURS),
        (["Patient/p1", "Patient/p2"], FOREIGN),
        (["Patient/p1", "Group/g"], UNCLEAR),
        ([], NOBODY),
    ],
)
def test_of_several_subjects_the_worst_counts(references: list[str], expected: Owner) -> None:
    assert owner([{"reference": one} for one in references], BASE) is expected


@pytest.mark.parametrize(
    ("subject", "expected"),
    [(None, NOBODY), ({"display": "Somebody"}, UNCLEAR), ({"identifier": {"value": "7"}}, UNCLEAR)],
)
def test_without_a_reference(subject: Any, expected: Owner) -> None:
    assert owner(subject) is expected


def test_without_a_known_base_the_first_one_counts_and_no_second() -> None:
    attribution = Attribution(Subject("p1"))
    owners = []
    for base in (BASE, BASE, "https://other.example.org/fhir"):
        resource = entry(observation(subject={"reference": f"{base}/Patient/p1"})).resource
        assert resource is not None
        owners.append(attribution.owner(resource))
    assert owners == [OURS, OURS, FOREIGN]


def test_the_urn_of_the_patients_own_entry_is_a_spelling() -> None:
    urn = "urn:uuid:4f9d2b16-9a0a-4c3b-8a56-0b5b1f8f4a11"
    entries = [
        entry({"resourceType": "Patient", "id": "p1"}, urn),
        entry(observation(subject={"reference": urn})),
    ]
    assert len(read_facts(entries, Subject("p1"), knowledge()).results) == 1


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Patient", "id": "p2"},
        observation(subject={"reference": "Patient/p2"}),
        {"resourceType": "Flag", "id": "f", "subject": {"reference": "Patient/p2"}},
        {"resourceType": "Bundle", "entry": [{"resource": condition(subject={"reference": "Patient/p2"})}]},
    ],
)
def test_one_resource_of_another_patient_refuses_everything(resource: dict[str, Any]) -> None:
    with pytest.raises(ForeignResource) as refused:
        facts_of(condition(), resource)
    assert "p2" not in str(refused.value)


def test_a_donors_specimen_is_read_as_a_donors_and_refuses_nothing() -> None:
    specimen = {"resourceType": "Specimen", "id": "s", "subject": {"reference": "Patient/donor"}}
    (taken,) = facts_of(specimen).specimens
    assert taken.donor


@pytest.mark.parametrize(
    ("resource", "need"), [(observation(subject=None), "marrow"), (condition(subject=None), "conditions")]
)
def test_what_belongs_to_nobody_is_not_used_and_not_forgotten(resource: dict[str, Any], need: str) -> None:
    facts = facts_of(resource)
    assert not facts.results
    assert not facts.diagnoses
    assert {why for _, why in ignored_of(facts)} == {"unattributable"}
    assert facts.unreadable == {need}


def test_what_no_rule_reads_may_belong_to_nobody() -> None:
    facts = facts_of(observation("2951-2", subject=None))
    assert not facts.ignored
    assert not facts.unreadable
