"""What a card says of what no written case can express: odd codes, comparators, modifiers, no birth date."""

from __future__ import annotations

import copy
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from fhir_mappings.assess import Knowledge, assess, load_knowledge
from fhir_mappings.assessment import Assessment
from fhir_mappings.fhir.decoding import decode
from fhir_mappings.records.written_record import PatientHeader, build_resources, read_table

AT = datetime(2024, 1, 16, 9, tzinfo=UTC)
RECORD = """
date       | concept             | value | unit
-----------+---------------------+-------+-----
2020-10-02 | diagnosis B-ALL     |       |
2020-11-06 | remission           |       |
2022-12-01 | end of therapy      |       |
2024-01-15 | marrow lymphoblasts | 70    | %
2024-01-15 | blood blasts        | 0     | %
"""
_LOINC = "http://loinc.org"


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


@pytest.fixture
def resources() -> list[dict[str, Any]]:
    header = PatientHeader(id="p", sex="female", born="2016-08-08")
    return copy.deepcopy(build_resources(header, read_table(RECORD), today=date(2024, 1, 15)))


def marrow(resources: list[dict[str, Any]]) -> dict[str, Any]:
    return next(one for one in resources if one["id"].startswith("marrow-lymphoblasts"))


def assessed(resources: list[dict[str, Any]], knowledge: Knowledge) -> Assessment:
    return assess([decode(json.dumps(one).encode()).resource for one in resources], AT, knowledge)


def sentences(assessment: Assessment, knowledge: Knowledge) -> list[str]:
    spoken = [one for section in assessment.sections for one in section.statements]
    spoken += [reason for option in assessment.options for reason in option.because]
    return [knowledge.words[one.words].text.format(**one.values) for one in spoken]


def test_a_comparator_nobody_knows(resources: list[dict[str, Any]], knowledge: Knowledge) -> None:
    marrow(resources)["valueQuantity"]["comparator"] = "ad"
    found = assessed(resources, knowledge)
    assert found.status.value == "suspect"
    assert any("comparator is not understood" in one for one in sentences(found, knowledge))


def test_codes_that_name_different_tests(resources: list[dict[str, Any]], knowledge: Knowledge) -> None:
    marrow(resources)["code"]["coding"].append({"system": _LOINC, "code": "26465-5"})
    second = copy.deepcopy(marrow(resources))
    second["id"] = "another"
    second["code"] = {"coding": [{"system": _LOINC, "code": "50724-4"}]}
    found = assessed([*resources, second], knowledge)
    assert found.status.value == "relapse"
    said = [one for one in sentences(found, knowledge) if "its codes name different tests" in one]
    assert [one.partition(":")[0] for one in said] == [f"Observation/{marrow(resources)['id']}"]


def test_a_modifier_nobody_knows(resources: list[dict[str, Any]], knowledge: Knowledge) -> None:
    second = copy.deepcopy(marrow(resources))
    second["id"] = "another"
    second["modifierExtension"] = [{"url": "http://example.org/negated", "valueBoolean": True}]
    found = assessed([*resources, second], knowledge)
    assert found.status.value == "relapse"
    assert any("Observation/another: carries a modifier" in one for one in sentences(found, knowledge))


def test_without_a_birth_date_age_limits_stay_open(
    resources: list[dict[str, Any]], knowledge: Knowledge
) -> None:
    del next(one for one in resources if one["resourceType"] == "Patient")["birthDate"]
    found = assessed(resources, knowledge)
    said = sentences(found, knowledge)
    assert "Age is not on record." in said
    assert "The age is not on record." in said
    (tisagenlecleucel,) = [one for one in found.options if one.agent == "tisagenlecleucel"]
    assert tisagenlecleucel.state.value != "matches"
