"""The shipped value sets: complete, sorted, free of descriptors that may not be copied."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import fhir_mappings.knowledge
from fhir_mappings.knowledge.check_digits import CPT
from fhir_mappings.knowledge.code_rows import Code
from fhir_mappings.knowledge.errors import Fault
from fhir_mappings.knowledge.loader import read_value_sets
from tests import reference

DIRECTORY = Path(fhir_mappings.knowledge.__file__).parent / "relapsed_all" / "value_sets"
REFERENCE = reference.FOLDER / "valuesets.json"
ADDED_SETS = {"dx_leukemia_type_unstated", "unit_count_text_seen", "unit_percent_text_seen"}
_ICD10 = "http://hl7.org/fhir/sid/icd-10"
_ICD10GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
ADDED_CODES = {
    "dx_all_icd10cm": {("http://hl7.org/fhir/sid/icd-10-cm", "C91.0")},
    "dx_all_icd10gm": {(_ICD10GM, "C91.0")},
    "dx_history_of_leukemia": {(_ICD10, "Z85.6"), (_ICD10GM, "Z85.6")},
}
"""What the product holds beyond the reference, each with its own source in its row."""
TARGET_UNITS = {"factor_to_percent": "%", "factor_to_per_uL": "/uL"}


@pytest.fixture(scope="module")
def value_sets() -> dict[str, tuple[Code, ...]]:
    faults: list[Fault] = []
    sets = dict(read_value_sets(DIRECTORY, faults))
    assert [str(fault) for fault in faults] == []
    return sets


def test_all_sets_are_there_and_every_code_passes_its_check(value_sets: dict[str, tuple[Code, ...]]) -> None:
    assert len(value_sets) == 112 + len(ADDED_SETS)
    assert all(value_sets.values())


def test_rows_are_sorted_so_that_changes_show_as_single_lines(
    value_sets: dict[str, tuple[Code, ...]],
) -> None:
    for name, codes in value_sets.items():
        keys = [(code.system, code.code) for code in codes]
        assert keys == sorted(keys), name


def test_no_cpt_descriptor_is_shipped(value_sets: dict[str, tuple[Code, ...]]) -> None:
    rows = [code for codes in value_sets.values() for code in codes if code.system == CPT]
    assert len(rows) == 10
    assert {row.display for row in rows} == {""}
    for text in (word for row in rows for word in (row.note, row.source)):
        assert not any(
            term in text.lower() for term in ("needle", "incision", "open", "aspirat", "transplant")
        )


def test_the_marrow_code_is_the_existing_one(value_sets: dict[str, tuple[Code, ...]]) -> None:
    assert [code.code for code in value_sets["loinc_marrow_blasts_pct"]] == ["11150-0"]
    assert not any(code.code == "11150-6" for codes in value_sets.values() for code in codes)


def test_a_code_to_exclude_is_in_no_set_of_the_same_kind(value_sets: dict[str, tuple[Code, ...]]) -> None:
    for excluded, kind in (("EXCLUDE_dx_not_all", "dx_all_"), ("EXCLUDE_cart_other_target", "proc_cart_")):
        banned = {(code.system, code.code) for code in value_sets[excluded]}
        for name in (name for name in value_sets if name.startswith(kind)):
            assert not banned & {(code.system, code.code) for code in value_sets[name]}, name


def test_every_unit_factor_names_the_unit_it_leads_to(value_sets: dict[str, tuple[Code, ...]]) -> None:
    with_factor = [code for codes in value_sets.values() for code in codes if code.factor is not None]
    assert len(with_factor) == 42 + 16 + 13
    assert {code.unit for code in with_factor} == {"%", "/uL"}


@pytest.mark.reference
def test_the_sets_agree_with_the_reference(value_sets: dict[str, tuple[Code, ...]]) -> None:
    sets: dict[str, list[dict[str, Any]]] = json.loads(REFERENCE.read_text("utf-8"), parse_float=Decimal)
    assert set(value_sets) == set(sets) | ADDED_SETS
    for name, rows in sets.items():
        expected = {(row["system"], row["code"]): _expected(row) for row in rows}
        added = ADDED_CODES.get(name, set())
        found = {
            key: _found(code) for code in value_sets[name] if (key := (code.system, code.code)) not in added
        }
        assert found == expected, name


def _expected(row: dict[str, Any]) -> tuple[object, ...]:
    factors = [(unit, Decimal(row[key])) for key, unit in TARGET_UNITS.items() if key in row]
    unit, factor = factors[0] if factors else (row.get("unit", ""), None)
    if row["system"] == CPT:
        return ("", row["confidence"], unit, factor)
    return (row["display"], row["source"], row["confidence"], row["note"], unit, factor)


def _found(code: Code) -> tuple[object, ...]:
    if code.system == CPT:
        return (code.display, code.confidence, code.unit, code.factor)
    return (code.display, code.source, code.confidence, code.note, code.unit, code.factor)
