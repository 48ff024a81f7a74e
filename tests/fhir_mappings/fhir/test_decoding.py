"""One typed pass; a bad entry costs itself only, and nothing bad is taken for nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fhir_mappings.fhir.decoding import Malformed, Unreadable, decode
from tests.fhir_mappings.fhir.charts import LOINC, MARROW, condition, observation


def bundle(*resources: Any, **more: Any) -> bytes:
    entries = [{"resource": resource} for resource in resources]
    return json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": entries, **more}).encode()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "truncated"),
        (b"{", "truncated"),
        (b'{"resourceType": }', "malformed"),
        (b"[]", "object"),
        (b"null", "object"),
        (b'"text"', "object"),
        (b"12", "object"),
        (b'{"id": "' + b"x" * 20, "truncated"),
        (b"{}trailing", "malformed"),
        (b'{"id": "\xff"}', "UTF-8"),
        (b'{"a":' * 100_000, "deep"),
    ],
)
def test_what_is_no_object_is_malformed(data: bytes, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        decode(data)


@pytest.mark.parametrize(
    "bad",
    [
        observation(valueRange="78 %"),
        observation(status=7),
        observation(effectiveDateTime=20240603),
        observation(component={"code": {}}),
    ],
)
def test_an_entry_of_wrong_types_costs_itself_only(bad: dict[str, Any]) -> None:
    decoded = decode(bundle(condition(), bad, observation(id="o2")))
    assert [one.resource.id for one in decoded.resource.entry or () if one.resource] == ["c1", "o2"]
    (lost,) = decoded.unreadable
    assert (lost.resource_type, lost.id) == ("Observation", "o1")


def test_what_can_still_be_said_of_it_is_kept() -> None:
    decoded = decode(bundle(observation(valueRatio=[1, 2])))
    assert decoded.unreadable == (Unreadable("Observation", "o1", (f"{LOINC}|{MARROW}",)),)


@pytest.mark.parametrize("entry", [5, "text", [], {"resource": 5}, {"resource": "x"}, {"resource": []}])
def test_an_entry_that_is_none_is_counted_as_lost(entry: Any) -> None:
    made = json.loads(bundle(condition()))
    made["entry"].append(entry)
    decoded = decode(json.dumps(made).encode())
    assert len(decoded.resource.entry or ()) == 1
    assert len(decoded.unreadable) == 1


def test_a_single_resource_of_wrong_types_is_lost_and_named() -> None:
    decoded = decode(json.dumps(condition(subject=5)).encode())
    assert decoded.resource.resource_type is None
    (lost,) = decoded.unreadable
    assert (lost.resource_type, lost.id) == ("Condition", "c1")


def test_a_next_link_of_an_odd_shape_does_not_read_as_the_last_page() -> None:
    decoded = decode(bundle(observation(status=7), link=[{"relation": ["next"], "url": 5}]))
    assert [link.relation for link in decoded.resource.link or ()] == ["next"]


def test_a_bundle_within_a_bundle_loses_its_bad_entry_only() -> None:
    inner = json.loads(bundle(observation(status=7), observation(id="o2")))
    decoded = decode(bundle(inner))
    assert len(decoded.unreadable) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"note": "a text"},
        {"note": [5]},
        {"meta": 5},
        {"interpretation": 7},
        {"extension": "x"},
        {"code": "11150-0"},
        {"valueQuantity": "78 %"},
    ],
)
def test_elements_that_are_read_later_spoil_nothing_here(change: dict[str, Any]) -> None:
    decoded = decode(bundle({**observation(), **change}))
    assert not decoded.unreadable


def test_types_and_elements_never_heard_of_are_passed_over() -> None:
    decoded = decode(bundle({"resourceType": "Sandwich", "id": "s", "layers": [[{"x": None}]]}))
    assert not decoded.unreadable
