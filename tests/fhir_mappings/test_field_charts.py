"""Data as laboratories and servers write them: each row is one chart and the status that is right."""

from __future__ import annotations

import pytest

from tests.fhir_mappings.field_chart import (
    B_ALL,
    SNOMED,
    Json,
    assessed,
    coded,
    condition,
    met,
    observation,
    percent,
    sections,
)

CM, GM = "http://hl7.org/fhir/sid/icd-10-cm", "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
SICHERHEIT = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"


def named(text: str) -> Json:
    return condition({"text": text})


@pytest.mark.parametrize(
    ("system", "code"),
    [
        ("urn:oid:2.16.840.1.113883.6.90", "C91.00"),
        ("urn:oid:2.16.840.1.113883.6.96", "91857003"),
        ("urn:oid:1.2.276.0.76.5.409", "C91.00"),
        ("ICD10", "C91.0"),
        ("ICD-10-CM", "C91.00"),
        (f"{SNOMED}/", "91857003"),
        ("https://snomed.info/sct", "91857003"),
        (f"{SNOMED}/900000000000207008", "91857003"),
        (f"{SNOMED}/731000124108/version/20240901", "91857003"),
        (f"{SNOMED}|20240801", "91857003"),
        ("http://fhir.de/CodeSystem/dimdi/icd-10-gm", "C91.00"),
        ("http://hl7.org/fhir/sid/icd-10-gm", "C91.0-"),
        ("http://hl7.org/fhir/sid/icd-10-nl", "C91.0"),
        ("http://hl7.org/fhir/sid/icd-10", "C91.00"),
        (CM, "C9100"),
        (CM, "c91.00"),
        (CM, "C91.0"),
        (GM, "C91.0"),
        (GM, "C91.00 G"),
        (f"{CM}/", "C9101"),
    ],
)
def test_a_code_of_all_under_any_name_of_its_system(system: str, code: str) -> None:
    found = assessed(observation(), diagnosis=condition(coded(system, code)))
    assert found.status.value == "relapse"
    assert met(found) == {"A"}


@pytest.mark.parametrize(
    "text",
    [
        "B-ALL",
        "pre B ALL",
        "Leukemia, acute lymphoblastic (HCC)",
        "Akute lymphatische Leukämie",
        "LAL B",
        "LLA tipo B",
        "High-risk B-cell acute lymphoblastic leukemia",
        "Standard risk acute lymphoblastic leukaemia",
        "Leucémie aiguë lymphoblastique",
        "Leucemia linfoblástica aguda de células B",
        "Leucemia linfoide aguda",
        "Leucemia linfoblastica acuta",
        "Acute lymfatische leukemie",
        "Akut lymfatisk leukæmi",
        "Ostra białaczka limfoblastyczna",
        "Acute lymphocytic leukaemia, no evidence of CNS disease",
        "Risk of relapse in B-ALL",
        "No evidence of residual acute lymphoblastic leukemia",
        "Acute lymphoblastic leukemia, family history of breast cancer",
        "T-ALL in remission",
        "Precursor B lymphoblastic leukemia/lymphoma",
    ],
)
def test_the_name_of_the_disease_in_words(text: str) -> None:
    found = assessed(observation(), diagnosis=named(text))
    assert found.status.value == "relapse"
    assert met(found) == {"A"}


@pytest.mark.parametrize(
    "code",
    [
        {"text": "ALL, relapsed"},
        {"text": "ALL"},
        {"text": "LAL"},
        {"text": "Leukaemia"},
        {"text": "Acute leukemia"},
        {"text": "ALL IN REMISSION"},
        coded(CM, "C95.90"),
        coded(CM, "C91.90"),
        coded(CM, "C91"),
        coded(SNOMED, "91855006"),
        coded(SNOMED, "93143009"),
        coded(None, "91857003"),
        coded(None, "C91.00"),
        coded("urn:oid:1.2.840.114350.1.13", "C91.01"),
    ],
)
def test_what_could_be_all_opens_the_chart_and_names_no_agent(code: Json) -> None:
    found = assessed(observation(), diagnosis=condition(code))
    assert found.status.value == "probable"
    assert not set(sections(found)) & {"RELAPSE", "TRIAL", "OPT-B", "OPT-T", "OPT-PH", "HSCT"}
    assert not found.options


