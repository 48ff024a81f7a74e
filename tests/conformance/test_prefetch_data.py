"""What arrives in the prefetch, key by key and in every combination (E), and what is fetched for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.app_state import parts_of
from tests.cds_service.charts import (
    FHIR_SERVER,
    TableReader,
    asthma,
    bundle,
    condition,
    found,
    leukaemia,
    patient,
    request,
    with_server,
)
from tests.conformance.answering import PATIENTS, RELAPSED, request_of, send

Json = dict[str, Any]
AppMaker = Callable[..., Flask]

MISSING = object()
REQUIRED = ("conditions", "marrow", "blood", "csf")


def observation(code: str, number: float, unit: str) -> Json:
    """A result that says nothing of a relapse."""
    return {
        "resourceType": "Observation",
        "id": f"o-{code}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2024-06-01",
        "valueQuantity": {"value": number, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    }


DATA: Mapping[str, Json] = {
    "conditions": leukaemia(),
    "marrow": observation("11150-0", 1, "%"),
    "blood": observation("26446-5", 0, "%"),
    "csf": observation("26465-5", 1, "/uL"),
}


def outcome(severity: str) -> Json:
    issue = {
        "severity": severity,
        "code": "processing",
        "diagnostics": "Resource request returns no results.",
    }
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def next_url(key: str) -> str:
    return f"{FHIR_SERVER}?page=2&of={key}"


STATES: Mapping[str, Callable[[str], Any]] = {
    "resource": lambda key: bundle(DATA[key], total=1),
    "null": lambda _: None,
    "missing": lambda _: MISSING,
    "outcome that warns": lambda _: {**bundle(outcome("warning")), "total": 0},
    "outcome of an error": lambda _: outcome("error"),
    "next link": lambda key: bundle(DATA[key], link=[{"relation": "next", "url": next_url(key)}]),
}
"""What can arrive under a key, in the order of the decision table."""

READ = frozenset({"resource", "next link"})
KNOWN = frozenset({"resource", "null", "outcome that warns"})
COMBINATIONS = list(product(STATES, repeat=len(REQUIRED)))


def prefetch_in(states: tuple[str, ...]) -> Json:
    values = {key: STATES[state](key) for key, state in zip(REQUIRED, states, strict=True)}
    return {"patient": patient(), **{key: value for key, value in values.items() if value is not MISSING}}


def unknown_of(states: tuple[str, ...], fetched: bool) -> set[str]:
    """The keys that stay unknown, by the decision table; and "none" is not believed without any result."""
    failing = {"outcome of an error"} if fetched else STATES.keys() - KNOWN
    unknown = {key for key, state in zip(REQUIRED, states, strict=True) if state in failing}
    if not fetched and holds_leukaemia(states[0], fetched) and not READ.intersection(states[1:]):
        unknown |= set(REQUIRED[1:])
    return unknown


def holds_leukaemia(conditions: str, fetched: bool) -> bool:
    """Whether the Conditions that are seen hold ALL; the server's own are not empty here."""
    return conditions in ("resource", "next link") or (fetched and conditions == "missing")


def named(diagnostics: str) -> set[str]:
    return {part.partition(" (")[0] for part in diagnostics.removeprefix("not seen: ").split(", ")}


def check(response: Any, states: tuple[str, ...], *, fetched: bool) -> None:
    unknown = unknown_of(states, fetched)
    conditions = states[0]
    if "conditions" not in unknown and not holds_leukaemia(conditions, fetched):
        assert (response.status_code, response.json) == (200, {"cards": []}), states
    elif not unknown:
        assert response.status_code == 200, states
    else:
        assert response.status_code == 412, states
        told = named(response.json["issue"][0]["diagnostics"])
        # Without a Condition that is ALL, nothing but the Conditions is needed.
        assert told == (unknown if holds_leukaemia(conditions, fetched) else {"conditions"}), states


@pytest.mark.req("E1")
@pytest.mark.req("E2")
@pytest.mark.req("E3")
@pytest.mark.req("E4")
@pytest.mark.req("E6")
@pytest.mark.req("G3")
@pytest.mark.parametrize("conditions", STATES)
def test_every_combination_without_a_server(client: FlaskClient, conditions: str) -> None:
    for states in COMBINATIONS:
        if states[0] == conditions:
            check(send(client, request(prefetch_in(states))), states, fetched=False)


@pytest.fixture
def with_reader(make_app: AppMaker) -> tuple[FlaskClient, TableReader]:
    reader = TableReader()
    for key in REQUIRED:
        reader.answers[key] = found(bundle(DATA[key]))
        reader.pages[key] = found(bundle())
    return make_app(reader=reader).test_client(), reader


@pytest.mark.req("E1")
@pytest.mark.req("E4")
@pytest.mark.req("E5")
@pytest.mark.req("F1")
@pytest.mark.parametrize("conditions", STATES)
def test_every_combination_with_a_server(
    with_reader: tuple[FlaskClient, TableReader], conditions: str
) -> None:
    client, reader = with_reader
    for states in COMBINATIONS:
        if states[0] != conditions:
            continue
        reader.rounds.clear()
        check(send(client, request(prefetch_in(states), **with_server())), states, fetched=True)
        asked = {name for one in reader.rounds for name in one}
        by_state = dict(zip(REQUIRED, states, strict=True))
        if not holds_leukaemia(conditions, fetched=True) and conditions != "outcome of an error":
            assert not asked & set(REQUIRED[1:]), states
            continue
        for key, state in by_state.items():
            assert (key in asked) is (state == "missing"), states
            assert (next_url(key) in asked) is (state == "next link"), states


