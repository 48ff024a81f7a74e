"""Check digits and formats of the code systems, so that a mistyped code never reaches a patient.

Sources: SNOMED CT Release File Specification 6.3 (Verhoeff, partition identifier), LOINC Users' Guide
(check digit, mod 10), and the published code formats of the other systems.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
CPT = "http://www.ama-assn.org/go/cpt"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD_10_WHO = "http://hl7.org/fhir/sid/icd-10"
ICD_10_GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
ICD_9_CM = "http://hl7.org/fhir/sid/icd-9-cm"
ICD_O_3 = "http://terminology.hl7.org/CodeSystem/icd-o-3"
ICD_10_PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
ICD_10_PCS_THO = "http://terminology.hl7.org/CodeSystem/icd10PCS"
NCIT = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
HGNC = "http://www.genenames.org"
UCUM = "http://unitsofmeasure.org"
NOT_UCUM = "(text, not UCUM)"

# Diagnosis and procedure codes may also name a whole category (C91.0, 204.0, 41.0).
_ICD_10 = re.compile(r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?")
_PCS = re.compile(r"[0-9A-HJ-NP-Z]{7}")
_SNOMED_PATTERN = re.compile(r"[1-9]\d{5,17}")
_LOINC_TEST = re.compile(r"\d{1,7}-\d")
_LOINC_ANSWER = re.compile(r"L[ALP]\d+-\d")

_FORMATS: dict[str, tuple[re.Pattern[str], str]] = {
    SNOMED: (_SNOMED_PATTERN, "6 to 18 digits"),
    LOINC: (re.compile(rf"{_LOINC_TEST.pattern}|{_LOINC_ANSWER.pattern}"), "digits-digit, or LA, LL, LP"),
    RXNORM: (re.compile(r"[1-9]\d{0,7}"), "digits only"),
    ATC: (re.compile(r"[A-Z]\d{2}[A-Z]{2}\d{2}"), "7 characters such as L01FX07"),
    CPT: (re.compile(r"\d{5}"), "5 digits"),
    ICD_10_CM: (_ICD_10, "a letter, 2 characters, then up to 4 after a point, such as C91.02"),
    ICD_10_WHO: (re.compile(r"[A-Z]\d{2}(\.\d{1,2})?"), "a letter and 2 digits, such as C91.0"),
    ICD_10_GM: (re.compile(r"[A-Z]\d{2}(\.\d{1,2})?"), "a letter and 2 digits, such as C91.00"),
    ICD_9_CM: (re.compile(r"([V\d]\d{2}|E\d{3}|\d{2})(\.\d{1,2})?"), "such as 204.00, V10.61 or 41.05"),
    ICD_O_3: (re.compile(r"\d{4}/[012369]|C\d{2}\.\d"), "4 digits, a slash and a behaviour digit, or C42.1"),
    ICD_10_PCS: (_PCS, "7 characters, never I or O"),
    ICD_10_PCS_THO: (_PCS, "7 characters, never I or O"),
    NCIT: (re.compile(r"C\d+"), "C and digits"),
    HGNC: (re.compile(r"HGNC:\d+"), "HGNC:digits"),
}

# Systems whose codes have neither a check digit nor a fixed length.
_FREE_FORM = frozenset(
    {
        UCUM,
        NOT_UCUM,
        "http://terminology.hl7.org/CodeSystem/condition-clinical",
        "http://terminology.hl7.org/CodeSystem/condition-ver-status",
        "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
        "http://www.sequenceontology.org/",
    }
)

_MULTIPLY = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_PERMUTE = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 5, 7, 6, 2, 8, 3, 0, 9, 4),
    (5, 8, 0, 3, 7, 9, 6, 1, 4, 2),
    (8, 9, 1, 6, 0, 4, 3, 5, 2, 7),
    (9, 4, 5, 3, 1, 2, 6, 8, 7, 0),
    (4, 2, 8, 6, 5, 7, 3, 9, 0, 1),
    (2, 7, 9, 3, 8, 0, 6, 4, 1, 5),
    (7, 0, 4, 6, 9, 1, 3, 2, 5, 8),
)


@dataclass(frozen=True, slots=True)
class CodeProblem:
    """Why a code cannot be right, and what to do about it."""

    problem: str
    remedy: str


def is_verhoeff_valid(digits: str) -> bool:
    """Whether the last digit of ``digits`` is the Verhoeff check digit of those before it."""
    checksum = 0
    for position, digit in enumerate(reversed(digits)):
        checksum = _MULTIPLY[checksum][_PERMUTE[position % 8][int(digit)]]
    return checksum == 0


def is_luhn_valid(digits: str) -> bool:
    """Whether the last digit of ``digits`` is the mod-10 (Luhn) check digit of those before it."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def find_code_problem(system: str, code: str) -> CodeProblem | None:
    """What is wrong with ``code`` of ``system``, or None where it can be right.

    An unlisted system is a problem as well: a mistyped URI would make every code of it match nothing.
    """
    if system in _FREE_FORM:
        return None
    if system not in _FORMATS:
        return CodeProblem(
            "unknown code system", f"use one of the system URIs of check_digits.py, such as {LOINC}"
        )
    pattern, shape = _FORMATS[system]
    if not pattern.fullmatch(code):
        return CodeProblem("wrong format for this code system", f"expected {shape}")
    return _find_check_digit_problem(system, code)


def _find_check_digit_problem(system: str, code: str) -> CodeProblem | None:
    remedy = "look the code up in a release of the code system; do not correct the digit by hand"
    if system == LOINC and _LOINC_TEST.fullmatch(code) and not is_luhn_valid(code.replace("-", "")):
        return CodeProblem("LOINC check digit does not match", remedy)
    if system == SNOMED and not is_verhoeff_valid(code):
        return CodeProblem("SNOMED CT check digit does not match", remedy)
    if system == SNOMED and code[-3:-1] not in {"00", "10"}:
        return CodeProblem("not a SNOMED CT concept", "use the concept, not a description or relationship")
    return None