@pytest.mark.parametrize(
    "text",
    [
        "B-cell CLL",
        "family history of ALL",
        "all tests normal",
        "ALL TESTS NORMAL",
        "Leukopenia",
        "Leukemoid reaction",
        "Encounter for screening for leukemia",
        "rule out ALL",
        "ALL ruled out",
        "At risk for leukemia",
        "Acute lymphoblastic leukemia (father)",
        "Maternal leukemia",
        "Acute myeloid leukaemia",
        "Chronic lymphocytic leukemia, acute exacerbation",
        "Adult T-cell leukemia/lymphoma",
        "Suspected acute lymphoblastic leukaemia",
        "Kein Anhalt für Leukämie",
        "Allergies reviewed",
        "Donor for sibling with leukaemia",
    ],
)
def test_other_words_open_nothing(text: str) -> None:
    quiet = assessed(observation(valueQuantity=percent(2)), diagnosis=named(text))
    assert quiet.status.value in ("none", "out-of-scope")
    assert not quiet.sections


@pytest.mark.parametrize(
    "code", [None, {}, {"text": ""}, coded("http://local.example.org", "L7"), {"text": "?"}]
)
def test_blasts_beside_an_unreadable_diagnosis_are_said(code: Json | None) -> None:
    found = assessed(observation(), diagnosis=condition(code))
    assert (found.status.value, sections(found)) == ("none", ["DATA"])
    empty = assessed(observation(), diagnosis=None)
    assert (empty.status.value, sections(empty)) == ("none", ["DATA"])


@pytest.mark.parametrize(
    "changed",
    [
        {"subject": {"reference": "Group/g1"}},
        {"status": "preliminary"},
        {"status": "entered-in-error"},
        {"effectiveDateTime": "2023-08-01"},
        {"valueQuantity": percent(24.9)},
        {"specimen": {"display": "Donor marrow"}},
        {"specimen": {"display": "Peripheral blood"}},
    ],
)
def test_blasts_that_are_not_the_patients_or_not_proven_are_not_said_without_a_diagnosis(
    changed: Json,
) -> None:
    assert not assessed(observation(**changed), diagnosis=None).sections


@pytest.mark.parametrize(
    ("letter", "status"),
    [("A", "none"), ("V", "none"), ("Z", "probable"), ("G", "relapse"), ("g", "relapse")],
)
def test_the_german_certainty_of_a_diagnosis(letter: str, status: str) -> None:
    code = coded(GM, "C91.00")
    code["coding"][0]["extension"] = [{"url": SICHERHEIT, "valueCoding": {"code": letter}}]
    assert assessed(observation(), diagnosis=condition(code)).status.value == status
    written = condition(coded(GM, f"C91.00 {letter.upper()}"))
    assert assessed(observation(), diagnosis=written).status.value == status


@pytest.mark.parametrize(
    "status",
    [
        coded("http://terminology.hl7.org/CodeSystem/condition-ver-status", "refuted"),
        coded("http://terminology.hl7.org/CodeSystem/condition-ver-status", " Entered-in-error "),
        coded(SNOMED, "410516002"),
        {"coding": [{"code": "local"}, {"code": "refuted"}]},
        {"text": "Refuted"},
    ],
)
def test_a_diagnosis_that_is_refuted_fires_nothing_and_hides_no_blasts(status: Json) -> None:
    found = assessed(observation(), diagnosis=B_ALL | {"verificationStatus": status})
    assert (found.status.value, sections(found)) == ("none", ["DATA"])
