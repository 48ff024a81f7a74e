"""Observation to results: status, specimen, conflicting codes, components, variants, local codes, text."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.clinical.facts import ResultStatus, Specimen
from fhir_mappings.clinical.quantities import Measured, Presence, Unusable
from tests.fhir_mappings.fhir.charts import (
    BLOOD_WBC,
    CSF_WBC,
    LOINC,
    MARROW,
    SNOMED,
    concept,
    facts_of,
    ignored_of,
    observation,
    quantity,
    result_of,
)

FINAL, PRELIMINARY = ResultStatus.FINAL, ResultStatus.PRELIMINARY
LOCAL = "http://lab.example.org"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("final", FINAL),
        ("amended", FINAL),
        ("corrected", FINAL),
        ("FINAL", FINAL),
        ("preliminary", PRELIMINARY),
        ("unknown", PRELIMINARY),
        ("", PRELIMINARY),
        (None, PRELIMINARY),
        ("entered-in-error", "entered-in-error"),
        ("cancelled", "cancelled"),
        ("registered", PRELIMINARY),
    ],
)
def test_the_status_says_how_far_a_result_counts(status: str | None, expected: object) -> None:
    facts = facts_of(observation(status=status))
    found: list[object] = [one.status for one in facts.results]
    found = found or [why for _, why in ignored_of(facts)]
    assert found == [expected]


def test_a_registered_result_without_a_value_is_pending() -> None:
    facts = facts_of(observation(status="registered", valueQuantity=None))
    assert facts.results == ()
    assert [why for _, why in ignored_of(facts)] == ["pending"]


@pytest.mark.parametrize(
    ("elements", "basis", "day"),
    [
        ({}, "collected", "2024-06-03"),
        ({"effectiveDateTime": None, "issued": "2024-06-05T10:00:00Z"}, "reported", "2024-06-05"),
        (
            {"effectiveDateTime": None, "effectivePeriod": {"start": "2024-06-01", "end": "2024-06-02"}},
            "collected",
            "2024-06",
        ),
        (
            {"effectiveDateTime": None, "effectiveInstant": "2024-06-02T10:00:00Z"},
            "collected",
            "2024-06-02",
        ),
        ({"effectiveDateTime": "soon", "issued": "2024-06-05T10:00:00Z"}, "reported", "2024-06-05"),
        ({"effectiveDateTime": None}, "reported", None),
    ],
)
def test_the_day_of_collection_or_at_least_of_the_report(
    elements: dict[str, Any], basis: str, day: str | None
) -> None:
    result = result_of(observation(**elements))
    assert result.date_basis == basis
    assert (result.collected.text if result.collected else None) == day


def specimen(words: str) -> dict[str, Any]:
    return {"specimen": {"reference": "Specimen/s1", "display": words}}


@pytest.mark.parametrize(
    ("code", "elements", "expected"),
    [
        (MARROW, {}, Specimen.MARROW),
        (MARROW, specimen("Bone marrow aspirate"), Specimen.MARROW),
        (MARROW, {"bodySite": concept(text="right iliac crest")}, Specimen.MARROW),
        (MARROW, specimen("Peripheral blood"), Specimen.OTHER),
        (MARROW, specimen("Cerebrospinal fluid"), Specimen.OTHER),
        (BLOOD_WBC, specimen("Bone marrow"), Specimen.OTHER),
        (CSF_WBC, specimen("CSF"), Specimen.CSF),
    ],
)
def test_a_specimen_that_contradicts_the_code_is_a_conflict(
    code: str, elements: dict[str, Any], expected: Specimen
) -> None:
    unit = "%" if code == MARROW else "/uL"
    facts = facts_of(observation(code, valueQuantity=quantity(3, unit), **elements))
    (result,) = facts.results
    assert result.specimen is expected
    conflict = expected is Specimen.OTHER
    assert isinstance(result.value, Unusable) is conflict
    assert ignored_of(facts) == ([("Observation/o1", "specimen-conflict")] if conflict else [])


@pytest.mark.parametrize(("words", "seen"), [("CSF", True), ("Pleural fluid", False), ("", False)])
def test_a_body_fluid_code_counts_as_csf_only_where_the_specimen_says_so(words: str, seen: bool) -> None:
    made = observation("26466-3", valueQuantity=quantity(7, "/uL"), **(specimen(words) if words else {}))
    assert [one.concept for one in facts_of(made).results] == (["csf-wbc"] if seen else [])


def test_a_donors_marrow_is_not_the_patients() -> None:
    facts = facts_of(observation(**specimen("Bone marrow, donor")))
    assert not facts.results
    assert ignored_of(facts) == [("Observation/o1", "donor-specimen")]


@pytest.mark.parametrize(
    ("focus", "used"),
    [
        ([{"reference": "RelatedPerson/mother"}], False),
        ({"reference": "Patient/donor"}, False),
        ([{"reference": "https://ehr.example.org/fhir/Patient/donor"}], False),
        ([{"reference": "Specimen/s1"}], True),
        ([{"display": "the marrow"}], True),
    ],
)
def test_a_result_about_somebody_else_is_not_used(focus: Any, used: bool) -> None:
    facts = facts_of(observation(focus=focus))
    assert bool(facts.results) is used
    assert bool(facts.ignored) is not used


@pytest.mark.parametrize(
    "modifier", [[{"url": "http://example.org/negated", "valueBoolean": True}], [5], {"url": 5}, "x"]
)
def test_a_modifier_extension_of_any_shape_may_turn_the_meaning_round(modifier: Any) -> None:
    facts = facts_of(observation(modifierExtension=modifier))
    assert not facts.results
    assert ignored_of(facts) == [("Observation/o1", "modifier-extension")]
    assert facts.unreadable == {"marrow"}


def test_an_empty_modifier_extension_modifies_nothing() -> None:
    assert facts_of(observation(modifierExtension=[])).results


def coded(*codings: tuple[str, str]) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code} for system, code in codings]}


def test_two_codes_of_different_concepts_contradict_each_other() -> None:
    facts = facts_of(observation() | {"code": coded((LOINC, MARROW), (LOINC, CSF_WBC))})
    assert not facts.results
    assert ignored_of(facts) == [("Observation/o1", "codes-conflict")]
    assert facts.unreadable


@pytest.mark.parametrize(
    ("codings", "found"),
    [
        ([(LOINC, MARROW), (LOCAL, "BM-BLAST")], True),
        ([(LOCAL, "BM-BLAST"), (LOINC, MARROW)], True),
        ([(LOINC, f" {MARROW} ")], True),
        ([(f" {LOINC}", MARROW)], True),
        ([(LOCAL, MARROW)], False),
        ([("", MARROW)], False),
        ([(LOINC, "11150-1")], False),
    ],
)
def test_a_code_counts_with_its_system_only(codings: list[tuple[str, str]], found: bool) -> None:
    results = facts_of(observation() | {"code": coded(*codings)}).results
    assert any(isinstance(one.value, Measured) for one in results) is found


@pytest.mark.parametrize("system", [LOCAL, ""])
def test_a_loinc_code_without_its_system_is_said_and_not_used(system: str) -> None:
    (result,) = facts_of(observation() | {"code": coded((system, MARROW))}).results
    assert result.value == Unusable("system-missing", "78 %")


def test_a_sites_own_codes_are_read_as_the_concept_they_stand_for() -> None:
    made = observation(valueQuantity=quantity(0.02)) | {"code": concept(LOCAL, "MRD-FLOW")}
    assert not facts_of(made).results
    assert result_of(made, codes={"mrd": [f"{LOCAL}|MRD-FLOW"]}).concept == "mrd"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Minimal residual disease, flow", True),
        ("MRD bone marrow", True),
        ("AML MRD", False),
        ("MRD, chronic lymphocytic leukaemia", False),
        ("Sodium", False),
    ],
)
def test_residual_disease_may_be_named_by_text_alone(text: str, found: bool) -> None:
    made = observation(valueQuantity=quantity(0.02)) | {"code": {"text": text}}
    assert [one.concept for one in facts_of(made).results] == (["mrd"] if found else [])


def test_text_is_not_read_where_a_loinc_code_says_what_it_is() -> None:
    made = observation() | {"code": {**concept(LOINC, "2951-2"), "text": "MRD"}}
    assert not facts_of(made).results


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("Sensitivity 10^-5", "0–0.001"),
        ("limit of detection 1e-4", "0–0.01"),
        ("no limit named", "absent"),
        ("10^-12", "absent"),
    ],
)
def test_residual_disease_not_detected_is_below_the_limit_of_its_test(note: str, expected: str) -> None:
    made = observation(valueQuantity=None, valueString="not detected", note=[{"text": note}])
    value = result_of(made | {"code": {"text": "MRD"}}).value
    shown = value.text if isinstance(value, Measured) else value.value if isinstance(value, Presence) else ""
    assert shown == expected


@pytest.mark.parametrize(
    ("note", "flag"),
    [
        ([{"text": "Many hematogones."}], "haematogones"),
        ([{"text": "Clear."}], ""),
        ("haematogones", ""),
        (None, ""),
    ],
)
def test_of_a_comment_only_the_remark_a_rule_looks_for_is_kept(note: Any, flag: str) -> None:
    assert result_of(observation(note=note)).note == flag


def panel(*components: dict[str, Any], **elements: Any) -> dict[str, Any]:
    return observation("58410-2", valueQuantity=None, component=list(components), **elements)


def part(code: str, value: float, unit: str) -> dict[str, Any]:
    return {"code": concept(LOINC, code), "valueQuantity": quantity(value, unit)}


def test_the_parts_of_a_panel_are_results_of_their_own() -> None:
    facts = facts_of(
        panel(part(BLOOD_WBC, 7, "10*3/uL"), part("2951-2", 140, "mmol/L"), part(MARROW, 3, "%"))
    )
    assert [one.concept for one in facts.results] == ["blood-wbc", "marrow-blasts"]
    assert {one.resource for one in facts.results} == {"Observation/o1"}


def test_a_cancelled_panel_has_no_parts() -> None:
    facts = facts_of(panel(part(MARROW, 78, "%"), status="cancelled"))
    assert not facts.results
    assert ignored_of(facts) == [("Observation/o1", "cancelled")]


def variant(*genes: str, **elements: Any) -> dict[str, Any]:
    components = [
        {"code": concept(LOINC, "48018-6"), "valueCodeableConcept": concept("http://www.genenames.org", gene)}
        for gene in genes
    ]
    elements = {"valueQuantity": None, "valueCodeableConcept": concept(LOINC, "LA9633-4")} | elements
    return observation("69548-6", component=components, **elements)


@pytest.mark.parametrize(
    ("genes", "found"),
    [
        (("HGNC:1014", "HGNC:76"), [("bcr-abl1", Presence.PRESENT)]),
        (("HGNC:76", "HGNC:1014"), [("bcr-abl1", Presence.PRESENT)]),
        (("HGNC:1014",), []),
        (("HGNC:1014", "HGNC:999"), []),
        ((), []),
    ],
)
def test_a_variant_of_both_genes_is_the_fusion(
    genes: tuple[str, ...], found: list[tuple[str, Presence]]
) -> None:
    facts = facts_of(variant(*genes))
    assert [(one.concept, one.value) for one in facts.results] == found


def test_an_absent_variant_is_a_negative_test() -> None:
    result = result_of(variant("HGNC:1014", "HGNC:76", valueCodeableConcept=concept(SNOMED, "260385009")))
    assert result.value is Presence.ABSENT


def test_what_no_rule_reads_leaves_no_trace() -> None:
    facts = facts_of(observation("2951-2"), observation("2951-2", status="entered-in-error"))
    assert not facts.results
    assert not facts.ignored


def test_versions_of_a_resource_are_told_apart() -> None:
    old = observation(meta={"versionId": "9", "lastUpdated": "2024-06-03T10:00:00Z"})
    new = observation(meta={"versionId": "10", "lastUpdated": "2024-06-03T10:00:00Z"})
    assert result_of(old).version < result_of(new).version
    assert result_of(observation(meta="unreadable")).version == ""
