"""Type search: every parameter type, its edges, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

Ask = Callable[..., TestResponse]
Ids = Callable[..., list[str]]

BASE = "http://ehr.test/demo/fhir"
OF_A = {"year", "month", "day", "time", "offset", "period", "open", "undated", "absolute"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("patient=a", OF_A),
        ("patient=Patient/a", OF_A),
        (f"patient={BASE}/Patient/a", OF_A),
        (f"patient={BASE}/Patient/a/_history/7", OF_A),
        ("patient:Patient=a", OF_A),
        ("subject=a", OF_A | {"elsewhere"}),
        ("subject=Patient/a", OF_A),
        ("subject=http://other.test/fhir/Patient/a", {"elsewhere"}),
        ("patient=b", {"other"}),
        ("patient=a,b", OF_A | {"other"}),
        ("patient=Group/a", set()),
        ("patient=nobody", set()),
        ("patient:missing=true", set()),
    ],
)
def test_patient_may_be_written_in_every_way(ids: Ids, query: str, expected: set[str]) -> None:
    assert set(ids(f"/Observation?{query}")) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("code=http://loinc.org|11150-0", {"year", "month", "absolute"}),
        ("code=11150-0", {"year", "month", "absolute", "undated"}),
        ("code=|11150-0", {"undated"}),
        ("code=http://loinc.org|50724-4,http://loinc.org|26464-8", {"day", "time", "offset"}),
        ("code=http://labs.test|", {"period", "open"}),
        ("code=http://labs.test|a\\|b\\,c", {"open"}),
        ("code=http://labs.test|11150-0", set()),
        ("code=X", {"period"}),
        ("code=x", set()),
        ("code:not=http://loinc.org|11150-0", {"day", "time", "offset", "period", "open", "undated"}),
        ("category=laboratory", OF_A),
        ("category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory", OF_A),
        ("category=vital-signs", set()),
        ("status=preliminary", {"offset"}),
        ("status=final,preliminary", OF_A),
        ("_id=day,time", {"day", "time"}),
        ("_id=day&code=50724-4", {"day"}),
        ("_id=day&code=26464-8", set()),
    ],
)
def test_tokens(ids: Ids, query: str, expected: set[str]) -> None:
    assert set(ids("/Observation", query_string=f"patient=a&{query}")) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # eq: the whole of the resource's time lies inside the day, month or year sought
        ("2024-06-03", {"day", "time", "offset"}),
        ("eq2024-06", {"month", "day", "time", "offset"}),
        ("2024", {"year", "month", "day", "time", "offset", "period"}),
        ("2024-06-03T09:30Z", {"time"}),
        ("2024-06-03T09:30:00Z", {"time"}),
        ("2024-06-03T09:30:01Z", set()),
        ("2024-06-03T23:30:00Z", {"offset"}),
        ("2020-02-29", {"absolute"}),
        ("ne2024", {"open", "absolute"}),
        # gt, lt: some part of the resource's time lies beyond, or before, all of the time sought
        ("gt2024-06-03", {"year", "month", "period", "open"}),
        ("gt2024-06", {"year", "period", "open"}),
        ("gt2024", {"open"}),
        ("lt2024-06-03", {"year", "month", "period", "absolute"}),
        ("lt2024", {"absolute"}),
        ("ge2024-06-03", {"year", "month", "day", "time", "offset", "period", "open"}),
        ("ge2024-06-03T10:00:00Z", {"year", "month", "day", "offset", "period", "open"}),
        ("le2024-06-03", {"year", "month", "day", "time", "offset", "period", "absolute"}),
        ("le2020-02-29", {"absolute"}),
        # sa, eb: all of the resource's time lies after, or before
        ("sa2024-06-03", {"open"}),
        ("sa2024-05-31", {"month", "day", "time", "offset", "open"}),
        ("eb2024-06-03", {"absolute"}),
        ("eb2024-06-04", {"day", "time", "offset", "absolute"}),
        ("eb2024-07-01", {"month", "day", "time", "offset", "absolute"}),
        ("eb2024-07-02", {"month", "day", "time", "offset", "period", "absolute"}),
        ("2020,2024-06-03T09:30:00Z", {"absolute", "time"}),
    ],
)
def test_dates_are_compared_as_intervals(ids: Ids, value: str, expected: set[str]) -> None:
    assert set(ids("/Observation", query_string={"patient": "a", "date": value})) == expected


def test_repeated_dates_must_all_hold(ids: Ids) -> None:
    assert ids("/Observation?patient=a&date=ge2024-06-03&date=lt2024-06-04&date=sa2024-06-02") == [
        "day",
        "time",
        "offset",
    ]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/Condition?patient=a&clinical-status=active", ["active"]),
        ("/Condition?patient=a&clinical-status=active,resolved", ["active", "resolved"]),
        ("/Condition?patient=a&onset-date=2021-03", ["active"]),
        ("/Condition?patient=a&onset-date=le2019", ["resolved"]),
        ("/Condition?patient=a&recorded-date=ge2021-03-10", ["active"]),
        ("/Condition?patient=a&recorded-date:missing=true", ["resolved"]),
        ("/MedicationRequest?patient=a&authoredon=ge2024-01-05", ["order"]),
        ("/MedicationRequest?patient=a&authoredon=gt2024-01-05", []),
        ("/MedicationAdministration?patient=a&effective-time=2024-01-05", ["dose"]),
        ("/ResearchSubject?patient=a", ["subject"]),
        ("/ResearchSubject?individual=Patient/a", ["subject"]),
        ("/Patient?family=beisp", ["a"]),
        ("/Patient?name=mar", ["a"]),
        ("/Patient?given:exact=Emil", ["b"]),
        ("/Patient?given:contains=RI", ["a"]),
        ("/Patient?gender=male", ["b"]),
        ("/Patient?active=true", ["a"]),
        ("/Patient?birthdate=lt2013", ["b"]),
        ("/Patient?_lastUpdated=gt2020", ["a", "b"]),
    ],
)
def test_parameters_of_the_other_types(ids: Ids, path: str, expected: list[str]) -> None:
    assert ids(path) == expected


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("date", ["absolute", "year", "period", "month", "day", "time", "offset", "open", "undated"]),
        ("-date", ["open", "offset", "time", "day", "month", "period", "year", "absolute", "undated"]),
        ("-status,_id", ["offset", "absolute", "day", "month", "open", "period", "time", "undated", "year"]),
        ("code,-date", ["month", "year", "absolute", "undated", "offset", "time", "day", "open", "period"]),
    ],
)
def test_sort(ids: Ids, sort: str, expected: list[str]) -> None:
    assert ids(f"/Observation?patient=a&_sort={sort}") == expected


def test_post_search_takes_form_and_address_together(ids: Ids) -> None:
    form = {"code": "http://loinc.org|11150-0", "date": "2024"}
    assert ids("/Observation/_search?patient=a", method="POST", data=form) == ["year", "month"]


def test_a_search_without_hits_has_no_entry_element(ask: Ask) -> None:
    body = ask("/Observation?patient=nobody").get_json()
    assert "entry" not in body
    assert body["total"] == 0


def test_every_entry_says_that_it_matched_and_where_it_is(ask: Ask) -> None:
    entries = ask("/Observation?patient=a").get_json()["entry"]
    assert {entry["search"]["mode"] for entry in entries} == {"match"}
    assert all(entry["fullUrl"] == f"{BASE}/Observation/{entry['resource']['id']}" for entry in entries)


def test_an_unknown_parameter_is_left_out_and_the_self_link_says_so(ask: Ask) -> None:
    body = ask("/Observation?patient=b&colour=red&_sort=shade,-date&_include=Observation:subject").get_json()
    assert body["link"] == [{"relation": "self", "url": f"{BASE}/Observation?patient=b&_sort=-date"}]
    assert body["total"] == 1


@pytest.mark.parametrize("query", ["colour=red", "_sort=shade"])
def test_an_unknown_parameter_is_refused_when_the_client_prefers_so(ask: Ask, query: str) -> None:
    response = ask(f"/Observation?patient=a&{query}", headers={"Prefer": "return=minimal; handling=strict"})
    assert response.status_code == 400
    assert response.get_json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "query",
    [
        "date=ap2024",
        "date=yesterday",
        "date=2024-13",
        "date=2024-02-30",
        "date=",
        "patient=",
        "code=,",
        "code:text=blast",
        "code:in=http://sets.test",
        "date:missing=maybe",
        "patient:Group=a",
        "subject.name=Ada",
        "_has:Condition:patient:code=x",
        "_count=many",
        "_count=-1",
        "_total=about",
        "_format=xml",
    ],
)
def test_what_cannot_be_applied_is_refused_and_not_ignored(ask: Ask, query: str) -> None:
    response = ask(f"/Observation?patient=a&{query}" if "patient" not in query else f"/Observation?{query}")
    assert response.status_code == 400
    assert response.get_json()["issue"][0]["severity"] == "error"


def test_an_unknown_type_is_not_found(ask: Ask) -> None:
    assert ask("/Spaceship?patient=a").status_code == 404


def test_the_address_of_a_search_may_hold_anything(client: FlaskClient, ask: Ask) -> None:
    assert ask("/Observation/a/b/c").status_code == 404
