"""Results as laboratories send them: every value[x], values in components only, several codes, odd onsets."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhir_mappings.clinical.quantities import Measured, Narrative, Presence, Unusable
from tests.fhir_mappings.fhir.charts import (
    LOINC,
    MARROW,
    concept,
    condition,
    diagnosis_of,
    facts_of,
    observation,
    quantity,
    result_of,
)

LOCAL = "http://lab.example.org"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"


def valued(**value: Any) -> Any:
    return result_of(observation(valueQuantity=None, **value)).value


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ({"valueBoolean": True}, Presence.PRESENT),
        ({"valueInteger": 78}, Unusable("unit-missing", "78")),
        ({"valueCodeableConcept": {"text": "not detected"}}, Presence.ABSENT),
        ({"valueCodeableConcept": {"text": "sheets of blasts"}}, Narrative("sheets of blasts")),
        ({"valueString": "predominance of immature cells"}, Narrative("predominance of immature cells")),
        ({"valueSampledData": {"period": 1, "dimensions": 1, "data": "70"}}, Unusable("no-value")),
        ({"valueDateTime": "2024-01-01"}, Unusable("no-value")),
        ({"valuePeriod": {"start": "2024-01-01"}}, Unusable("no-value")),
        ({"dataAbsentReason": {"coding": [{"system": ABSENT, "code": "error"}]}}, Unusable("no-value")),
        ({}, Unusable("no-value")),
    ],
)
def test_every_kind_of_value_is_a_result_or_a_reason(value: dict[str, Any], read: object) -> None:
    assert valued(**value) == read


def test_a_range_is_an_interval_and_a_ratio_a_share() -> None:
    between = valued(valueRange={"low": quantity(60), "high": quantity(80)})
    assert isinstance(between, Measured)
    assert (between.low, between.high) == (Decimal(60), Decimal(80))
    share = valued(valueRatio={"numerator": {"value": 1}, "denominator": {"value": 10000}})
    assert isinstance(share, Measured)
    assert share.exact == Decimal("0.01")


def test_a_value_that_stands_only_in_a_component_is_read_there() -> None:
    part = {"code": concept(LOINC, MARROW), "valueQuantity": quantity(78)}
    found = result_of(observation(valueQuantity=None, component=[part]))
    assert isinstance(found.value, Measured)
    assert found.value.exact == 78


def test_a_value_of_its_own_goes_before_its_components() -> None:
    part = {"code": concept(LOINC, MARROW), "valueQuantity": quantity(3)}
    found = result_of(observation(component=[part]))
    assert isinstance(found.value, Measured)
    assert found.value.exact == 78


def test_a_panel_whose_members_stand_elsewhere_has_no_value() -> None:
    assert valued(hasMember=[{"reference": "Observation/2"}]) == Unusable("no-value")


@pytest.mark.parametrize(
    "codings",
    [
        [(LOCAL, "BLASTS"), (LOINC, MARROW)],
        [(LOINC, MARROW), (LOCAL, "BLASTS")],
        [("", "BLASTS"), (LOINC, f" {MARROW} ")],
        [(LOINC, MARROW), (LOINC, MARROW)],
    ],
)
def test_a_code_we_know_counts_wherever_it_stands(codings: list[tuple[str, str]]) -> None:
    coded = {"coding": [{"system": system, "code": code} for system, code in codings]}
    resource = {**observation(), "code": coded}
    found = result_of(resource).value
    assert isinstance(found, Measured)
    assert found.exact == 78


def test_a_display_that_says_something_else_changes_nothing() -> None:
    resource = observation("26464-8", valueQuantity=quantity(78, "10*3/uL"))
    resource["code"]["coding"][0]["display"] = "Leukemic blasts"
    assert result_of(resource).concept == "blood-wbc"


@pytest.mark.parametrize(
    ("onset", "day"),
    [
        ({"onsetString": "at the age of two"}, None),
        ({"onsetAge": {"value": 2, "unit": "a"}}, None),
        ({"onsetRange": {"low": {"value": 2}, "high": {"value": 3}}}, None),
        ({"onsetPeriod": {"start": "2021-03-10"}}, "2021-03-10"),
        ({"onsetDateTime": "2021"}, "2021"),
    ],
)
def test_an_onset_is_a_date_or_not_known(onset: dict[str, Any], day: str | None) -> None:
    found = diagnosis_of(condition(**{"onsetDateTime": None, **onset}))
    assert (found.onset.text if found.onset else None) == day


def test_the_same_disease_three_times_is_three_entries_of_one_disease() -> None:
    facts = facts_of(*({**condition(), "id": f"c{number}"} for number in range(3)))
    assert {found.kind.value for found in facts.diagnoses} == {"all"}
    assert len(facts.diagnoses) == 3
