"""The codes that written records use: one named code per clinical idea, systems as FHIR spells them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

SNOMED: Final = "http://snomed.info/sct"
LOINC: Final = "http://loinc.org"
ICD10CM: Final = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10PCS: Final = "http://www.cms.gov/Medicare/Coding/ICD10"
RXNORM: Final = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM: Final = "http://unitsofmeasure.org"
LOCAL_LABS: Final = "http://demo.relapse-cds.org/labs"
"""Local laboratory code system of the synthetic records: no LOINC code exists for ALL MRD."""


@dataclass(frozen=True, slots=True)
class Code:
    """One code with its system and display."""

    system: str
    code: str
    display: str

    def concept(self, text: str = "") -> dict[str, Any]:
        """A FHIR CodeableConcept with this coding."""
        coding = {"system": self.system, "code": self.code, "display": self.display}
        if not self.system:
            del coding["system"]
        return {"coding": [coding], "text": text or self.display}


def snomed(code: str, display: str) -> Code:
    """A SNOMED CT code."""
    return Code(SNOMED, code, display)


def loinc(code: str, display: str) -> Code:
    """A LOINC code."""
    return Code(LOINC, code, display)


def icd10cm(code: str, display: str) -> Code:
    """An ICD-10-CM code."""
    return Code(ICD10CM, code, display)


MARROW_SPECIMEN: Final = snomed("119359002", "Bone marrow specimen")
BLOOD_SPECIMEN: Final = snomed("119297000", "Blood specimen")
CSF_SPECIMEN: Final = snomed("258450006", "Cerebrospinal fluid sample")
FULL_REMISSION: Final = snomed("103338009", "In full remission")
PARTIAL_REMISSION: Final = snomed("103337004", "In partial remission")
INTRATHECAL_ROUTE: Final = snomed("72607000", "Intrathecal route")
TESTIS: Final = snomed("40689003", "Testis structure")
ALL_UNSPECIFIED: Final = snomed("91857003", "Acute lymphoid leukemia, disease")

MATERIALS: Final = {"marrow": MARROW_SPECIMEN, "blood": BLOOD_SPECIMEN, "csf": CSF_SPECIMEN}

ANSWERS: Final = {
    "present": snomed("52101004", "Present"),
    "absent": snomed("2667000", "Absent"),
    "positive": snomed("10828004", "Positive"),
    "negative": snomed("260385009", "Negative"),
    "detected": snomed("260373001", "Detected"),
    "not detected": snomed("260415000", "Not detected"),
    "weakly positive": snomed("260408008", "Weakly positive"),
    "indeterminate": snomed("82334004", "Indeterminate"),
    "equivocal": snomed("42425007", "Equivocal"),
}

AGENTS: Final = {
    name: Code(RXNORM, code, name)
    for name, code in {
        "blinatumomab": "1597258",
        "inotuzumab ozogamicin": "1942950",
        "nelarabine": "274771",
        "clofarabine": "44151",
        "tisagenlecleucel": "1986438",
        "brexucabtagene autoleucel": "2387277",
        "fludarabine": "24698",
        "cytarabine": "3041",
        "idarubicin": "5650",
        "mitoxantrone": "7005",
        "vincristine": "11202",
        "methotrexate": "6851",
        "mercaptopurine": "103",
        "thioguanine": "10485",
        "pegaspargase": "34132",
        "dexamethasone": "3264",
        "prednisone": "8640",
        "prednisolone": "8638",
        "hydrocortisone": "5492",
        "imatinib": "282388",
        "dasatinib": "475342",
        "ponatinib": "1364347",
        "bortezomib": "358258",
        "daratumumab": "1721947",
        "venetoclax": "1747556",
        "rituximab": "121191",
        "filgrastim": "68442",
        "pegfilgrastim": "338036",
        "cyclophosphamide": "3002",
        "etoposide": "4179",
        "daunorubicin": "3109",
        "doxorubicin": "3639",
    }.items()
}
