"""Results, dates, versions and owners as laboratories and servers write them: each row is one chart."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from fhir_mappings.assess import ForeignResource, Subject, load_knowledge, read_facts
from fhir_mappings.fhir.decoding import decode
from fhir_mappings.fhir.elements import Entry
from tests.fhir_mappings.field_chart import (
    B_ALL,
    FIRST_MARROW,
    LOINC,
    PATIENT,
    REMISSION,
    SNOMED,
    SUBJECT,
    Json,
    assessed,
    assessed_entries,
    coded,
    condition,
    observation,
    percent,
    sections,
)

CM, GM = "http://hl7.org/fhir/sid/icd-10-cm", "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
SICHERHEIT = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"


DONOR = {"resourceType": "Specimen", "id": "s1", "type": {"text": "Bone marrow aspirate"}}
DONOR_NOTE = [{"text": "Donor marrow, sibling"}]


def report(*contained: Json, **elements: Any) -> Json:
    made: Json = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "subject": SUBJECT,
        "code": {"text": "Haematology"},
        "effectiveDateTime": "2023-11-15",
        "contained": list(contained),
    }
    return made | elements


@pytest.mark.parametrize(
    ("resources", "status"),
    [
        ([report(observation(id="o1", subject=None, effectiveDateTime=None))], "relapse"),
        ([report(observation(id="o1"), status="entered-in-error")], "none"),
        ([report(observation(id="o1", status="entered-in-error"))], "none"),
        (
            [report(observation(id="o1", effectiveDateTime="2021-02-01"), effectiveDateTime="2023-11-15")],
            "none",
        ),
        (
            [report(observation(id="o1"), DONOR | {"note": DONOR_NOTE}, specimen=[{"reference": "#s1"}])],
            "none",
        ),
        ([observation(contained=[DONOR | {"note": DONOR_NOTE}], specimen={"reference": "#s1"})], "none"),
        ([observation(contained=[DONOR], specimen={"reference": "#s1"})], "relapse"),
        (
            [
                observation(
                    contained=[DONOR | {"subject": {"reference": "Patient/sibling"}}],
                    specimen={"reference": "#s1"},
                )
            ],
            "none",
        ),
        (
            [
                observation(
                    contained=[DONOR | {"type": {"text": "Peripheral blood"}}], specimen={"reference": "#s1"}
                )
            ],
            "suspect",
        ),
        (
            [
                observation(),
                DONOR | {"id": "d", "note": DONOR_NOTE, "subject": SUBJECT},
                report(result=[{"reference": "Observation/x"}], specimen=[{"reference": "Specimen/d"}]),
            ],
            "none",
        ),
        ([observation(specimen={"display": "Marrow, day 100 after donor transplant"})], "relapse"),
    ],
)
def test_contained_resources_are_read_as_if_they_stood_alone(resources: list[Json], status: str) -> None:
    assert assessed(*resources).status.value == status


def test_a_contained_result_of_another_patient_refuses_the_chart() -> None:
    with pytest.raises(ForeignResource):
        assessed(report(observation(id="o1", subject={"reference": "Patient/other"})))


@pytest.mark.parametrize(
    "dated",
    [
        {"effectiveTiming": {"event": ["2023-11-15"]}},
        {"effectiveTiming": {"event": ["2023-11-15T08:00:00+01:00"]}},
        {"effectiveTiming": {"repeat": {"boundsPeriod": {"start": "2023-11-15", "end": "2023-11-15"}}}},
        {"effectivePeriod": {"start": "2023-11-15"}},
        {"effectiveInstant": "2023-11-15T08:00:00Z"},
        {
            "contained": [DONOR | {"collection": {"collectedPeriod": {"start": "2023-11-15"}}}],
            "specimen": {"reference": "#s1"},
        },
        {
            "contained": [DONOR | {"collection": {"collectedDateTime": "2023-11-15"}}],
            "specimen": {"reference": "#s1"},
        },
    ],
)
def test_every_way_to_date_a_sample(dated: Json) -> None:
    found = assessed(observation(effectiveDateTime=None, **dated))
    assert found.status.value == "relapse"
    assert found.event is not None
    assert found.event.text == "2023-11-15"


def meta(updated: str = "", version: str = "") -> Json:
    return {"meta": {"lastUpdated": updated} if updated else {"versionId": version}}


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (meta("2023-11-15T23:30:00-05:00"), meta("2023-11-16T05:00:00Z")),
        (meta("2023-11-16T01:30:00+02:00"), meta("2023-11-15T23:45:00Z")),
        (meta("2023-11-15T10:00:00.10Z"), meta("2023-11-15T10:00:00.9Z")),
        (meta("2023-11-15T10:00:00Z"), meta("2023-11-15T10:00:00.001Z")),
        (meta(version="9"), meta(version="10")),
        ({}, meta(version="1")),
    ],
)
@pytest.mark.parametrize(
    "change",
    [{"status": "entered-in-error"}, {"valueQuantity": percent(1)}, {"code": coded(LOINC, "2951-2")}],
)
def test_the_newest_version_alone_speaks(older: Json, newer: Json, change: Json) -> None:
    high, mended = observation() | older, observation() | change | newer
    for chart in ((high, mended), (mended, high)):
        assert assessed(*chart).status.value == "none"
    back = (observation() | change | older, observation() | newer)
    assert assessed(*back).status.value == "relapse"


def test_a_diagnosis_whose_newest_version_is_another_is_gone() -> None:
    mended = condition({"text": "Anaemia"}) | meta(version="2")
    found = assessed(observation(), B_ALL | meta(version="1"), diagnosis=mended)
    assert (found.status.value, sections(found)) == ("none", ["DATA"])


DELETION = {"request": {"method": "DELETE", "url": "Observation/x"}}


@pytest.mark.parametrize(
    ("entries", "status"),
    [
        (
            [DELETION | {"response": {"lastModified": "2023-11-17T00:00:00Z"}}, {"resource": observation()}],
            "none",
        ),
        ([{"resource": observation() | meta("2023-11-18T00:00:00Z")}, DELETION], "relapse"),
        (
            [
                {"resource": observation() | meta("2023-11-18T00:00:00Z")},
                DELETION | {"response": {"lastModified": "2023-11-17T23:00:00-05:00"}},
            ],
            "none",
        ),
        (
            [
                {"fullUrl": "http://h.example.org/fhir/Observation/x", "request": {"method": "delete"}},
                {"resource": observation()},
            ],
            "none",
        ),
    ],
)
def test_what_a_history_deleted_is_gone(entries: list[Json], status: str) -> None:
    history: Json = {"resourceType": "Bundle", "type": "history", "entry": entries}
    assert assessed(history).status.value == status
    loose = copy.deepcopy(history)
    loose["entry"].append({"resource": {"resourceType": "Observation", "id": 7}})
    assert assessed(loose).status.value in (
        status,
        "not-evaluable",
        "relapse" if status == "relapse" else status,
    )


def test_a_copy_under_another_id_is_one_sample() -> None:
    forty = observation(valueQuantity=percent(40))
    once, twice = assessed(forty), assessed(forty, forty | {"id": "y"})
    assert [type(one.verdict) for one in once.criteria] == [type(one.verdict) for one in twice.criteria]


BASE = "https://h.example.org/fhir/"


@pytest.mark.parametrize(
    ("subject", "place", "foreign"),
    [
        ("https://other.example.org/fhir/Patient/n1", BASE, True),
        (f"{BASE}Patient/n1", BASE, False),
        ("Patient/n1", BASE, False),
        ("Patient/n1", "https://other.example.org/fhir/", True),
        (f"{BASE}Patient/n1", "https://other.example.org/fhir/", False),
    ],
)
def test_the_patients_own_entry_names_the_base_of_a_file(subject: str, place: str, foreign: bool) -> None:
    chart = [
        (f"{BASE}{one['resourceType']}/{one['id']}", one) for one in (PATIENT, B_ALL, REMISSION, FIRST_MARROW)
    ]
    entries = [*chart, (f"{place}Observation/x", observation(subject={"reference": subject}))]
    if foreign:
        with pytest.raises(ForeignResource):
            assessed_entries(entries)
    else:
        assert assessed_entries(entries).status.value == "relapse"


@pytest.mark.parametrize(
    "text",
    [
        "Testicular examination",
        "Physical examination of the testes",
        "Examination of testis",
        "Ultrasound of the scrotum",
        "Testes: physical examination",
        "Hodenuntersuchung",
        "Sonographie der Hoden",
    ],
)
def test_the_testes_were_examined(text: str) -> None:
    exam = observation(
        id="e",
        code={"text": text},
        bodySite=coded(SNOMED, "40689003"),
        valueQuantity=None,
        valueString="Normal size",
    )
    said = _said(assessed(observation(), exam), "EMSCREEN")
    assert not any("test" in words and "none" in words for words in said), said
    assert _said(assessed(observation()), "EMSCREEN") != said


def _said(found: Any, name: str) -> list[str]:
    return [line.words for section in found.sections if section.name == name for line in section.statements]


@pytest.mark.parametrize(
    "stated",
    [
        {
            "component": [
                {"code": {"text": "Assay sensitivity"}, "valueQuantity": {"value": 1e-5, "unit": "{1}"}}
            ]
        },
        {"component": [{"code": {"text": "Nachweisgrenze"}, "valueString": "10^-5"}]},
        {"component": [{"code": {"text": "Limit of detection"}, "valueQuantity": percent(0.001)}]},
        {"note": [{"text": "Sensitivity 10^-5"}]},
        {"valueString": "Not detected (sensitivity 10^-5)"},
        {"valueString": "negative, LOD 0.001 %"},
    ],
)
def test_mrd_not_detected_lies_below_the_stated_sensitivity(stated: Json) -> None:
    mrd = {
        "id": "m",
        "code": {"text": "Minimal residual disease, bone marrow, flow cytometry"},
        "valueQuantity": None,
        "valueString": "Not detected",
    }
    (result,) = _results(observation(**(mrd | stated)))
    assert result.value.text == "0\u20130.001"
    assert result.value.high_open


def _results(resource: Json) -> Any:
    read = Entry(resource=decode(json.dumps(resource).encode()).resource)
    return read_facts([read], Subject("n1"), load_knowledge()).results
