"""Every word of a written record becomes a resource that R4B accepts, with a code that is known."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from fhir_mappings.records.codes import LOCAL_LABS
from fhir_mappings.records.concepts import CONCEPTS, Shape
from fhir_mappings.records.written_record import (
    PatientHeader,
    RecordError,
    build_bundle,
    build_resources,
    read_table,
    resolve_date,
)

ROOT = Path(__file__).parents[3]
GIRL = PatientHeader("p1", "female", "2018-01-15", "Ada", "Example")
TODAY = date(2026, 11, 20)
STRUCTURAL = (
    "http://terminology.hl7.org/CodeSystem/condition-clinical",
    "http://terminology.hl7.org/CodeSystem/condition-ver-status",
    "http://terminology.hl7.org/CodeSystem/observation-category",
    LOCAL_LABS,
)


def built(table: str, patient: PatientHeader = GIRL) -> list[dict[str, Any]]:
    return build_resources(patient, read_table(table), today=TODAY)


def one(table: str, kind: str) -> dict[str, Any]:
    found = [each for each in built(table) if each["resourceType"] == kind]
    assert len(found) == 1, [each["id"] for each in found]
    return found[0]


def row_for(concept: str) -> str:
    shape = CONCEPTS[concept].shape
    dx = "2020-01-01 | diagnosis ALL |\n" if shape is Shape.LEUKAEMIA_STATE else ""
    value = "5" if shape is Shape.RESULT else ""
    return f"date | concept | value\n{dx}2024-06-03 | {concept} | {value}"


@pytest.mark.parametrize("concept", sorted(CONCEPTS))
def test_every_word_builds_resources_that_r4b_accepts(concept: str) -> None:
    bundle = build_bundle(GIRL, read_table(row_for(concept)), today=TODAY)
    get_fhir_model_class("Bundle").model_validate_json(json.dumps(bundle))
    for entry in bundle["entry"]:
        resource = entry["resource"]
        get_fhir_model_class(resource["resourceType"]).model_validate_json(json.dumps(resource))


def codings(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        if "system" in value and "code" in value:
            yield value["system"], value["code"]
        for each in value.values():
            yield from codings(each)
    elif isinstance(value, list):
        for each in value:
            yield from codings(each)


def known_codes() -> set[tuple[str, str]]:
    folder = ROOT / "fhir_mappings" / "knowledge" / "relapsed_all" / "value_sets"
    known: set[tuple[str, str]] = set()
    for file in folder.glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as lines:
            known |= {(row["system"], row["code"]) for row in csv.DictReader(lines)}
    assert known
    return known


def test_every_code_of_the_records_is_in_a_value_set() -> None:
    known = known_codes()
    used = {pair for concept in CONCEPTS for pair in codings(built(row_for(concept)))}
    unknown = sorted(pair for pair in used if pair[0] not in STRUCTURAL and pair not in known)
    assert unknown == []


def test_ids_are_readable_and_distinct() -> None:
    resources = built(
        """
        date       | concept             | value | unit
        -----------+---------------------+-------+------
        2024-06-03 | marrow lymphoblasts | 78    | %
        2024-06-03 | marrow lymphoblasts | 76    | %
        2024-06-03T09:00 | BCR::ABL1     | absent |
        """
    )
    assert [each["id"] for each in resources] == [
        "p1",
        "marrow-lymphoblasts-2024-06-03",
        "marrow-lymphoblasts-2024-06-03-2",
        "bcr-abl1-2024-06-03t09-00",
        "marrow-specimen-2024-06-03",
    ]


def test_the_same_record_builds_the_same_bundle() -> None:
    table = read_table(row_for("marrow lymphoblasts"))
    assert build_bundle(GIRL, table) == build_bundle(GIRL, table)


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (
            "78",
            "%",
            {"valueQuantity": {"value": 78, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}},
        ),
        ("62", "", {"valueQuantity": {"value": 62}}),
        ("62", "-", {"valueQuantity": {"value": 62}}),
        (">90", "", {"valueQuantity": {"value": 90, "comparator": ">"}}),
        ("<= 5", "", {"valueQuantity": {"value": 5, "comparator": "<="}}),
        ("0.62", "", {"valueQuantity": {"value": 0.62}}),
        ("1e-4", "", {"valueQuantity": {"value": 0.0001}}),
        ("12", "text:cells/uL", {"valueQuantity": {"value": 12, "unit": "cells/uL"}}),
        ("1:10000", "", {"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 10000}}}),
        ("5-10", "", {"valueRange": {"low": {"value": 5}, "high": {"value": 10}}}),
        ("few", "", {"valueString": "few"}),
        ("", "", {}),
    ],
)
def test_values_are_sent_as_a_laboratory_would(value: str, unit: str, expected: dict[str, Any]) -> None:
    resource = one(f"date|concept|value|unit\n2024-06-03|MRD|{value}|{unit}", "Observation")
    assert {key: found for key, found in resource.items() if key.startswith("value")} == expected


def test_answer_words_are_coded() -> None:
    resource = one("date|concept|value\n2024-06-03|MRD|not detected", "Observation")
    assert resource["valueCodeableConcept"]["coding"][0]["code"] == "260415000"


@pytest.mark.parametrize(("word", "percent"), [("present", 60), ("absent", 0), ("12", 12)])
def test_csf_blasts_may_be_written_as_words(word: str, percent: int) -> None:
    resource = one(f"date|concept|value|unit\n2024-06-03|CSF blasts|{word}|%", "Observation")
    assert resource["valueQuantity"] == {
        "value": percent,
        "unit": "%",
        "system": "http://unitsofmeasure.org",
        "code": "%",
    }


def test_a_unit_beside_a_word_is_refused() -> None:
    with pytest.raises(RecordError, match="line 2: the unit '%' stands beside a value that is no number"):
        built("date|concept|value|unit\n2024-06-03|MRD|few|%")


def test_marrow_results_of_one_day_share_a_specimen_unless_another_draw_is_named() -> None:
    resources = built(
        """
        date       | concept             | value | unit | note
        2024-06-03 | marrow lymphoblasts | 78    | %    |
        2024-06-03 | MRD                 | 0.02  | %    |
        2024-06-03 | CD19 on blasts      | 98    | %    | specimen=second draw
        2024-06-04 | marrow blasts       | 78    | %    |
        2024-06-04 | blood WBC           | 3     | 10*9/L |
        """
    )
    drawn = [each["specimen"]["reference"] for each in resources if "specimen" in each]
    assert drawn == [
        "Specimen/marrow-specimen-2024-06-03",
        "Specimen/marrow-specimen-2024-06-03",
        "Specimen/marrow-specimen-2024-06-03-second-draw",
        "Specimen/marrow-specimen-2024-06-04",
        "Specimen/blood-specimen-2024-06-04",
    ]


def test_a_donor_marrow_is_the_patients_result_on_another_persons_specimen() -> None:
    resources = built("date|concept|value|unit\n2024-06-03|donor marrow lymphoblasts|70|%")
    result, specimen = resources[1], resources[2]
    assert result["subject"] == {"reference": "Patient/p1"}
    assert result["specimen"] == {"reference": f"Specimen/{specimen['id']}"}
    assert specimen["subject"] == {"reference": "Patient/donor"}


def test_the_end_of_therapy_closes_the_plan_that_addresses_the_leukaemia() -> None:
    plan = one(
        """
        date       | concept
        2021-03-10 | diagnosis B-ALL
        2021-03-12 | on therapy
        2023-05-10 | end of therapy
        """,
        "CarePlan",
    )
    assert (plan["status"], plan["intent"]) == ("completed", "plan")
    assert plan["period"] == {"start": "2021-03-12", "end": "2023-05-10"}
    assert plan["addresses"] == [{"reference": "Condition/diagnosis-b-all-2021-03-10"}]


def test_an_end_of_therapy_alone_starts_with_the_diagnosis() -> None:
    plan = one("date|concept\n2021-03-10|diagnosis B-ALL\n2023-05-10|end of therapy", "CarePlan")
    assert plan["period"] == {"start": "2021-03-10", "end": "2023-05-10"}


def test_therapy_that_goes_on_has_no_end() -> None:
    plan = one("date|concept\n2021-03-10|diagnosis B-ALL\n2021-03-12|on therapy", "CarePlan")
    assert (plan["status"], plan["period"]) == ("active", {"start": "2021-03-12"})


def test_a_planned_end_leaves_the_plan_running() -> None:
    plan = one("date|concept\n2021-03-10|diagnosis B-ALL\n2027-03-12|planned end of therapy", "CarePlan")
    assert (plan["status"], plan["period"]) == ("active", {"start": "2021-03-10", "end": "2027-03-12"})


def test_a_reinduction_is_a_second_plan() -> None:
    resources = built(
        """
        date       | concept
        2021-03-10 | diagnosis B-ALL
        2021-03-10 | on therapy
        2024-06-10 | reinduction start
        2024-07-10 | reinduction end
        """
    )
    plans = [each for each in resources if each["resourceType"] == "CarePlan"]
    assert [(each["title"], each["status"], each["period"]) for each in plans] == [
        ("Frontline therapy", "active", {"start": "2021-03-10"}),
        ("Reinduction", "completed", {"start": "2024-06-10", "end": "2024-07-10"}),
    ]


def test_a_remission_is_about_the_leukaemia() -> None:
    status = one("date|concept\n2021-03-10|diagnosis B-ALL\n2021-04-12|remission", "Observation")
    assert status["valueCodeableConcept"]["coding"][0]["code"] == "103338009"
    assert status["focus"] == [{"reference": "Condition/diagnosis-b-all-2021-03-10"}]


def test_a_positive_testicular_biopsy_is_a_procedure_and_a_condition() -> None:
    kinds = {
        each["resourceType"]: each for each in built("date|concept\n2023-06-15|testicular biopsy positive")
    }
    assert kinds["Procedure"]["performedDateTime"] == "2023-06-15"
    assert kinds["Condition"]["bodySite"][0]["coding"][0]["code"] == "40689003"
    assert kinds["Condition"]["verificationStatus"]["coding"][0]["code"] == "confirmed"


def test_an_erroneous_condition_has_no_clinical_status() -> None:
    table = "date|concept|status\n2021-03-10|diagnosis B-ALL|entered-in-error"
    assert "clinicalStatus" not in one(table, "Condition")


def test_a_condition_in_remission_is_the_leukaemias_own() -> None:
    condition = one(
        "date|concept\n2021-03-10|diagnosis B-ALL\n2021-04-12|condition in remission", "Condition"
    )
    assert condition["clinicalStatus"]["coding"][0]["code"] == "remission"
    assert condition["abatementDateTime"] == "2021-04-12"


def test_details_of_the_note_column() -> None:
    table = """
      date       | concept             | value | unit | note
      2024-05-13 | marrow lymphoblasts | 66    | %    | issued=2024-05-15; method=flow cytometry; gate CD45dim
    """
    resource = one(table, "Observation")
    assert resource["issued"] == "2024-05-15T12:00:00Z"
    assert resource["method"] == {"text": "flow cytometry"}
    assert resource["note"] == [{"text": "gate CD45dim"}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024", "2024"),
        ("2024-06", "2024-06"),
        ("2024-06-03", "2024-06-03"),
        ("2024-06-03T09:00", "2024-06-03T09:00:00Z"),
        ("2024-06-03T09:00+02:00", "2024-06-03T09:00:00+02:00"),
        ("T", "2026-11-20"),
        ("T-1d", "2026-11-19"),
        ("T-2w", "2026-11-06"),
        ("T-36mo", "2023-11-20"),
        ("T-3mo+2d", "2026-08-22"),
        ("T-9y", "2017-11-20"),
        ("T-1d@09:00", "2026-11-19T09:00:00Z"),
    ],
)
def test_dates_may_be_absolute_or_relative(text: str, expected: str) -> None:
    assert resolve_date(text, TODAY) == expected


def test_relative_months_are_clamped_to_the_months_end() -> None:
    assert resolve_date("T-6mo", date(2023, 8, 31)) == "2023-02-28"


@pytest.mark.parametrize(
    "text", ["yesterday", "2024-13-01", "2024-02-30", "03.06.2024", "T-3q", "2024-06-03T25:00"]
)
def test_a_bad_date_is_refused(text: str) -> None:
    with pytest.raises(RecordError):
        resolve_date(text, TODAY)


def test_a_relative_date_needs_a_day_t() -> None:
    with pytest.raises(RecordError, match="line 2: 'T-1d' is relative"):
        build_bundle(GIRL, read_table("date|concept\nT-1d|remission"))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            "date|concept\n2024-06-03|marrow blast",
            "line 2: unknown concept 'marrow blast'; allowed: .*marrow blasts",
        ),
        ("date|concept|result\n", "line 1: unknown column 'result'; allowed: date, concept, value"),
        ("date|value\n", "line 1: the column 'concept' is missing"),
        ("date|concept\n3 June|remission", "line 2: '3 June' is no date"),
        ("date|concept\n2024-06-03|remission|x", "line 2: 3 cells, but only 2 columns"),
        (
            "date|concept|note\n2024-06-03|remission|colour=red",
            "line 2: unknown note word 'colour'; allowed: specimen",
        ),
    ],
)
def test_a_table_that_cannot_be_read_says_where_and_what_is_allowed(table: str, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        read_table(table)


def test_a_status_that_a_resource_cannot_have_is_refused() -> None:
    with pytest.raises(RecordError, match="line 2: 'remission' cannot be 'provisional'; allowed: final"):
        built("date|concept|status\n2024-06-03|remission|provisional")


def test_a_change_of_the_leukaemia_needs_a_leukaemia() -> None:
    with pytest.raises(RecordError, match="line 2: 'condition in relapse' needs a diagnosis row above it"):
        built("date|concept\n2024-06-03|condition in relapse")
