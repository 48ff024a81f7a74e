"""The body of a request: one possible reading, and one bad resource costs only itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.http.problem import Problem, Refusal
from cds_service.wire.body import SMALL_BODY, Body, read_body

BASE = (
    '{"hook":"patient-view","hookInstance":"x","context":{"patientId":"p","userId":"u"},'
    '"prefetch":{"patient":{"resourceType":"Patient","id":"p"},"marrow":null}}'
)


def padded(text: str) -> str:
    """The same request, large enough for the single pass: an unknown member is appended."""
    return text[:-1] + ',"padding":"' + "x" * SMALL_BODY + '"}'


SIZES = pytest.mark.parametrize("sized", [str, padded], ids=["small", "large"])


def refusal_of(data: bytes) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read_body(data)
    assert caught.value.problem is Problem.MALFORMED_BODY
    return caught.value


@SIZES
def test_members_and_prefetch_are_read(sized: Any) -> None:
    body = read_body(sized(BASE).encode())
    assert body.envelope == {
        "hook": "patient-view",
        "hookInstance": "x",
        "context": {"patientId": "p", "userId": "u"},
    }
    assert body.prefetch["marrow"] is None
    patient = body.prefetch["patient"]
    assert patient is not None
    assert (patient.resource.resource_type, patient.resource.id) == ("Patient", "p")


@SIZES
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('{"hook":', '{"hook":"other","hook":'),
        ('"context":{', '"context":{"patientId":"q"},"context":{'),
        ('"userId":"u"', '"userId":"u","patientId":"q"'),
        ('"marrow":null', '"marrow":null,"marrow":null'),
        ('"prefetch":{', '"prefetch":{"blood":null},"prefetch":{'),
        ('"context":', '"fhirServer":"https://a","fhirServer":"https://b","context":'),
        (
            '"context":',
            '"fhirAuthorization":{"access_token":"a","access_token":"b"},"context":',
        ),
        ('"userId":"u"', '"userId":{"a":1,"a":2}'),
    ],
    ids=["hook", "context", "patientId", "key", "prefetch", "fhirServer", "token", "nested"],
)
def test_a_member_that_stands_twice_is_refused(sized: Any, old: str, new: str) -> None:
    assert old in BASE
    assert "twice" in refusal_of(sized(BASE.replace(old, new)).encode()).diagnostics


@SIZES
@pytest.mark.parametrize(
    "value",
    ["NaN", "Infinity", "-Infinity", "1e999", "1" * 5000, "[" * 5000 + "]" * 5000, '"\\ud800"', '"\\udc00x"'],
    ids=["nan", "inf", "-inf", "1e999", "digits", "depth", "high surrogate", "low surrogate"],
)
def test_values_that_parsers_read_differently_are_refused(sized: Any, value: str) -> None:
    refusal_of(sized(BASE.replace('"userId":"u"', f'"userId":{value}')).encode())


@SIZES
@pytest.mark.parametrize("place", ["padding", "resource"])
def test_a_depth_bomb_anywhere_is_refused(sized: Any, place: str) -> None:
    bomb = "[" * 100_000
    text = BASE.replace('"id":"p"}', f'"id":"p","x":{bomb}}}') if place == "resource" else f'{{"x":{bomb}'
    assert "deep" in refusal_of(sized(text).encode()).diagnostics


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"   ",
        b"[]",
        b"null",
        b"7",
        b'"text"',
        b"{",
        BASE.encode() + b"x",
        BASE.encode() + b"{}",
        b"\xef\xbb\xbf" + BASE.encode(),
        BASE.encode("utf-16"),
        BASE.encode("utf-32"),
        BASE.replace('"u"', '"\xff"').encode("latin-1"),
        BASE[:-1].encode() + b',"skipped":"\xc0\xaf"}',
        BASE[:-1].encode() + b',"skipped":"\xed\xa0\x80"}',
        padded(BASE)[:-2].encode() + b'\xff"}',
        BASE.replace("null", "nul").encode(),
        BASE.replace('"u"', "'u'").encode(),
        (BASE[:-1] + ",}").encode(),
        b"// comment\n" + BASE.encode(),
    ],
)
def test_anything_but_one_object_in_utf_8_is_refused(data: bytes) -> None:
    refusal_of(data)


@SIZES
def test_text_outside_ascii_is_read(sized: Any) -> None:
    body = read_body(sized(BASE.replace('"userId":"u"', '"userId":"é😀"')).encode())
    assert body.envelope["context"]["userId"] == "é😀"


@SIZES
def test_one_bad_resource_costs_only_itself(sized: Any) -> None:
    entries = [
        {"resource": {"resourceType": "Observation", "id": "good", "status": "final"}},
        {"resource": {"resourceType": "Observation", "id": "bad", "status": 7}},
    ]
    request = json.loads(BASE)
    request["prefetch"] = {
        "marrow": {"resourceType": "Bundle", "entry": entries},
        "blood": "no resource at all",
        "csf": {"resourceType": "Bundle", "entry": []},
    }
    prefetch = read_body(sized(json.dumps(request)).encode()).prefetch
    marrow, blood, csf = prefetch["marrow"], prefetch["blood"], prefetch["csf"]
    assert marrow is not None
    assert blood is not None
    assert csf is not None
    assert [entry.resource.id for entry in marrow.resource.entry or () if entry.resource] == ["good"]
    assert [item.id for item in marrow.unreadable] == ["bad"]
    assert blood.resource.resource_type is None
    assert blood.unreadable
    assert csf.resource.entry == []
    assert not csf.unreadable


@SIZES
def test_resources_are_counted(sized: Any) -> None:
    entry = {"resource": {"resourceType": "Condition"}}
    request = json.loads(BASE)
    request["prefetch"] |= {"conditions": {"resourceType": "Bundle", "entry": [entry] * 5}}
    assert read_body(sized(json.dumps(request)).encode()).resources == 6


@SIZES
def test_a_prefetch_that_is_no_object_is_refused(sized: Any) -> None:
    request = json.loads(BASE)
    request["prefetch"] = []
    assert "prefetch" in refusal_of(sized(json.dumps(request)).encode()).diagnostics


@SIZES
def test_a_null_prefetch_is_none(sized: Any) -> None:
    request = json.loads(BASE)
    request["prefetch"] = None
    assert read_body(sized(json.dumps(request)).encode()).prefetch == {}


def test_both_ways_of_reading_agree() -> None:
    request = json.loads(BASE)
    request["fhirServer"] = "https://ehr.example.org/fhir"
    request["fhirAuthorization"] = {"access_token": "t", "expires_in": 300}
    request["extension"] = {"com.example": {"a": [1, 2, {"b": None}]}}
    text = json.dumps(request)
    small, large = read_body(text.encode()), read_body(padded(text).encode())
    assert isinstance(small, Body)
    assert small.envelope == large.envelope
    assert small.prefetch.keys() == large.prefetch.keys()
