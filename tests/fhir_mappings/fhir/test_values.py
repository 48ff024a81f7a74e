"""Units, comparators, texts, ratios and ranges: converted or refused, never guessed (F-18, F-19)."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.clinical.quantities import Measured, Narrative, Presence, Unusable, Value
from tests.fhir_mappings.fhir.charts import (
    BLOOD_WBC,
    CSF_WBC,
    CYTOLOGY,
    LOINC,
    MARROW,
    SNOMED,
    concept,
    observation,
    quantity,
    result_of,
)


def value_of(code: str, **elements: Any) -> Value:
    return result_of(observation(code, valueQuantity=None) | elements).value


def shown(value: Value) -> str:
    """A value in a word: its number, its presence, or why it is not used."""
    match value:
        case Measured():
            return value.text
        case Presence():
            return value.value
        case Narrative():
            return "narrative"
        case Unusable():
            return f"not used: {value.why}"


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (78, "%", "78"),
        (0.78, "1", "78"),
        (0.78, "{fraction}", "78"),
        (78, "10*-2", "78"),
        (78, "/100{WBCs}", "78"),
        (78, "{percent}", "not used: unit-percent-trap"),
        (0.78, "{ratio}", "not used: unit-unknown"),
        (78, "mg/dL", "not used: unit-unknown"),
        (78, "", "not used: unit-missing"),
        (178, "%", "not used: value-over-100"),
        (78, "1", "not used: value-over-100"),
        (-1, "%", "not used: value-negative"),
        # Nothing is nothing in every unit.
        (0, "{percent}", "0"),
    ],
)
def test_marrow_percentages(value: float, unit: str, expected: str) -> None:
    assert shown(value_of(MARROW, valueQuantity=quantity(value, unit))) == expected


@pytest.mark.parametrize(
    ("code", "value", "unit", "expected"),
    [
        (CSF_WBC, 7, "/uL", "7"),
        (CSF_WBC, 7, "10*6/L", "7"),
        (CSF_WBC, 7, "/mm3", "7"),
        (CSF_WBC, 7, "10*3/mL", "7"),
        (CSF_WBC, 7, "{cells}/uL", "7"),
        # The unit of blood on a CSF count: the sender meant another.
        (CSF_WBC, 7, "10*3/uL", "not used: csf-unit-conflict"),
        (CSF_WBC, 7, "10*9/L", "not used: csf-unit-conflict"),
        (CSF_WBC, 0, "10*3/uL", "0"),
        (BLOOD_WBC, 7, "10*3/uL", "7000"),
        (BLOOD_WBC, 7, "10*9/L", "7000"),
        (BLOOD_WBC, 7000, "/uL", "7000"),
    ],
)
def test_counts(code: str, value: float, unit: str, expected: str) -> None:
    assert shown(value_of(code, valueQuantity=quantity(value, unit))) == expected


@pytest.mark.parametrize(
    ("comparator", "expected"),
    [("<", "0–5"), ("<=", "0–5"), (">", "5–100"), (">=", "5–100"), ("~", "not used: comparator-unknown"),
     ("ad", "not used: comparator-unknown")],
)  # fmt: skip
def test_a_comparator_makes_an_interval(comparator: str, expected: str) -> None:
    assert shown(value_of(MARROW, valueQuantity=quantity(5, "%", comparator))) == expected


def test_the_bound_of_a_comparator_is_out_or_in() -> None:
    below = value_of(MARROW, valueQuantity=quantity(5, "%", "<"))
    above = value_of(MARROW, valueQuantity=quantity(5, "%", ">"))
    assert isinstance(below, Measured)
    assert isinstance(above, Measured)
    assert below.high_open
    assert above.low_open


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("78 %", "78"),
        ("78%", "78"),
        ("> 50 %", "50–100"),
        ("less than 5 %", "0–5"),
        ("≥ 25 percent", "25–100"),
        ("10-20 %", "10–20"),
        ("10 to 20 %", "10–20"),
        ("0.78 {fraction}", "78"),
        ("78", "not used: unit-missing"),
        ("78 mg", "not used: unit-unknown"),
        ("178 %", "not used: value-over-100"),
        ("no blasts seen", "absent"),
        ("Not detected.", "absent"),
        ("blasts present", "present"),
        ("hypocellular, see report", "narrative"),
        ("no blasts, but few cells", "narrative"),
        ("", "narrative"),
    ],
)
def test_text_results(text: str, expected: str) -> None:
    assert shown(value_of(MARROW, valueString=text)) == expected


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"valueCodeableConcept": concept(SNOMED, "260385009")}, "absent"),
        ({"valueCodeableConcept": concept(LOINC, "LA6576-8")}, "present"),
        ({"valueCodeableConcept": concept(SNOMED, "260408008")}, "weakly positive"),
        ({"valueCodeableConcept": concept(LOINC, "LA9663-1")}, "indeterminate"),
        ({"valueCodeableConcept": concept("http://example.org", "X", "Not detected")}, "absent"),
        ({"valueBoolean": True}, "present"),
        ({"valueBoolean": False}, "absent"),
        ({"interpretation": [concept(SNOMED, "10828004")]}, "present"),
        ({"interpretation": concept(SNOMED, "10828004")}, "present"),
        ({"interpretation": "positive"}, "not used: no-value"),
        ({}, "not used: no-value"),
    ],
)
def test_answers_by_code(elements: dict[str, Any], expected: str) -> None:
    assert shown(value_of(CYTOLOGY, **elements)) == expected


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"valueRange": {"low": quantity(10), "high": quantity(20)}}, "10–20"),
        ({"valueRange": {"low": quantity(25)}}, "≥25"),
        ({"valueRange": {"low": quantity(10, "mg"), "high": quantity(20)}}, "not used: unit-unknown"),
        ({"valueRange": {}}, "not used: no-value"),
        ({"valueRatio": {"numerator": {"value": 39}, "denominator": {"value": 50}}}, "78"),
        ({"valueRatio": {"numerator": {"value": 39}, "denominator": {"value": 0}}}, "not used: no-value"),
        (
            {"valueRatio": {"numerator": quantity(39, "mg"), "denominator": quantity(50, "mL")}},
            "not used: unit-unknown",
        ),
        ({"valueInteger": 78}, "not used: unit-missing"),
    ],
)
def test_ranges_ratios_and_bare_integers(elements: dict[str, Any], expected: str) -> None:
    assert shown(value_of(MARROW, **elements)) == expected


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [(0.02, "%", "0.02"), (0.0002, "1", "0.02"), (2, "10*-4", "0.02"), (200, "[ppm]", "0.02"),
     (200, "/10*6", "0.02")],
)  # fmt: skip
def test_residual_disease_in_any_of_its_units(value: float, unit: str, expected: str) -> None:
    made = observation(valueQuantity=quantity(value, unit))
    made["code"] = concept("http://lab.example.org", "MRD-FLOW")
    codes = {"mrd": ["http://lab.example.org|MRD-FLOW"]}
    assert shown(result_of(made, codes=codes).value) == expected


def test_the_text_as_recorded_is_kept_for_display() -> None:
    value = value_of(MARROW, valueQuantity=quantity(0.78, "1"))
    assert isinstance(value, Measured)
    assert value.original == "0.78 1"
