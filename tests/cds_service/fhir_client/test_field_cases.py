"""How FHIR servers really answer, cases 1 to 15 by number: addresses, paging, faults, versions, refusals.

Each test speaks over a real socket to a server that behaves as the case says.
"""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from fhir_mappings.assessment import NeedState
from tests.faults.field_cases import (
    CONDITION,
    CONDITIONS,
    EMPTY,
    MARROW,
    OBSERVATIONS,
    PRESENT,
    fetch,
    ids,
    json_answer,
    unknown,
)
from tests.faults.little_fhir import BASE, NEEDS, LittleFhir, SmallNeed, bundle, record
from tests.faults.wire import Answer, Asked


def test_case_01_a_typed_patient_reference_is_sent_where_configured() -> None:
    def typed_only(asked: Asked) -> Answer:
        found = "patient=Patient%2Fp1" in asked.target
        return json_answer(bundle(OBSERVATIONS[:1] if found else [], None))

    (fetched,), _ = fetch(typed_only, MARROW, habits="medplum")
    assert fetched.state == PRESENT
    (bare,), asked = fetch(typed_only, MARROW)
    assert bare.state == EMPTY
    assert len(asked) == 1


@pytest.mark.parametrize("link", ["/fhir/Observation?x=2", "/Observation?x=2", "/fhir?_getpages=x", "?x=2"])
def test_case_02_next_links_in_every_relative_form(link: str) -> None:
    def respond(asked: Asked) -> Answer:
        if "_count" in asked.target:
            return json_answer(bundle(OBSERVATIONS[:1], 2, [{"relation": "next", "url": link}]))
        return json_answer(bundle(OBSERVATIONS[1:2], 2))

    (fetched,), asked = fetch(respond, MARROW)
    assert (fetched.state, ids(fetched)) == (PRESENT, ["p1-o0", "p1-o1"])
    assert len(asked) == 2


@pytest.mark.parametrize("link", ["https://127.0.0.1/fhir?x", "http://localhost:8080/fhir?x"])
def test_case_03_a_link_to_another_origin_makes_the_need_incomplete(link: str) -> None:
    page = bundle(OBSERVATIONS[:1], None, [{"relation": "next", "url": link}])
    (fetched,), asked = fetch(lambda _: json_answer(page), MARROW)
    assert (fetched.state, len(asked)) == (unknown("paging-blocked"), 1)


def test_case_04_foreign_resources_are_handed_on_so_that_attribution_can_refuse_them() -> None:
    def respond(asked: Asked) -> Answer:
        if "patient=" in asked.target:
            page = bundle(OBSERVATIONS[:1], None, [{"relation": "next", "url": "Observation?_page=2"}])
            return json_answer(page)
        return json_answer(bundle([record("p2")[2]], None))

    (fetched,), _ = fetch(respond, MARROW)
    assert ids(fetched) == ["p1-o0", "p2-o0"]


@pytest.mark.parametrize("own", [True, False], ids=["loop", "phantom-and-empty-pages"])
def test_case_05_loops_and_phantom_pages_end_incomplete(own: bool) -> None:
    number = iter(range(100))

    def respond(asked: Asked) -> Answer:
        url = asked.target if own else f"?phantom={next(number)}"
        return json_answer(bundle([], None, [{"relation": "next", "url": url}]))

    (fetched,), asked = fetch(respond, MARROW)
    assert fetched.state == unknown("truncated")
    assert len(asked) <= 20


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (bundle(OBSERVATIONS[:2], 7), unknown("truncated")),
        (bundle(OBSERVATIONS[:2], None, [{"relation": "self", "url": "x?_count=2"}]), unknown("truncated")),
        (bundle(OBSERVATIONS[:1], None, [{"relation": "self", "url": "x?_count=2"}]), PRESENT),
        (bundle(OBSERVATIONS[:1], None, [{"relation": "self", "url": "x?_count=\u00b2"}]), PRESENT),
        (bundle(OBSERVATIONS[:2], 2, [{"relation": "self", "url": "x?_count=2"}]), PRESENT),
    ],
    ids=[
        "fewer-than-total",
        "full-page-without-next",
        "room-on-the-page",
        "odd-count",
        "full-and-total-agrees",
    ],
)
def test_case_06_a_missing_next_link_is_noticed(page: dict[str, Any], expected: NeedState) -> None:
    (fetched,), _ = fetch(lambda _: json_answer(page), MARROW)
    assert fetched.state == expected


