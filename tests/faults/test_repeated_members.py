"""A member that stands twice anywhere in a resource, and numbers without end: on every way in."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from cds_service.fhir_client.queries import Search
from cds_service.fhir_client.searching import read_answer
from cds_service.wire.body import SMALL_BODY, read_body
from fhir_mappings.fhir.decoding import checked, decode
from fhir_mappings.fhir.repeated_members import has_repeated_member, has_repeated_name

MARROW = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "11150-0"}]},
    "subject": {"reference": "Patient/p1"},
    "effectiveDateTime": "2024-06-01",
    "valueQuantity": {"value": 78, "unit": "%"},
}
TEXT = json.dumps(MARROW)
REPEATED = {
    "the value": TEXT.replace('"value": 78', '"value": 78, "value": 1'),
    "the same value": TEXT.replace('"value": 78', '"value": 78, "value": 78'),
    "an escaped name": TEXT.replace('"value": 78', '"value": 78, "v\\u0061lue": 1'),
    "the quantity": TEXT.replace('"valueQuantity"', '"valueQuantity": {"value": 1}, "valueQuantity"'),
    "the status": TEXT[:-1] + ', "status": "entered-in-error"}',
    "the subject": TEXT.replace('"subject"', '"subject": {"reference": "Patient/p2"}, "subject"'),
    "the reference": TEXT.replace('"Patient/p1"', '"Patient/p2", "reference": "Patient/p1"'),
    "the code": TEXT[:-1] + ', "code": {"text": "x"}}',
    "inside a coding": TEXT.replace('"11150-0"', '"11150-0", "code": "x"'),
    "the type": TEXT[:-1] + ', "resourceType": "Basic"}',
    "the id": TEXT[:-1] + ', "id": "o2"}',
    "where nobody reads": TEXT[:-1] + ', "zzz": [{"a": {"b": 1, "c": 2, "b": 3}}]}',
    "a null beside": TEXT[:-1] + ', "status": null}',
}


def page(*resources: str, more: str = "") -> str:
    entries = ",".join(f'{{"resource": {each}}}' for each in resources)
    return f'{{"resourceType": "Bundle", "type": "searchset", "entry": [{entries}]{more}}}'


@pytest.mark.parametrize("text", REPEATED.values(), ids=REPEATED)
def test_one_resource_is_unreadable_and_the_others_are_read(text: str) -> None:
    other = TEXT.replace('"o1"', '"o3"')
    found = decode(page(text, other).encode())
    assert [entry.resource.id for entry in found.resource.entry or () if entry.resource] == ["o3"]
    assert len(found.unreadable) == 1
    assert found.unreadable[0].codes == ()


@pytest.mark.parametrize("text", REPEATED.values(), ids=REPEATED)
def test_a_fetched_page_with_one_is_not_complete(text: str) -> None:
    search = Search("marrow", "Observation", "patient", ("http://loinc.org|11150-0",), "-date", 100, "p1")
    assert read_answer(page(text).encode(), search).reason == "unreadable"
    assert read_answer(page(TEXT).encode(), search).reason == ""


@pytest.mark.parametrize("text", REPEATED.values(), ids=REPEATED)
@pytest.mark.parametrize("padding", [0, SMALL_BODY])
def test_prefetched_data_of_any_size(text: str, padding: int) -> None:
    supplied = f'{{"marrow": {page(text)}, "x": {page(TEXT)}}}'
    body = f'{{"hook": "patient-view", "prefetch": {supplied}, "pad": "{"x" * padding}"}}'
    found = read_body(body.encode()).prefetch
    marrow, other = found["marrow"], found["x"]
    assert marrow is not None
    assert other is not None
    assert not checked(marrow).resource.entry
    assert len(checked(marrow).unreadable) == 1
    assert checked(other).resource.entry
    assert not checked(other).unreadable


@pytest.mark.parametrize(
    "more", [', "entry": []', ', "type": "searchset"', ', "link": [], "link": []', ', "total": 1, "total": 1']
)
def test_a_repetition_of_the_bundle_spoils_all_of_it(more: str) -> None:
    found = decode(page(TEXT, more=more).encode())
    assert not found.resource.entry
    assert len(found.unreadable) == 1


@pytest.mark.parametrize(
    ("text", "repeated"),
    [
        ('{"a": 1, "b": 1}', False),
        ('{"a": {"a": 1}}', False),
        ('[{"a": 1}, {"a": 1}]', False),
        ('{"a": "\\\\", "b": "\\"", "c": "\\u0022"}', False),
        ('{"a": "\\\\\\"", "a": "x"}', True),
        ('{"a": 1, "a": 1}', True),
        ('{"": 1, "": 2}', True),
        ('{"\\u00e4": 1, "ä": 2}', True),
        ('{"a": 1E999999999, "b": 1}', False),
        ('{"a": 1E999999999, "a": 1}', True),
        ('{"a": ' + "1" * 100_000 + "}", False),
        ('{"a": NaN}', True),
        ('{"a": 1', True),
    ],
)
def test_what_is_a_repetition(text: str, repeated: bool) -> None:
    assert has_repeated_member(text.encode()) is repeated


def test_the_own_members_of_an_object() -> None:
    assert has_repeated_name(b'{"a": 1, "\\u0061": 2}')
    assert not has_repeated_name(b'{"a": {"b": 1, "b": 2}}')
    assert not has_repeated_name(b"[1, 1]")


NUMBERS = (
    "1E+1000000",
    "1E999999999",
    "1E-999999999",
    "-1E+1000000",
    "0E+1000000",
    "9" * 5000,
    "0." + "3" * 100_000,
)
PLACES: dict[str, str] = {
    "quantity": '"valueQuantity": {"value": %s, "unit": "%%"}',
    "range": '"valueRange": {"low": {"value": %s, "unit": "%%"}, "high": {"value": %s, "unit": "%%"}}',
    "ratio": '"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": %s}}',
    "counted": '"valueRatio": {"numerator": {"value": %s}, "denominator": {"value": 100}}',
    "integer": '"valueInteger": %s',
    "text": '"valueString": "%s %%"',
    "nowhere": '"zzz": %s',
}


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:14])
@pytest.mark.parametrize("place", PLACES)
def test_a_number_without_end_costs_nothing(place: str, number: str) -> None:
    assert cost_of(place, number) < 0.5


def cost_of(place: str, number: str) -> float:
    """Seconds of this process for reading and assessing a chart with the number in that place."""
    from fhir_mappings.assess import Subject, as_json, assess, load_knowledge

    knowledge = load_knowledge()
    value = PLACES[place].replace("%s", number).replace("%%", "%")
    text = TEXT.replace('"valueQuantity": {"value": 78, "unit": "%"}', value)
    leukaemia = {
        "resourceType": "Condition",
        "id": "c1",
        "subject": {"reference": "Patient/p1"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "277571004"}]},
        "onsetDateTime": "2021-03-01",
    }
    from datetime import UTC, datetime

    start = time.process_time()
    decoded = decode(page(text, json.dumps(leukaemia)).encode())
    found: Any = assess(
        decoded,
        datetime(2024, 6, 4, tzinfo=UTC),
        knowledge,
        subject=Subject("p1"),
    )
    json.dumps(as_json(found), default=str)
    return time.process_time() - start
