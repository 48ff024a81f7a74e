"""One answer, two doors: what a Bundle means does not depend on whether an EHR sent it or we fetched it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from cds_service.evaluation.prefetch import PrefetchTable
from cds_service.wire.body import read_body
from fhir_mappings.assessment import Availability, NeedState
from fhir_mappings.knowledge.needs import Need
from tests.faults.field_cases import EMPTY, PRESENT, fetch, json_answer, unknown
from tests.faults.little_fhir import LOINC, concept

CODES = (f"{LOINC}|11150-7", f"{LOINC}|50724-4")
TYPES = (
    "Condition",
    "Observation",
    "Procedure",
    "MedicationRequest",
    "Specimen",
    "CarePlan",
    "ServiceRequest",
)
SELF = "https://ehr.example.org/fhir/Observation?"


def resource(kind: str, number: int = 1, **more: Any) -> dict[str, Any]:
    """A plain resource of patient p1; an Observation has a code that was asked for."""
    code = concept(CODES[0])
    return {
        "resourceType": kind,
        "id": f"r{number}",
        "subject": {"reference": "Patient/p1"},
        "code": code,
        **more,
    }


def bundle(*resources: Any, mode: str | None = "match", links: Any = (), **more: Any) -> dict[str, Any]:
    search = {"search": {"mode": mode}} if mode else {}
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": list(links),
        "entry": [{"resource": each, **search} for each in resources],
        **more,
    }


def outcome(*issues: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"resourceType": "OperationOutcome"}
    return {**made, "issue": list(issues)} if issues else made


def asked_as(query: str) -> list[dict[str, str]]:
    """A self link with that query."""
    return [{"relation": "self", "url": SELF + query}]


def with_entry(content: dict[str, Any], each: dict[str, Any]) -> dict[str, Any]:
    return {**content, "entry": [*content["entry"], each]}


OBSERVATION = resource("Observation")
FLAGS = (resource("Flag", 2), resource("Flag", 3))
EPIC = {"severity": "warning", "code": "suppressed", "details": {"coding": [{"code": "4119"}]}}
WANTED = quote(",".join(CODES), safe="")
HALF = quote(CODES[0], safe="")

ROWS: dict[str, tuple[Any, NeedState]] = {
    "results": (bundle(OBSERVATION), PRESENT),
    "none": (bundle(), EMPTY),
    "none, and none counted": (bundle(total=0), EMPTY),
    "none, and two counted": (bundle(total=2), unknown("truncated")),
    # notices about the answer
    "withheld": (
        bundle(OBSERVATION, outcome({"severity": "warning", "code": "suppressed"})),
        unknown("outcome-error"),
    ),
    "withheld, nothing else": (
        bundle(outcome({"severity": "warning", "code": "suppressed"})),
        unknown("outcome-error"),
    ),
    "Epic's standing notice": (bundle(OBSERVATION, outcome(EPIC)), PRESENT),
    "an outcome without issues": (bundle(OBSERVATION, outcome()), unknown("outcome-error")),
    "an outcome with an empty list": (
        bundle(OBSERVATION, {**outcome(), "issue": []}),
        unknown("outcome-error"),
    ),
    "an issue without severity": (
        bundle(OBSERVATION, outcome({"code": "informational"})),
        unknown("outcome-error"),
    ),
    "a severity of no version": (
        bundle(OBSERVATION, outcome({"severity": "minor", "code": "informational"})),
        unknown("outcome-error"),
    ),
    "the second issue is an error": (
        bundle(
            OBSERVATION,
            outcome(
                {"severity": "information", "code": "informational"},
                {"severity": "error", "code": "exception"},
            ),
        ),
        unknown("outcome-error"),
    ),
    "too costly": (bundle(outcome({"severity": "warning", "code": "too-costly"})), unknown("outcome-error")),
    "an information": (
        bundle(OBSERVATION, outcome({"severity": "information", "code": "informational"})),
        PRESENT,
    ),
    # results of another type
    "all of another type": (bundle(*FLAGS, total=2), unknown("wrong-type")),
    "all of another type, without mode": (bundle(*FLAGS, mode=None), unknown("wrong-type")),
    "one of another type": (bundle(OBSERVATION, FLAGS[0]), unknown("wrong-type")),
    "one of another type, without mode": (bundle(OBSERVATION, FLAGS[0], mode=None), unknown("wrong-type")),
    "one of an unknown type": (bundle(OBSERVATION, resource("FooBar", 2)), unknown("wrong-type")),
    "a patient among the matches": (
        bundle(OBSERVATION, {"resourceType": "Patient", "id": "p1"}),
        unknown("wrong-type"),
    ),
    "a patient instead": (bundle({"resourceType": "Patient", "id": "p1"}, mode=None), unknown("wrong-type")),
    "a patient beside": (bundle(OBSERVATION, {"resourceType": "Patient", "id": "p1"}, mode=None), PRESENT),
    "an include": (
        with_entry(bundle(OBSERVATION), {"resource": FLAGS[0], "search": {"mode": "include"}}),
        PRESENT,
    ),
    # entries that cannot be looked at
    "an entry without resource": (
        with_entry(bundle(OBSERVATION), {"fullUrl": "urn:uuid:1"}),
        unknown("unreadable"),
    ),
    "an entry that is null": (with_entry(bundle(OBSERVATION), {"resource": None}), unknown("unreadable")),
    "an odd one and an entry without resource": (
        with_entry(bundle(resource("Observation", status=7, code=concept("x|y"))), {}),
        unknown("unreadable"),
    ),
    "an unreadable one": (bundle(OBSERVATION, resource("Observation", 2, status=7)), unknown("unreadable")),
    "history": (bundle(OBSERVATION, type="history"), unknown("not-fhir")),
    "history with an odd resource": (
        bundle({**OBSERVATION, "status": 7}, type="history"),
        unknown("not-fhir"),
    ),
    "a batch's answer": (bundle(OBSERVATION, type="batch-response"), unknown("not-fhir")),
    # the question that was understood
    "the same": (bundle(links=asked_as(f"code={WANTED}&patient=p1")), EMPTY),
    "another order": (bundle(links=asked_as(f"patient=p1&_count=5&code={CODES[1]},{CODES[0]}")), EMPTY),
    "decoded": (bundle(links=asked_as(f"code={','.join(CODES)}&patient=p1")), EMPTY),
    "encoded in lower case": (bundle(links=asked_as(f"code={WANTED.lower()}&patient=p1")), EMPTY),
    "more codes": (bundle(links=asked_as(f"code=x%7Cy,{WANTED}&patient=p1")), EMPTY),
    "more parameters": (bundle(links=asked_as(f"_format=json&code={WANTED}&patient=p1&status=final")), EMPTY),
    "in two parameters": (bundle(links=asked_as(f"code={HALF}&code={CODES[1]}&patient=p1")), EMPTY),
    "without system": (bundle(links=asked_as("code=11150-7,50724-4&patient=p1")), EMPTY),
    "a self link without a query": (bundle(links=[{"relation": "self", "url": SELF[:-1]}]), EMPTY),
    "a page's address": (bundle(links=asked_as("_getpages=77&_bundletype=searchset")), EMPTY),
    "joined slashes": (
        bundle(total=0, links=asked_as("code=http%3A%2Floinc.org%7C50724-4&patient=x")),
        unknown("query-changed"),
    ),
    "no code beside the patient": (bundle(links=asked_as("patient=p1&_count=5")), unknown("query-changed")),
    "no code beside the subject": (bundle(links=asked_as("subject=Patient/p1")), unknown("query-changed")),
    "an empty code": (bundle(links=asked_as("code=&patient=p1")), unknown("query-changed")),
    "half of the codes": (
        bundle(OBSERVATION, links=asked_as(f"code={HALF}&patient=p1")),
        unknown("query-changed"),
    ),
    "a code that was cut": (
        bundle(links=asked_as(f"code={WANTED[:-1]}&patient=p1")),
        unknown("query-changed"),
    ),
    "without pipes": (
        bundle(links=asked_as(f"code={WANTED.replace('%7C', '')}&patient=p1")),
        unknown("query-changed"),
    ),
    "encoded twice": (bundle(links=asked_as(f"code={quote(WANTED)}&patient=p1")), unknown("query-changed")),
    "of no system": (bundle(links=asked_as("code=|11150-7,|50724-4&patient=p1")), unknown("query-changed")),
    "everything was sent": (
        bundle(
            OBSERVATION,
            resource("Observation", 2, code=concept(f"{LOINC}|8302-2")),
            links=asked_as("patient=p1"),
        ),
        PRESENT,
    ),
}


def need(kind: str, codes: tuple[str, ...] = ()) -> Need:
    return Need("x", "x", kind, codes, "patient", "-date", 100, "with-all", kind == "Observation")


def prefetched(content: Any, asked: Need) -> NeedState:
    body = json.dumps({"prefetch": {"x": content}}).encode()
    return PrefetchTable.of([asked]).read(read_body(body).prefetch).needs["x"].state


def fetched(content: Any, asked: Need) -> NeedState:
    (found,), _ = fetch(lambda _: json_answer(content), asked)
    return found.state


@pytest.mark.parametrize(("content", "expected"), ROWS.values(), ids=ROWS)
def test_both_doors_say_the_same(content: Any, expected: NeedState) -> None:
    asked = need("Observation", CODES)
    assert (prefetched(content, asked), fetched(content, asked)) == (expected, expected)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("total", [None, 2])
def test_results_of_another_type_are_no_answer_for_any_type(kind: str, total: int | None) -> None:
    codes = CODES if kind == "Observation" else ()
    counted: dict[str, Any] = {} if total is None else {"total": total}
    for content in (bundle(*FLAGS, **counted), bundle(resource(kind), FLAGS[0], **counted)):
        assert prefetched(content, need(kind, codes)) == unknown("wrong-type")
        assert fetched(content, need(kind, codes)) == unknown("wrong-type")


def test_another_patients_self_link_is_another_question() -> None:
    content = bundle(links=asked_as(f"code={WANTED}&patient=p2"))
    assert fetched(content, need("Observation", CODES)) == unknown("query-changed")
    for form in ("p1", "Patient/p1", "https://ehr.example.org/fhir/Patient/p1", "Patient%2Fp1"):
        content = bundle(links=asked_as(f"code={WANTED}&patient={form}"))
        assert fetched(content, need("Observation", CODES)).availability is Availability.EMPTY
