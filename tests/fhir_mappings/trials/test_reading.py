"""ResearchStudy, Group.characteristic and Location as studies."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from fhir_mappings.trials.knowledge import CRITERION_SYSTEM
from fhir_mappings.trials.reading import ReadStudies, read_research
from fhir_mappings.trials.study import (
    Accrual,
    Age,
    AgeSpan,
    AgeUnit,
    Criterion,
    OneOf,
    Origin,
    Span,
    TrialFact,
)
from tests.fhir_mappings.trials.people import vocabulary

YEARS = {"unit": "years", "system": "http://unitsofmeasure.org", "code": "a"}


def concept(code: str, system: str = CRITERION_SYSTEM) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def study(**changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "ResearchStudy",
        "id": "s1",
        "meta": {"lastUpdated": "2026-10-02T08:00:00Z"},
        "identifier": [{"system": "https://hospital.example.org/studies", "value": "LOCAL-7"}],
        "title": "Fictional study in relapsed B-ALL",
        "status": "active",
        "phase": concept("phase-2", "http://terminology.hl7.org/CodeSystem/research-study-phase"),
        "condition": [{"text": "Relapsed acute lymphoblastic leukaemia"}],
        "contact": [{"name": "Trial office", "telecom": [{"system": "phone", "value": "555-0100"}]}],
        "description": "Eligibility in words",
        "arm": [{"name": "Fictional antibody"}],
        "enrollment": [{"reference": "Group/g1"}],
        "site": [{"reference": "Location/l1"}],
        **changes,
    }


def group(*characteristics: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Group",
        "id": "g1",
        "type": "person",
        "actual": False,
        "characteristic": list(characteristics),
    }


LOCATION = {
    "resourceType": "Location",
    "id": "l1",
    "status": "active",
    "name": "Children's hospital",
    "address": {"city": "Boston", "country": "US"},
    "position": {"latitude": 42.36, "longitude": -71.06},
}


def read(*resources: dict[str, Any]) -> ReadStudies:
    bundle = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": resource} for resource in resources],
    }
    return read_research([json.dumps(bundle).encode()], vocabulary())


def only_criterion(characteristic: dict[str, Any]) -> Criterion | None:
    (found,) = read(study(), group(characteristic), LOCATION).studies
    derived = {TrialFact.DISEASE, TrialFact.DISEASE_STATE}
    criteria = [one for one in found.criteria if one.fact not in derived]
    assert len(criteria) <= 1
    if not criteria:
        assert vocabulary().phrases["unreadable_criterion"] in found.not_checked
    return criteria[0] if criteria else None


def test_a_study_with_its_place_and_contact() -> None:
    (found,) = read(study(), group(), LOCATION).studies
    assert (found.id, found.title) == ("LOCAL-7", "Fictional study in relapsed B-ALL")
    assert (found.accrual, found.status, found.phase) == (Accrual.OPEN, "active", "phase-2")
    assert found.status_date is not None
    assert found.status_date.text == "2026-10-02"
    assert found.origin is Origin.FHIR_SERVER
    assert found.interventions == ("Fictional antibody",)
    assert found.contact == "Trial office, 555-0100"
    (site,) = found.sites
    assert (site.name, site.city, site.accrual) == ("Children's hospital", "Boston", Accrual.OPEN)
    assert (site.latitude, site.longitude) == (42.36, -71.06)
    assert found.free_text


def test_a_registry_number_becomes_id_and_link() -> None:
    numbered = study(identifier=[{"value": "LOCAL-7"}, {"value": "NCT01234567"}])
    (found,) = read(numbered, group(), LOCATION).studies
    assert (found.id, found.link) == ("NCT01234567", "https://clinicaltrials.gov/study/NCT01234567")


def test_no_link_is_made_of_anything_else() -> None:
    odd = study(identifier=[{"value": "NCT0123456/../../x"}])
    (found,) = read(odd, group(), LOCATION).studies
    assert found.link == ""


@pytest.mark.parametrize(
    ("status", "accrual"),
    [
        ("active", Accrual.OPEN),
        ("approved", Accrual.OPENING),
        ("closed-to-accrual", Accrual.CLOSED),
        ("temporarily-closed-to-accrual", Accrual.CLOSED),
        ("completed", Accrual.CLOSED),
        ("withdrawn", Accrual.CLOSED),
        ("odd", Accrual.UNKNOWN),
        (None, Accrual.UNKNOWN),
    ],
)
def test_status(status: str | None, accrual: Accrual) -> None:
    (found,) = read(study(status=status), group(), LOCATION).studies
    assert found.accrual is accrual


@pytest.mark.parametrize(
    ("characteristic", "expected"),
    [
        (
            {
                "code": concept("age"),
                "valueRange": {"low": {"value": 1, **YEARS}, "high": {"value": 17, **YEARS}},
            },
            Criterion(TrialFact.AGE, AgeSpan(Age(1, AgeUnit.YEARS), Age(17, AgeUnit.YEARS))),
        ),
        (
            {"code": concept("age"), "valueQuantity": {"value": 18, "comparator": "<", **YEARS}},
            Criterion(TrialFact.AGE, AgeSpan(high=Age(17, AgeUnit.YEARS))),
        ),
        (
            {"code": concept("age"), "valueQuantity": {"value": 6, "comparator": ">=", "code": "mo"}},
            Criterion(TrialFact.AGE, AgeSpan(low=Age(6, AgeUnit.MONTHS))),
        ),
        (
            {"code": concept("lineage"), "valueCodeableConcept": concept("B")},
            Criterion(TrialFact.LINEAGE, OneOf(frozenset({"B"}))),
        ),
        (
            {"code": concept("lineage"), "valueCodeableConcept": concept("T"), "exclude": True},
            Criterion(TrialFact.LINEAGE, OneOf(frozenset({"T"})), exclude=True),
        ),
        (
            {
                "code": concept("prior-therapies"),
                "valueCodeableConcept": concept("cd19-directed"),
                "exclude": True,
            },
            Criterion(TrialFact.PRIOR_THERAPIES, OneOf(frozenset({"cd19-directed"})), exclude=True),
        ),
        (
            {"code": concept("cd19"), "valueBoolean": True},
            Criterion(TrialFact.CD19, OneOf(frozenset({"positive"}))),
        ),
        (
            {"code": concept("down-syndrome"), "valueBoolean": False},
            Criterion(TrialFact.DOWN_SYNDROME, OneOf(frozenset({"no"}))),
        ),
        (
            {
                "code": concept("263495000", "http://snomed.info/sct"),
                "valueCodeableConcept": concept("female", "http://hl7.org/fhir/administrative-gender"),
            },
            Criterion(TrialFact.SEX, OneOf(frozenset({"female"}))),
        ),
        (
            {"code": concept("relapse-number"), "valueQuantity": {"value": 1}},
            Criterion(TrialFact.RELAPSE_NUMBER, Span(Decimal(1), Decimal(1))),
        ),
        (
            {"code": concept("mrd"), "valueCodeableConcept": concept("negative")},
            Criterion(TrialFact.MRD, Span(high=Decimal("0.01"), high_open=True)),
        ),
        (
            {"code": concept("mrd"), "valueQuantity": {"value": 0.001, "comparator": ">=", "code": "1"}},
            Criterion(TrialFact.MRD, Span(low=Decimal("0.100"))),
        ),
        (
            {
                "code": concept("2160-0", "http://loinc.org"),
                "valueQuantity": {"value": 1.5, "comparator": "<=", "code": "mg/dL"},
            },
            Criterion(TrialFact.CREATININE, Span(high=Decimal("1.5"))),
        ),
    ],
)
def test_characteristic(characteristic: dict[str, Any], expected: Criterion) -> None:
    assert only_criterion(characteristic) == expected


@pytest.mark.parametrize(
    "characteristic",
    [
        {"code": concept("pregnancy"), "valueBoolean": False, "exclude": True},
        {"code": concept("lineage"), "valueCodeableConcept": concept("NK")},
        {"code": concept("lineage"), "valueQuantity": {"value": 1}},
        {"code": concept("lineage"), "valueReference": {"reference": "Group/2"}},
        {"code": concept("lineage"), "valueBoolean": True},
        {"code": concept("age"), "valueQuantity": {"value": 18, "comparator": "<", "code": "fortnight"}},
        {"code": concept("age"), "valueQuantity": {"value": 17.5, "comparator": "<", **YEARS}},
        {"code": concept("age"), "valueQuantity": {"value": 18, "comparator": "ad", **YEARS}},
        {"code": concept("age"), "valueRange": {}},
        {"code": concept("creatinine"), "valueQuantity": {"value": 1.5, "comparator": "<="}},
        {"code": concept("creatinine"), "valueQuantity": {"value": 1.5, "comparator": "<=", "code": "kg"}},
        {"code": concept("creatinine"), "valueRange": {"low": {"value": 1, "code": "kg"}}},
        {"code": concept("ecog"), "valueQuantity": {"value": 2, "code": "mg"}},
        {"valueBoolean": True},
    ],
)
def test_a_characteristic_that_is_not_understood_is_left_to_people(characteristic: dict[str, Any]) -> None:
    assert only_criterion(characteristic) is None


def test_a_group_that_is_missing_is_named_and_left_to_people() -> None:
    found = read(study(), LOCATION)
    assert found.missing == ("Group/g1",)
    assert vocabulary().phrases["unreadable_criterion"] in found.studies[0].not_checked


def test_groups_may_come_on_a_later_page_or_be_contained() -> None:
    lineage = {"code": concept("lineage"), "valueCodeableConcept": concept("B")}
    pages = [json.dumps(study()).encode(), json.dumps(group(lineage)).encode()]
    (found,) = read_research(pages, vocabulary()).studies
    contained = study(contained=[{**group(lineage), "id": "g"}], enrollment=[{"reference": "#g"}])
    (other,) = read(contained, LOCATION).studies
    assert TrialFact.LINEAGE in {one.fact for one in found.criteria}
    assert TrialFact.LINEAGE in {one.fact for one in other.criteria}


def test_absolute_and_versioned_references() -> None:
    far = study(
        enrollment=[{"reference": "https://ehr.example.org/fhir/Group/g1/_history/3"}],
        site=[{"reference": "https://ehr.example.org/fhir/Location/l1"}],
    )
    assert read(far, group(), LOCATION).missing == ()


def test_studies_of_other_diseases_are_left_out() -> None:
    other = study(id="s2", title="Asthma", condition=[{"text": "Asthma"}], enrollment=[])
    aged = {"code": concept("age"), "valueQuantity": {"value": 18, "comparator": "<", **YEARS}}
    young = study(id="s3", title="Asthma in children", condition=[], enrollment=[{"reference": "Group/g1"}])
    assert read(other, young, group(aged), LOCATION).studies == ()


def test_a_lineage_criterion_shows_the_disease_where_the_title_does_not() -> None:
    lineage = {"code": concept("lineage"), "valueCodeableConcept": concept("B")}
    (found,) = read(study(title="ABC-1", condition=[]), group(lineage), LOCATION).studies
    assert [one.fact for one in found.criteria] == [TrialFact.LINEAGE]


def test_what_cannot_be_read_costs_itself_only() -> None:
    found = read(study(), {"resourceType": "ResearchStudy", "id": "x", "title": 7}, group(), LOCATION)
    assert len(found.studies) == 1
    assert found.unreadable == 1


@pytest.mark.parametrize(
    "page",
    [b"", b"[]", b"{}", b"{", b"\xff", b"[" * 100_000, b'{"resourceType":"Bundle","entry":7}'],
)
def test_pages_that_are_no_json_or_no_bundle_are_counted(page: bytes) -> None:
    found = read_research([page], vocabulary())
    assert (found.studies, found.unreadable) == ((), 1)