@pytest.mark.parametrize(
    ("counted", "expected"),
    [
        (bundle([], 2), PRESENT),
        (bundle([], 3), unknown("truncated")),
        (bundle([], None), unknown("truncated")),
        (bundle(OBSERVATIONS[:2], 2), unknown("truncated")),
        ({"resourceType": "OperationOutcome"}, unknown("truncated")),
    ],
)
def test_case_06_a_full_page_is_counted_by_the_server(counted: dict[str, Any], expected: NeedState) -> None:
    need = SmallNeed("marrow", "Observation", MARROW.codes, count=2)
    full = bundle(OBSERVATIONS[:2], None)
    (fetched,), asked = fetch(lambda a: json_answer(counted if "_summary=count" in a.target else full), need)
    assert (fetched.state, len(asked)) == (expected, 2)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(404, "not-found"), (410, "not-found"), (500, "server-error"), (401, "unauthorised")],
)
def test_case_07_a_failing_second_page_makes_the_need_incomplete(status: int, reason: str) -> None:
    little = LittleFhir()
    (fetched,), _ = fetch(lambda a: Answer(status) if "_page" in a.target else little(a), MARROW)
    assert fetched.state == unknown(reason)
    assert len(fetched.entries) == 3


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"resourceType": "Bundle", "type": "searchset"}, EMPTY),
        ({"resourceType": "Bundle", "type": "searchset", "total": 0}, EMPTY),
        ({"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": []}, EMPTY),
        ({**bundle(OBSERVATIONS[:2], 1)}, PRESENT),
        ({**bundle(OBSERVATIONS[:2], None)}, PRESENT),
        ({**bundle(OBSERVATIONS[:2], None), "total": "many"}, PRESENT),
    ],
)
def test_case_08_total_and_entry_may_be_absent_or_odd(content: dict[str, Any], expected: NeedState) -> None:
    (fetched,), _ = fetch(lambda _: json_answer(content), MARROW)
    assert fetched.state == expected


def test_case_08_an_estimate_before_the_last_page_is_no_fault() -> None:
    def respond(asked: Asked) -> Answer:
        if "_count" in asked.target:
            return json_answer(bundle(OBSERVATIONS[:1], 40, [{"relation": "next", "url": "?x=2"}]))
        return json_answer(bundle(OBSERVATIONS[1:2], 2))

    (fetched,), _ = fetch(respond, MARROW)
    assert fetched.state == PRESENT


def test_case_09_a_clamped_page_size_is_paged_through() -> None:
    (fetched,), asked = fetch(LittleFhir(page_size=1), MARROW)
    assert (len(fetched.entries), len(asked)) == (7, 7)


@pytest.mark.parametrize("status", [400, 422])
def test_case_09_a_refused_page_size_is_left_out_once_and_for_all(status: int) -> None:
    little = LittleFhir(page_size=100)

    def respond(asked: Asked) -> Answer:
        return json_answer({"detail": "x"}, status) if "_count" in asked.target else little(asked)

    (fetched,), asked = fetch(respond, MARROW, readings=2)
    assert len(fetched.entries) == 7
    assert ["_count" in each.target for each in asked] == [True, False, False]


@pytest.mark.parametrize(
    ("headers", "tries"),
    [
        ({"Retry-After": "0"}, 2),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 2),
        ({"x-ms-retry-after-ms": "20"}, 2),
        ({"Retry-After": "30"}, 1),
        ({"Retry-After": "Fri, 21 Oct 2095 07:28:00 GMT"}, 1),
        ({"Retry-After": "soon"}, 1),
        ({}, 1),
    ],
)
def test_case_10_throttling_is_waited_for_where_it_fits(headers: dict[str, str], tries: int) -> None:
    little, seen = LittleFhir(page_size=100), [0]

    def respond(asked: Asked) -> Answer:
        seen[0] += 1
        return Answer(429, headers=headers) if seen[0] == 1 else little(asked)

    (fetched,), asked = fetch(respond, MARROW)
    assert len(asked) == tries
    assert fetched.state == (PRESENT if tries == 2 else unknown("server-error"))


