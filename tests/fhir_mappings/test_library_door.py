"""What the library takes: resources in every form people have them, and sentences for what it cannot take."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle as BundleModel
from fhir.resources.R4B.condition import Condition as ConditionModel
from fhir.resources.R4B.observation import Observation as ObservationModel
from fhir.resources.R4B.patient import Patient as PatientModel

import fhir_mappings
from fhir_mappings import Assessment, assess, load_knowledge
from fhir_mappings.assess import Malformed, NoPatient, decode
from fhir_mappings.records import PatientHeader, build_resources, read_table

AT = datetime(2024, 6, 4, 12, tzinfo=UTC)
RECORD = """
date       | concept             | value | unit
-----------+---------------------+-------+-----
2021-03-10 | diagnosis B-ALL     |       |
2021-04-12 | remission           |       |
2024-06-03 | marrow lymphoblasts | 78    | %
"""
MODELS: dict[str, Any] = {
    "Patient": PatientModel,
    "Condition": ConditionModel,
    "Observation": ObservationModel,
}


@pytest.fixture
def resources() -> list[dict[str, Any]]:
    header = PatientHeader(id="p", sex="female", born="2015-06-03")
    return build_resources(header, read_table(RECORD), today=date(2024, 6, 3))


def bundle(resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": one} for one in resources],
    }


def modelled(resources: list[dict[str, Any]]) -> list[Any]:
    return [MODELS[one["resourceType"]](**one) if one["resourceType"] in MODELS else one for one in resources]


FORMS: dict[str, Callable[[list[dict[str, Any]]], Any]] = {
    "dicts": lambda all_: all_,
    "a generator of dicts": lambda all_: iter(all_),
    "a Bundle as a dict": bundle,
    "a Bundle as text": lambda all_: json.dumps(bundle(all_)),
    "a Bundle as bytes": lambda all_: json.dumps(bundle(all_)).encode(),
    "resources as text": lambda all_: [json.dumps(one) for one in all_],
    "resources as bytes": lambda all_: tuple(json.dumps(one).encode() for one in all_),
    "models of fhir.resources": modelled,
    "a Bundle of fhir.resources": lambda all_: BundleModel(**bundle(all_)),
    "our own values": lambda all_: [decode(json.dumps(one).encode()).resource for one in all_],
    "decoded values": lambda all_: decode(json.dumps(bundle(all_)).encode()),
    "a mixture": lambda all_: [all_[0], *(json.dumps(one) for one in all_[1:])],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_answer(form: str, resources: list[dict[str, Any]]) -> None:
    answer = assess(FORMS[form](resources), AT)
    assert isinstance(answer, Assessment)
    assert answer.status.value == "relapse"
    assert answer == assess(resources, AT, load_knowledge())


def test_numbers_of_a_dict_may_be_decimals_and_dates_dates(resources: list[dict[str, Any]]) -> None:
    for one in resources:
        if "valueQuantity" in one:
            one["valueQuantity"]["value"] = Decimal("78.0")
            one["effectiveDateTime"] = date(2024, 6, 3)
    assert assess(resources, AT).status.value == "relapse"


def test_what_cannot_be_understood_is_carried_into_the_answer(resources: list[dict[str, Any]]) -> None:
    for one in resources:
        if one["resourceType"] == "Condition":
            one["code"] = ["not", "a", "code"]
    answer = assess(resources, AT)
    assert "conditions" in answer.missing_needs
    assert answer.status.value == "not-evaluable"


def test_a_moment_without_a_zone_is_refused_with_a_sentence(resources: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="at: give a moment with a time zone"):
        assess(resources, datetime(2024, 6, 4))  # noqa: DTZ001 - the fault itself


@pytest.mark.parametrize("nobody", [[], "{}", {"resourceType": "Bundle"}, [{"resourceType": "Basic"}]])
def test_nobody_to_assess_is_said(nobody: Any) -> None:
    with pytest.raises(NoPatient, match="the resources name no patient"):
        assess(nobody, AT)


@pytest.mark.parametrize("text", ["", "no json", "[1, 2]", b"\xff", '{"resourceType": "Pati'])
def test_text_that_is_no_resource_is_malformed(text: Any) -> None:
    with pytest.raises(Malformed):
        assess(text, AT)


@pytest.mark.parametrize("thing", [5, None, object(), [5], [None]])
def test_what_is_no_resource_is_named_with_what_is_wanted(thing: Any) -> None:
    with pytest.raises(TypeError, match=r"is no resource: give a Bundle or resources"):
        assess(thing, AT)


def test_the_package_exports_what_a_newcomer_needs() -> None:
    assert set(fhir_mappings.__all__) == {"Assessment", "assess", "load_knowledge"}
