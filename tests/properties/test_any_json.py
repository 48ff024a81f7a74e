"""Invariant 8: any JSON at all gets a valid CDS Hooks response or a clean 4xx OperationOutcome."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracle.cds_response import assert_conformant
from tests.properties.charts import PATIENT, charts

CALL = "/cds-services/all-relapse"
tried = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

_names = st.sampled_from(
    ["resourceType", "id", "code", "coding", "system", "status", "subject", "reference", "entry", "resource",
     "valueQuantity", "value", "link", "total", "meta", "extension", "note", "component", "x"]
)  # fmt: skip
_words = st.sampled_from(
    ["", "Bundle", "Observation", "Condition", "Patient", "OperationOutcome", f"Patient/{PATIENT}", "final",
     "11150-0", "http://loinc.org", "2024-06-03", "next", "\u0000", "\ud83d\ude00"]
)  # fmt: skip
_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    _words,
)
anything = st.recursive(
    _leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_names, inner, max_size=5)),
    max_leaves=12,
)
"""Any JSON value, often with names and words that mean something to us."""


def body(prefetch: Any) -> dict[str, Any]:
    return {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": PATIENT},
        "prefetch": prefetch,
    }


def assert_clean(client: FlaskClient, data: bytes) -> None:
    response = client.post(CALL, data=data, content_type="application/json")
    if response.status_code == 200:
        assert_conformant(response.data)
        return
    assert 400 <= response.status_code < 500, response.status_code
    outcome = json.loads(response.data)
    assert outcome["resourceType"] == "OperationOutcome"
    for issue in outcome["issue"]:
        assert issue["severity"] == "error"
        assert issue["code"]


@tried
@given(value=anything)
def test_any_value_as_the_body(client: FlaskClient, value: Any) -> None:
    assert_clean(client, json.dumps(value).encode())


@tried
@given(
    prefetch=st.one_of(anything, st.dictionaries(st.sampled_from(["conditions", "marrow", "x"]), anything))
)
def test_any_value_as_the_prefetch(client: FlaskClient, prefetch: Any) -> None:
    assert_clean(client, json.dumps(body(prefetch)).encode())


@tried
@given(data=st.data(), chart=charts, value=anything)
def test_a_chart_in_which_one_thing_is_anything(
    client: FlaskClient, data: st.DataObject, chart: list[dict[str, Any]], value: Any
) -> None:
    entries = [{"resource": one} for one in chart]
    request = body({"conditions": {"resourceType": "Bundle", "type": "searchset", "entry": entries}})
    place = data.draw(st.sampled_from(places(request)))
    assert_clean(client, json.dumps(replaced(request, place, value)).encode())


@pytest.mark.parametrize("data", [b"", b"{", b"nonsense", b"\xff\xfe", b"[" * 5_000, b'{"hook": NaN}'])
def test_bytes_that_are_no_json(client: FlaskClient, data: bytes) -> None:
    assert client.post(CALL, data=data, content_type="application/json").status_code == 400


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every member and item."""
    found: list[tuple[Any, ...]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found.append((*path, key))
        found.extend(places(inner, (*path, key)))
    return found


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with something else at one place."""
    whole = copy.deepcopy(value)
    inner = whole
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return whole