@pytest.mark.req("E6")
@pytest.mark.parametrize("key", ["blood", "csf"])
def test_a_finding_is_shown_although_other_data_were_not_seen(service: Flask, key: str) -> None:
    body = request_of(RELAPSED)
    prefetch = {name: value for name, value in body["prefetch"].items() if name != key}
    response = send(service.test_client(), {**body, "prefetch": prefetch})
    assert response.status_code == 200
    assert response.json["cards"][0]["source"]["topic"]["code"] == "allFinding"


@pytest.mark.req("E1")
@pytest.mark.req("H3")
def test_what_may_be_missing_is_said(service: Flask) -> None:
    body = request_of(RELAPSED)
    kept = ("conditions", "marrow", "blood", "csf")
    prefetch = {key: value for key, value in body["prefetch"].items() if key in kept}
    response = send(service.test_client(), {**body, "prefetch": prefetch})
    assert response.status_code == 200
    assert "Not looked at: " in response.json["cards"][0]["detail"]


@pytest.mark.req("E7")
@pytest.mark.parametrize(
    "reference", ["Patient/p1", f"{FHIR_SERVER}/Patient/p1", "Patient/p1/_history/2", "urn:uuid:7"]
)
def test_the_patient_in_every_spelling(client: FlaskClient, reference: str) -> None:
    own = {**asthma(), "subject": {"reference": reference}}
    body = {
        "patient": {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"fullUrl": "urn:uuid:7", "resource": patient()}],
        },
        "conditions": bundle(own),
    }
    assert send(client, request(body, fhirServer=FHIR_SERVER)).json == {"cards": []}


@pytest.mark.req("E7")
@pytest.mark.parametrize(
    "resource",
    [
        asthma("p2"),
        asthma("p12"),
        {**asthma(), "subject": {"reference": "https://elsewhere.example.org/fhir/Patient/p1"}},
        patient("p2"),
        {"resourceType": "Encounter", "id": "e1", "subject": {"reference": "Patient/p2"}},
        {"resourceType": "Immunization", "id": "i1", "patient": {"reference": "Patient/p2"}},
    ],
    ids=["another", "a longer id", "another server", "the Patient", "the encounter", "named patient"],
)
@pytest.mark.parametrize("key", ["conditions", "patient", "anything"])
def test_data_of_another_patient_refuse_the_call(client: FlaskClient, key: str, resource: Json) -> None:
    chart = {"conditions": bundle(asthma()), key: bundle(asthma(), resource)}
    response = send(client, request(chart, fhirServer=FHIR_SERVER))
    assert response.status_code == 412
    assert response.json["issue"][0]["code"] == "conflict"


@pytest.mark.req("E7")
def test_what_was_entered_in_error_counts_for_nothing(client: FlaskClient) -> None:
    wrong = leukaemia()
    wrong["verificationStatus"]["coding"][0]["code"] = "entered-in-error"
    assert send(client, request({"conditions": bundle(wrong)})).json == {"cards": []}


@pytest.mark.req("E7")
@pytest.mark.parametrize("kind", ["searchset", "collection"])
def test_bundles_of_several_kinds_and_resources_without_id_are_read(client: FlaskClient, kind: str) -> None:
    nameless = {key: value for key, value in asthma().items() if key != "id"}
    assert send(client, request({"conditions": bundle(nameless, type=kind)})).json == {"cards": []}


@pytest.mark.req("E8")
@pytest.mark.parametrize(
    ("old", "version"),
    [
        ({**condition("1", "x"), "clinicalStatus": "active"}, "STU3"),
        ({"resourceType": "Condition", "id": "c", "patient": {"reference": "Patient/p1"}}, "DSTU2"),
    ],
)
def test_data_of_another_fhir_version_are_named(client: FlaskClient, old: Json, version: str) -> None:
    response = send(client, request({"conditions": bundle(old)}))
    assert response.status_code == 412
    assert response.json["issue"][0]["code"] == "not-supported"
    assert version in response.json["issue"][0]["diagnostics"]


@pytest.mark.req("F1")
@pytest.mark.parametrize("person", PATIENTS, ids=lambda one: one.id)
def test_prefetch_and_fetching_show_the_same_cards(make_app: AppMaker, person: Any) -> None:
    body = request_of(person)
    reader = TableReader()
    reader.answers.update({key: found(value) for key, value in body["prefetch"].items()})
    app = make_app(reader=reader)
    client = app.test_client()
    more = {**with_server(), "context": body["context"]}
    empty = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    whole = {need.key: empty for need in parts_of(app).knowledge.needs if need.key != "patient"}
    prefetched = send(client, {**body, **more, "prefetch": {**whole, **body["prefetch"]}})
    fetched = send(client, request(None, **more))
    assert prefetched.status_code == 200
    assert fetched.data == prefetched.data
