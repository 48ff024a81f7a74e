"""A mistyped code is refused before it can match nothing, or the wrong thing."""

from __future__ import annotations

import pytest

from fhir_mappings.knowledge import check_digits as systems
from fhir_mappings.knowledge.check_digits import find_code_problem, is_luhn_valid, is_verhoeff_valid

GOOD = [
    (systems.LOINC, "11150-0"),
    (systems.LOINC, "LA6576-8"),
    (systems.LOINC, "LL529-9"),
    (systems.SNOMED, "91857003"),
    (systems.SNOMED, "12301000132103"),
    (systems.ICD_10_CM, "C91.02"),
    (systems.ICD_10_CM, "C91.A0"),
    (systems.ICD_10_CM, "Z94.84"),
    (systems.ICD_10_WHO, "C91.0"),
    (systems.ICD_10_GM, "C91.01"),
    (systems.ICD_9_CM, "204.02"),
    (systems.ICD_9_CM, "V10.61"),
    (systems.ICD_9_CM, "41.05"),
    (systems.ICD_O_3, "9811/3"),
    (systems.ICD_O_3, "C42.1"),
    (systems.ICD_10_PCS, "XW033C3"),
    (systems.RXNORM, "103"),
    (systems.ATC, "L01FX07"),
    (systems.CPT, "38240"),
    (systems.NCIT, "C38144"),
    (systems.HGNC, "HGNC:76"),
    (systems.UCUM, "{cells}/uL"),
]

BAD = [
    (systems.LOINC, "11150-6", "check digit"),
    (systems.LOINC, "111500", "format"),
    (systems.SNOMED, "91857004", "check digit"),
    (systems.SNOMED, "091857003", "format"),
    (systems.SNOMED, "91857oo3", "format"),
    (systems.ICD_10_CM, "C9102", "format"),
    (systems.ICD_10_CM, "c91.02", "format"),
    (systems.ICD_10_WHO, "C91.A0", "format"),
    (systems.ICD_10_GM, "C91.", "format"),
    (systems.ICD_9_CM, "20402", "format"),
    (systems.ICD_O_3, "9811/4", "format"),
    (systems.ICD_10_PCS, "3O233G4", "format"),
    (systems.ICD_10_PCS, "30233I4", "format"),
    (systems.ICD_10_PCS_THO, "30233G", "format"),
    (systems.RXNORM, "RX103", "format"),
    (systems.ATC, "L01FX7", "format"),
    (systems.CPT, "382400", "format"),
    (systems.NCIT, "38144", "format"),
    (systems.HGNC, "76", "format"),
    ("http://loinc.org/", "11150-0", "unknown code system"),
]


@pytest.mark.parametrize(("system", "code"), GOOD)
def test_codes_that_can_be_right(system: str, code: str) -> None:
    assert find_code_problem(system, code) is None


@pytest.mark.parametrize(("system", "code", "problem"), BAD)
def test_codes_that_cannot_be_right(system: str, code: str, problem: str) -> None:
    found = find_code_problem(system, code)
    assert found is not None
    assert problem in found.problem
    assert found.remedy


def test_a_snomed_description_is_not_a_concept() -> None:
    description = next(f"9185701{digit}" for digit in "0123456789" if is_verhoeff_valid(f"9185701{digit}"))
    found = find_code_problem(systems.SNOMED, description)
    assert found is not None
    assert "concept" in found.problem


@pytest.mark.parametrize("position", range(8))
def test_every_single_digit_error_is_caught(position: int) -> None:
    for algorithm, number in ((is_verhoeff_valid, "91857003"), (is_luhn_valid, "264465")):
        if position >= len(number):
            continue
        wrong = [number[:position] + digit + number[position + 1 :] for digit in "0123456789"]
        assert [candidate for candidate in wrong if algorithm(candidate)] == [number]


def test_verhoeff_catches_swapped_neighbours() -> None:
    assert is_verhoeff_valid("91857003")
    assert not is_verhoeff_valid("91587003")
