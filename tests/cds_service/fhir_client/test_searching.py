"""What answers mean; above all that no odd answer means "no data"."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir_client.queries import Search
from cds_service.fhir_client.searching import interpret, read_answer, status_reason
from cds_service.fhir_client.transport import Failed, Reply
from fhir_mappings.fhir.bundles import NeedData
from tests.faults.little_fhir import LOINC, bundle, record

MARROW = Search("marrow", "Observation", "patient", (f"{LOINC}|11150-7",), "-date", 100, "p1")
PATIENT = Search("patient", "Patient", "_id", (), "", 0, "p1")
OBSERVATION = record("p1")[2]

REASONS = {
    "refused", "unauthorised", "forbidden", "not-found", "server-error", "timed-out", "truncated",
    "paging-blocked", "too-large", "malformed", "not-fhir", "wrong-version", "outcome-error",
    "breaker-open", "unreadable", "wrong-type",
}  # fmt: skip

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "resourceType",
                    "type",
                    "entry",
                    "resource",
                    "link",
                    "relation",
                    "url",
                    "total",
                    "search",
                    "mode",
                ]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def page_of(content: Any, search: Search = MARROW) -> NeedData:
    return read_answer(json.dumps(content).encode(), search)


@given(st.binary(max_size=200))
def test_no_bytes_at_all_are_taken_for_no_data(body: bytes) -> None:
    page = read_answer(body, MARROW)
    assert page.reason in REASONS or b"Bundle" in body


@given(anything)
def test_no_json_but_a_searchset_is_taken_for_no_data(content: Any) -> None:
    page = page_of(content)
    if not (isinstance(content, dict) and content.get("resourceType") == "Bundle"):
        assert page.reason in REASONS


@given(st.dictionaries(st.sampled_from(["entry", "link", "total", "type", "id", "meta"]), anything))
def test_odd_bundles_are_read_or_named(parts: dict[str, Any]) -> None:
    page = page_of({**parts, "resourceType": "Bundle"})
    assert page.reason == "" or page.reason in REASONS


@given(anything)
def test_one_odd_entry_costs_itself_only(odd: Any) -> None:
    content = bundle([OBSERVATION], None)
    content["entry"].append({"resource": odd})
    page = page_of(content)
    assert page.entries[0].resource is not None
    assert page.entries[0].resource.id == OBSERVATION["id"]


@given(anything)
def test_a_next_link_is_never_lost(url: Any) -> None:
    page = page_of(bundle([OBSERVATION], None, [{"relation": "next", "url": url}]))
    assert page.next_url is not None


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"resource": {"resourceType": "FooBar", "id": "x"}}, "wrong-type"),
        ({"fullUrl": "urn:uuid:1"}, "unreadable"),
        ({"resource": None}, "unreadable"),
        ({}, "unreadable"),
        ({"resource": {"resourceType": "Observation", "code": {"text": "x"}}}, ""),
    ],
)
def test_case_27_strange_entries_are_named_and_the_others_read(entry: dict[str, Any], reason: str) -> None:
    content = bundle([OBSERVATION], None)
    content["entry"].append(entry)
    page = page_of(content)
    assert (page.reason, page.entries[0].resource.id if page.entries[0].resource else "") == (reason, "p1-o0")


@pytest.mark.parametrize("kind", ["history", "batch-response", "transaction-response", "document"])
def test_another_kind_of_bundle_is_no_answer_to_a_search(kind: str) -> None:
    assert page_of({**bundle([OBSERVATION], 1), "type": kind}).reason == "not-fhir"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"resourceType": "Patient", "id": "p1"}, ""),
        (bundle([], 0), ""),
        ({"resourceType": "OperationOutcome"}, "outcome-error"),
        ({"resourceType": "Observation", "id": "o"}, "not-fhir"),
        ({"resourceType": "Patient", "id": "p1", "birthDate": 7}, "unreadable"),
    ],
)
def test_a_read_of_the_patient(content: dict[str, Any], reason: str) -> None:
    assert page_of(content, PATIENT).reason == reason


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (201, "server-error"), (204, "not-fhir"), (206, "server-error"), (304, "refused"), (307, "refused"),
        (400, "server-error"), (401, "unauthorised"), (403, "forbidden"), (404, "not-found"),
        (410, "not-found"), (413, "too-large"), (429, "server-error"), (500, "server-error"),
        (599, "server-error"),
    ],
)  # fmt: skip
def test_the_reason_of_a_status(status: int, reason: str) -> None:
    assert status_reason(status) == reason
    assert interpret(Reply(status, {}, b""), MARROW).reason == reason


def test_the_reason_of_a_failure_is_kept() -> None:
    assert interpret(Failed("timed-out"), MARROW).reason == "timed-out"
