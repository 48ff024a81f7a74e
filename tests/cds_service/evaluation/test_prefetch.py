"""The templates of discovery, and the decision table of what arrives under a key."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, unquote

import pytest

from cds_service.evaluation.prefetch import LONGEST_TEMPLATE, Prefetched, PrefetchTable, templates
from cds_service.http.problem import Problem, Refusal
from cds_service.settings.model import Tenant
from cds_service.wire.body import read_body
from fhir_mappings.assessment import Availability, NeedState
from fhir_mappings.knowledge.needs import Need

MARROW = "http://loinc.org|11150-6"
LOCAL = "http://general.example.org/labs|MRD-FLOW"


def need(key: str, resource_type: str, *codes: str, **more: Any) -> Need:
    values: dict[str, Any] = {
        "title": key,
        "patient_parameter": "patient",
        "sort": "-date",
        "count": 5,
        "requirement": "with-all",
        "coded": resource_type == "Observation",
        **more,
    }
    return Need(key=key, resource_type=resource_type, codes=codes, **values)


NEEDS = (
    need("patient", "Patient", sort="", count=0, requirement="degradable"),
    need("conditions", "Condition", sort="-recorded-date", requirement="always"),
    need("marrow", "Observation", MARROW),
    need("csf", "Observation", "http://loinc.org|10333-9", "http://loinc.org|26464-8"),
    need("mrd", "Observation"),
    need("procedures", "Procedure"),
)
HOSPITAL = Tenant(
    id="general",
    codes={"mrd": (LOCAL,), "marrow-blasts": ("http://general.example.org/labs|BM",)},
    prefetch_keys={"labs": "marrow", "more-labs": "marrow"},
)
CONCEPTS = {"marrow-blasts": "marrow"}
TABLE = PrefetchTable.of(NEEDS)


def observation(code: str = MARROW, **more: Any) -> dict[str, Any]:
    system, _, value = code.partition("|")
    return {
        "resourceType": "Observation",
        "id": "o",
        "code": {"coding": [{"system": system, "code": value}]},
        **more,
    }


def bundle(*resources: Any, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": resource} for resource in resources],
        **more,
    }


def outcome(severity: str, code: str = "processing") -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]}


def read(prefetch: dict[str, Any], table: PrefetchTable = TABLE) -> Prefetched:
    return table.read(read_body(json.dumps({"prefetch": prefetch}).encode()).prefetch)


UNKNOWN = Availability.UNKNOWN
NEXT = {"link": [{"relation": "next", "url": "https://ehr.example.org/fhir?page=2"}]}
BAD = observation(status=7)

DECISIONS: dict[str, tuple[Any, NeedState, bool, int]] = {
    # what arrived -> state, whether the FHIR server may be asked, entries that are used all the same
    "a resource": (observation(), NeedState(Availability.PRESENT), False, 1),
    "a complete searchset": (bundle(observation()), NeedState(Availability.PRESENT), False, 1),
    "a collection": (bundle(observation(), type="collection"), NeedState(Availability.PRESENT), False, 1),
    "with its total": (bundle(observation(), total=1), NeedState(Availability.PRESENT), False, 1),
    "null": (None, NeedState(Availability.EMPTY), False, 0),
    "no entries": (bundle(), NeedState(Availability.EMPTY), False, 0),
    "no entry member": ({"resourceType": "Bundle"}, NeedState(Availability.EMPTY), False, 0),
    "only a warning": (bundle(outcome("warning")), NeedState(Availability.EMPTY), False, 0),
    "only an information": (bundle(outcome("information")), NeedState(Availability.EMPTY), False, 0),
    "data and a warning": (
        bundle(observation(), outcome("warning")),
        NeedState(Availability.PRESENT),
        False,
        1,
    ),
    "an outcome": (outcome("error"), NeedState(UNKNOWN, "outcome-error"), False, 0),
    "an outcome that warns": (outcome("warning"), NeedState(UNKNOWN, "outcome-error"), False, 0),
    "an error entry": (bundle(outcome("error")), NeedState(UNKNOWN, "outcome-error"), False, 0),
    "a fatal entry": (bundle(outcome("fatal")), NeedState(UNKNOWN, "outcome-error"), False, 0),
    "a warning of loss": (
        bundle(outcome("warning", "incomplete")),
        NeedState(UNKNOWN, "outcome-error"),
        False,
        0,
    ),
    "an outcome without issue": (
        bundle({"resourceType": "OperationOutcome"}),
        NeedState(UNKNOWN, "outcome-error"),
        False,
        0,
    ),
    "data and an error": (
        bundle(observation(), outcome("error")),
        NeedState(UNKNOWN, "outcome-error"),
        False,
        1,
    ),
    "a next link": (bundle(observation(), **NEXT), NeedState(UNKNOWN, "truncated"), False, 1),
    "a next link without address": (
        bundle(observation(), link=[{"relation": "next"}]),
        NeedState(UNKNOWN, "truncated"),
        True,
        1,
    ),
    "fewer than the total": (bundle(observation(), total=2), NeedState(UNKNOWN, "truncated"), True, 1),
    "a full page": (bundle(*[observation()] * 5), NeedState(UNKNOWN, "truncated"), True, 5),
    "a full page with total": (
        bundle(*[observation()] * 5, total=5),
        NeedState(Availability.PRESENT),
        False,
        5,
    ),
    "another type": ({"resourceType": "Basic"}, NeedState(UNKNOWN, "wrong-type"), True, 1),
    "a bundle of another type": (
        bundle({"resourceType": "Basic"}),
        NeedState(UNKNOWN, "wrong-type"),
        True,
        1,
    ),
    "text": ("observations", NeedState(UNKNOWN, "unreadable"), True, 0),
    "a list": ([observation()], NeedState(UNKNOWN, "unreadable"), True, 0),
    "an empty object": ({}, NeedState(UNKNOWN, "unreadable"), True, 0),
    "an entry without resource": (
        bundle(observation(), None),
        NeedState(UNKNOWN, "unreadable"),
        True,
        1,
    ),
    "only unreadable entries": (bundle(BAD), NeedState(UNKNOWN, "unreadable"), True, 0),
    "one unreadable entry": (bundle(observation(), BAD), NeedState(UNKNOWN, "unreadable"), True, 1),
}


@pytest.mark.parametrize(("value", "state", "may_query", "entries"), DECISIONS.values(), ids=DECISIONS)
def test_what_arrived_under_a_key(value: Any, state: NeedState, may_query: bool, entries: int) -> None:
    found = read({"marrow": value}).needs["marrow"]
    assert found.state == state
    assert found.may_query is may_query
    assert len(found.entries) == entries


def test_a_missing_key_is_unknown_and_may_be_asked_for() -> None:
    found = read({}).needs
    assert found.keys() == {item.key for item in NEEDS}
    assert all(item.state == NeedState(UNKNOWN, "not-supplied") for item in found.values())
    assert all(item.may_query for item in found.values())


def test_a_next_link_is_kept() -> None:
    assert read({"marrow": bundle(observation(), **NEXT)}).needs["marrow"].next_url.endswith("page=2")


@pytest.mark.parametrize("value", [None, bundle()])
def test_no_patient_is_not_an_answer(value: Any) -> None:
    found = read({"patient": value}).needs["patient"]
    assert found.state.availability is UNKNOWN
    assert found.may_query


@pytest.mark.parametrize("value", [{"resourceType": "Patient", "id": "p"}, None])
def test_a_patient_may_come_as_resource_or_bundle(value: Any) -> None:
    patient = {"resourceType": "Patient", "id": "p"}
    found = read({"patient": value or bundle(patient)}).needs["patient"]
    assert found.state.availability is Availability.PRESENT


def test_null_may_be_asked_about_where_a_tenant_says_so() -> None:
    table = PrefetchTable.of(NEEDS, HOSPITAL.model_copy(update={"null_means": "refetch"}))
    found = read({"marrow": None}, table).needs["marrow"]
    assert found.state.availability is Availability.EMPTY
    assert found.may_query


@pytest.mark.parametrize(
    ("resource", "version"),
    [
        (
            {"resourceType": "Condition", "subject": {"reference": "Patient/p"}, "clinicalStatus": "active"},
            "STU3",
        ),
        ({"resourceType": "Condition", "patient": {"reference": "Patient/p"}}, "DSTU2"),
        ({"resourceType": "MedicationOrder"}, "DSTU2"),
    ],
)
@pytest.mark.parametrize("key", ["conditions", "unheard-of"])
@pytest.mark.parametrize("wrapped", [True, False])
def test_data_before_r4_are_named(resource: Any, version: str, key: str, wrapped: bool) -> None:
    with pytest.raises(Refusal) as caught:
        read({key: bundle(resource) if wrapped else resource})
    assert caught.value.problem is Problem.WRONG_VERSION
    assert version in caught.value.diagnostics


def test_a_tenants_keys_are_mapped_and_joined() -> None:
    table = PrefetchTable.of(NEEDS, HOSPITAL)
    found = read({"labs": bundle(observation()), "more-labs": bundle(observation())}, table).needs["marrow"]
    assert found.state.availability is Availability.PRESENT
    assert len(found.entries) == 2


def test_one_failed_key_of_two_leaves_the_need_unknown() -> None:
    table = PrefetchTable.of(NEEDS, HOSPITAL)
    found = read({"labs": bundle(observation()), "more-labs": outcome("error")}, table).needs["marrow"]
    assert found.state == NeedState(UNKNOWN, "outcome-error")
    assert len(found.entries) == 1


def test_data_are_recognised_under_any_key() -> None:
    found = read({"x": bundle(observation()), "problems": bundle({"resourceType": "Condition"})})
    assert found.needs["marrow"].state.availability is Availability.PRESENT
    assert found.needs["conditions"].state.availability is Availability.PRESENT
    assert found.needs["csf"].state.availability is UNKNOWN
    assert len(found.entries) == 2


def test_partial_data_under_any_key_are_used_but_do_not_make_a_need_known() -> None:
    found = read({"x": bundle(observation(), **NEXT)})
    assert found.needs["marrow"].state == NeedState(UNKNOWN, "not-supplied")
    assert len(found.entries) == 1


def test_the_needs_own_key_outweighs_data_under_another() -> None:
    found = read({"x": bundle(observation()), "marrow": outcome("error")})
    assert found.needs["marrow"].state == NeedState(UNKNOWN, "outcome-error")


def test_local_codes_recognise_too() -> None:
    table = PrefetchTable.of(NEEDS, HOSPITAL, CONCEPTS)
    found = read({"x": bundle(observation(LOCAL))}, table)
    assert found.needs["mrd"].state.availability is Availability.PRESENT


def test_a_need_without_codes_is_not_asked_of_a_server() -> None:
    assert "mrd" not in TABLE.askable
    assert PrefetchTable.of(NEEDS, HOSPITAL, CONCEPTS).askable["mrd"].codes == (LOCAL,)
    assert TABLE.askable["marrow"] is NEEDS[2]


def test_unreadable_entries_are_handed_on() -> None:
    found = read({"marrow": bundle(observation(), BAD), "x": bundle(BAD)})
    assert len(found.unreadables) == 2


def test_templates() -> None:
    assert templates(NEEDS) == {
        "patient": "Patient/{{context.patientId}}",
        "conditions": "Condition?patient={{context.patientId}}&_sort=-recorded-date&_count=5",
        "marrow": "Observation?patient={{context.patientId}}"
        f"&code={quote(MARROW, safe='')}&_sort=-date&_count=5",
        "csf": "Observation?patient={{context.patientId}}"
        "&code=http%3A%2F%2Floinc.org%7C10333-9%2Chttp%3A%2F%2Floinc.org%7C26464-8&_sort=-date&_count=5",
        "procedures": "Procedure?patient={{context.patientId}}&_sort=-date&_count=5",
    }


def test_local_codes_of_every_tenant_are_asked_for() -> None:
    other = Tenant(id="other", codes={"mrd": ("urn:other|M",)})
    found = templates(NEEDS, (HOSPITAL, other), CONCEPTS)
    assert f"code={LOCAL},urn:other|M&" in unquote(found["mrd"])
    assert f"code={MARROW},http://general.example.org/labs|BM&" in unquote(found["marrow"])


def test_a_template_that_would_be_too_long_is_not_narrowed() -> None:
    codes = [f"http://loinc.org|{number}-1" for number in range(100)]
    (template,) = templates([need("markers", "Observation", *codes)]).values()
    assert len(template) < LONGEST_TEMPLATE
    assert "code=" not in template