@pytest.mark.parametrize("status", [502, 503, 504])
def test_case_11_a_passing_gateway_fault_is_tried_again_once(status: int) -> None:
    little, seen = LittleFhir(page_size=100), [0]

    def respond(asked: Asked) -> Answer:
        seen[0] += 1
        return Answer(status) if seen[0] == 1 else little(asked)

    (fetched,), asked = fetch(respond, MARROW)
    assert (fetched.state, len(asked)) == (PRESENT, 2)
    (never,), tries = fetch(lambda _: Answer(status), MARROW)
    assert (never.state, len(tries)) == (unknown("server-error"), 2)


TRUE = json.dumps(bundle(OBSERVATIONS[:1], 1)).encode()


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (TRUE, {"Content-Type": "application/json+fhir"}, PRESENT),
        (TRUE, {"Content-Type": "application/json; charset=UTF-8"}, PRESENT),
        (TRUE, {"Content-Type": "application/fhir+json; fhirVersion=4.0"}, PRESENT),
        (TRUE, {}, PRESENT),
        (b"\xef\xbb\xbf" + TRUE, {"Content-Type": "application/fhir+json"}, PRESENT),
        (gzip.compress(TRUE, mtime=0), {"Content-Encoding": "gzip"}, PRESENT),
        (
            gzip.compress(TRUE[:50], mtime=0) + gzip.compress(TRUE[50:], mtime=0),
            {"Content-Encoding": "gzip"},
            PRESENT,
        ),
        (TRUE, {"Content-Encoding": "identity"}, PRESENT),
        (TRUE, {"Content-Encoding": "br"}, unknown("malformed")),
        (b"<html>Sign in</html>", {"Content-Type": "text/html"}, unknown("not-fhir")),
        (b'{"resourceType":"OperationOutcome","issue":[]}', {}, unknown("outcome-error")),
        (b'{"detail":"Not found."}', {}, unknown("not-fhir")),
        (b'{"resourceType":"Basic"}', {}, unknown("not-fhir")),
        (b"[]", {}, unknown("malformed")),
        (b"", {}, unknown("not-fhir")),
        (TRUE.decode().encode("utf-16"), {}, unknown("malformed")),
        (TRUE[:-3], {}, unknown("malformed")),
    ],
)
def test_case_12_media_types_codings_and_bodies(
    body: bytes, headers: dict[str, str], expected: NeedState
) -> None:
    (fetched,), _ = fetch(lambda _: Answer(200, body, headers), MARROW)
    assert fetched.state == expected


def test_case_13_a_merged_patients_redirect_is_not_followed() -> None:
    moved = Answer(301, headers={"Location": f"{BASE}/Patient/p9"})
    (fetched,), asked = fetch(lambda _: moved, NEEDS[0])
    assert (fetched.state, len(asked)) == (unknown("refused"), 1)


def test_case_13_another_patients_id_is_handed_on_so_that_attribution_can_refuse_it() -> None:
    (fetched,), _ = fetch(lambda _: json_answer({"resourceType": "Patient", "id": "p9"}), NEEDS[0])
    assert ids(fetched) == ["p9"]


@pytest.mark.parametrize(
    "old",
    [
        {"clinicalStatus": "active", "verificationStatus": "confirmed"},
        {"subject": None, "patient": {"reference": "Patient/p1"}},
    ],
    ids=["STU3", "DSTU2"],
)
def test_case_14_older_versions_are_recognised_by_shape(old: dict[str, Any]) -> None:
    shaped = {key: value for key, value in {**CONDITION, **old}.items() if value is not None}
    (fetched,), _ = fetch(lambda _: json_answer(bundle([shaped], 1)), CONDITIONS)
    assert fetched.state == unknown("wrong-version")


def test_case_14_older_versions_are_recognised_by_media_type() -> None:
    headers = {"Content-Type": "application/fhir+json; fhirVersion=3.0"}
    (fetched,), _ = fetch(lambda _: Answer(200, TRUE, headers), MARROW)
    assert fetched.state == unknown("wrong-version")


@pytest.mark.parametrize(("status", "reason"), [(401, "unauthorised"), (403, "forbidden")])
def test_case_15_a_refused_type_is_not_an_empty_one(status: int, reason: str) -> None:
    little = LittleFhir(page_size=100)

    def respond(asked: Asked) -> Answer:
        return Answer(status) if "/Condition" in asked.target else little(asked)

    (conditions, marrow), _ = fetch(respond, CONDITIONS, MARROW)
    assert (conditions.state, marrow.state) == (unknown(reason), PRESENT)
