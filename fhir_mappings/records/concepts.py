"""The words a written record may use, and the FHIR shape and code that each of them stands for.

This is the one registry: a word that is not here is refused. Words with a blank (``<agent>``,
``<state>``) are registered once per filling.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from fhir_mappings.records.codes import (
    AGENTS,
    ALL_UNSPECIFIED,
    ICD10PCS,
    LOCAL_LABS,
    TESTIS,
    Code,
    icd10cm,
    loinc,
    snomed,
)


class Shape(Enum):
    """Which FHIR resource a word becomes."""

    DIAGNOSIS = "the Condition of the leukaemia itself"
    CONDITION = "another Condition"
    LEUKAEMIA_STATE = "a change of the leukaemia's Condition"
    RESULT = "laboratory Observation"
    DISEASE_STATUS = "mCODE disease status Observation"
    THERAPY_START = "start of a CarePlan"
    THERAPY_END = "end of a CarePlan"
    PROCEDURE = "Procedure"
    GIVEN = "MedicationAdministration"
    ORDERED = "MedicationRequest"
    ENROLMENT = "ResearchSubject"
    FAMILY_HISTORY = "FamilyMemberHistory"
    REQUEST = "ServiceRequest"
    REPORT = "DiagnosticReport with a conclusion in words"
    DEATH = "Patient.deceasedDateTime"


@dataclass(frozen=True, slots=True)
class Concept:
    """One word of the records.

    ``text`` is CodeableConcept.text where it differs from the display or where there is no code.
    ``material`` is the specimen of a result (marrow, blood, csf). ``state`` is the status the word
    itself states: a clinicalStatus, a verificationStatus, a ResearchSubject status, or the name of
    the therapy. ``brings`` names a second word that the same row stands for.
    """

    name: str
    shape: Shape
    code: Code | None = None
    text: str = ""
    material: str = ""
    state: str = ""
    body_site: Code | None = None
    donor: bool = False
    intrathecal: bool = False
    brings: str = ""


_S = Shape
_MRD_TEXT = "Minimal residual disease by flow cytometry, bone marrow"
_EXAM_TEXT = "Testicular examination"

_DIAGNOSES = (
    Concept("diagnosis ALL", _S.DIAGNOSIS, ALL_UNSPECIFIED),
    Concept("diagnosis B-ALL", _S.DIAGNOSIS, snomed("277571004", "B-cell acute lymphoblastic leukemia")),
    Concept("diagnosis T-ALL", _S.DIAGNOSIS, snomed("277575008", "T-cell acute lymphoblastic leukemia")),
    Concept(
        "diagnosis Ph+ B-ALL",
        _S.DIAGNOSIS,
        snomed("425688002", "Philadelphia chromosome-positive acute lymphoblastic leukemia"),
    ),
    Concept("diagnosis AML", _S.DIAGNOSIS, snomed("91861009", "Acute myeloid leukemia, disease")),
    Concept("diagnosis CLL", _S.DIAGNOSIS, snomed("92814006", "Chronic lymphoid leukemia, disease")),
    Concept("diagnosis MPAL", _S.DIAGNOSIS, snomed("278453007", "Acute biphenotypic leukemia")),
    Concept("diagnosis lymphoblastic lymphoma", _S.DIAGNOSIS, icd10cm("C83.50", "Lymphoblastic lymphoma")),
    Concept("diagnosis C91.00", _S.DIAGNOSIS, icd10cm("C91.00", "ALL not having achieved remission")),
    Concept("diagnosis C91.01", _S.DIAGNOSIS, icd10cm("C91.01", "ALL, in remission"), state="remission"),
    Concept("diagnosis C91.02", _S.DIAGNOSIS, icd10cm("C91.02", "ALL, in relapse")),
    Concept("diagnosis C91.10", _S.DIAGNOSIS, icd10cm("C91.10", "CLL of B-cell type, no remission")),
    Concept("diagnosis C92.02", _S.DIAGNOSIS, icd10cm("C92.02", "Acute myeloblastic leukemia, in relapse")),
    Concept("diagnosis in words", _S.DIAGNOSIS, text="as written"),
    Concept("diagnosis under code", _S.DIAGNOSIS, text="as written"),
    Concept("leukaemia, type not stated", _S.DIAGNOSIS, icd10cm("C95.90", "Leukemia, unspecified")),
    Concept("coded relapse", _S.CONDITION, snomed("12301000132103", "Acute lymphoid leukemia relapse")),
    Concept(
        "coded refractory ALL", _S.CONDITION, snomed("12311000132101", "Refractory acute lymphoid leukemia")
    ),
    Concept("second ALL condition in relapse", _S.CONDITION, ALL_UNSPECIFIED, state="relapse"),
    Concept("second ALL condition", _S.CONDITION, ALL_UNSPECIFIED),
    Concept("condition in remission", _S.LEUKAEMIA_STATE, state="remission"),
    Concept("condition in relapse", _S.LEUKAEMIA_STATE, state="relapse"),
    Concept("condition recurrence", _S.LEUKAEMIA_STATE, state="recurrence"),
)

_CNS = snomed(
    "61301000119102",
    "Disorder of central nervous system co-occurrent and due to acute lymphoid leukemia",
)
_SKIN = snomed("404124002", "Leukemic infiltration of skin (T-cell lymphoblastic leukemia)")
_TESTIS_TUMOUR = snomed("94623007", "Secondary malignant neoplasm of testis")

_CONDITIONS = (
    Concept("CNS condition", _S.CONDITION, _CNS),
    Concept("suspected CNS disease", _S.CONDITION, _CNS, state="provisional"),
    Concept("facial palsy", _S.CONDITION, text="Facial palsy"),
    Concept("testicular disease", _S.CONDITION, _TESTIS_TUMOUR, body_site=TESTIS),
    Concept(
        "suspected testicular disease", _S.CONDITION, _TESTIS_TUMOUR, state="provisional", body_site=TESTIS
    ),
    Concept("suspected skin disease", _S.CONDITION, _SKIN, state="provisional"),
    Concept("Down syndrome", _S.CONDITION, text="Down syndrome"),
    Concept("HSCT status", _S.CONDITION, icd10cm("Z94.84", "Stem cells transplant status")),
    Concept("history of leukaemia", _S.CONDITION, icd10cm("Z85.6", "Personal history of leukemia")),
)


def _result(name: str, code: str, display: str, material: str = "", *, donor: bool = False) -> Concept:
    return Concept(name, Shape.RESULT, loinc(code, display), material=material, donor=donor)


_RESULTS = (
    _result("marrow lymphoblasts", "50724-4", "Lymphoblasts/Leukocytes in Bone marrow", "marrow"),
    _result("marrow blasts", "11150-0", "Blasts/cells in Bone marrow", "marrow"),
    Concept(
        "marrow blasts without code system", Shape.RESULT, Code("", "11150-0", "Blasts"), material="marrow"
    ),
    Concept(
        "marrow blasts under a local code",
        Shape.RESULT,
        Code(LOCAL_LABS, "BLASTS-BM", "Blasts, bone marrow"),
        text="Blasts, bone marrow",
        material="marrow",
    ),
    _result("donor marrow lymphoblasts", "50724-4", "Lymphoblasts in Bone marrow", "marrow", donor=True),
    _result("marrow immunophenotype", "55230-7", "Immunophenotyping study", "marrow"),
    _result("blood blasts", "26446-5", "Blasts/100 leukocytes in Blood", "blood"),
    _result("blood lymphoblasts", "34922-5", "Lymphoblasts/100 leukocytes in Blood", "blood"),
    _result("blood blasts absolute", "30376-8", "Blasts [#/volume] in Blood", "blood"),
    _result("blood lymphoblasts absolute", "35050-4", "Lymphoblasts [#/volume] in Blood", "blood"),
    _result("blood WBC", "26464-8", "Leukocytes [#/volume] in Blood", "blood"),
    _result("blood RBC", "26453-1", "Erythrocytes [#/volume] in Blood", "blood"),
    _result("CSF WBC", "26465-5", "Leukocytes [#/volume] in Cerebral spinal fluid", "csf"),
    _result("CSF nucleated cells", "58470-6", "Nucleated cells [#/volume] in CSF", "csf"),
    _result("CSF RBC", "26454-9", "Erythrocytes [#/volume] in Cerebral spinal fluid", "csf"),
    _result("CSF blasts", "26447-3", "Blasts/100 leukocytes in Cerebral spinal fluid", "csf"),
    _result("CSF cytology", "42209-7", "Cytology of Cerebral spinal fluid", "csf"),
    _result("CD19 on blasts", "51101-4", "CD19 blasts/Blasts in Bone marrow", "marrow"),
    _result("CD20 on blasts", "51115-4", "CD20 blasts/100 blasts in Bone marrow", "marrow"),
    _result("CD22 on blasts", "51124-6", "CD22 blasts/100 blasts in Bone marrow", "marrow"),
    _result("cyCD3 on blasts", "51137-8", "Cytoplasmic CD3 blasts/Blasts in Bone marrow", "marrow"),
    _result("CD19 cells", "32525-8", "CD19 cells/100 cells in Bone marrow", "marrow"),
    _result("BCR::ABL1", "21821-4", "t(9,22)(ABL1,BCR) in Blood or Tissue"),
    _result("BCR::ABL1 p190 ratio", "52132-8", "t(9;22) e1a2 fusion transcript/control transcript"),
    _result("BCR::ABL1 p210 ratio", "55147-3", "t(9;22) b2a2+b3a2 fusion transcript/control transcript"),
    _result("KMT2A", "21815-6", "t(4,11)(MLLT2,MLL) in Blood or Tissue"),
    Concept("MRD", _S.RESULT, Code(LOCAL_LABS, "MRD-FLOW", _MRD_TEXT), text=_MRD_TEXT, material="marrow"),
    Concept("testis examination", _S.RESULT, Code(LOCAL_LABS, "TESTIS-EXAM", _EXAM_TEXT), text=_EXAM_TEXT),
    Concept("remission", _S.DISEASE_STATUS, loinc("97509-4", "Cancer disease progression")),
    Concept("partial remission", _S.DISEASE_STATUS, loinc("97509-4", "Cancer disease progression")),
)

_COURSE = (
    Concept("on therapy", _S.THERAPY_START, state="Frontline therapy"),
    Concept("end of therapy", _S.THERAPY_END, state="Frontline therapy"),
    Concept("planned end of therapy", _S.THERAPY_END, state="Frontline therapy"),
    Concept("reinduction start", _S.THERAPY_START, state="Reinduction"),
    Concept("reinduction end", _S.THERAPY_END, state="Reinduction"),
    Concept("deceased", _S.DEATH),
    Concept("family history ALL", _S.FAMILY_HISTORY, ALL_UNSPECIFIED),
)

_PROCEDURES = (
    Concept("HSCT", _S.PROCEDURE, snomed("58390007", "Allogeneic bone marrow transplantation")),
    Concept("CAR-T", _S.PROCEDURE, Code(ICD10PCS, "XW033J7", "Introduction of Tisagenlecleucel")),
    Concept("lumbar puncture", _S.PROCEDURE, snomed("277762005", "Lumbar puncture")),
    Concept("marrow aspirate", _S.PROCEDURE, snomed("49401003", "Bone marrow aspiration procedure")),
    Concept("cranial radiotherapy", _S.PROCEDURE, snomed("428412000", "Radiotherapy to head")),
    Concept("testicular radiotherapy", _S.PROCEDURE, snomed("108290001", "Radiotherapy"), body_site=TESTIS),
    Concept("orchiectomy", _S.PROCEDURE, snomed("120001005", "Testis excision")),
    Concept(
        "testicular biopsy", _S.PROCEDURE, snomed("1251000", "Incisional biopsy of testis"), body_site=TESTIS
    ),
    Concept(
        "testicular biopsy positive",
        _S.PROCEDURE,
        snomed("1251000", "Incisional biopsy of testis"),
        body_site=TESTIS,
        brings="testicular disease",
    ),
)

_REQUESTS = (
    Concept(
        "referral HSCT",
        _S.REQUEST,
        snomed("234336002", "Hemopoietic stem cell transplant"),
        text="Referral for evaluation of allogeneic stem cell transplantation",
    ),
    Concept("referral trial", _S.REQUEST, text="Referral to a clinical trial"),
    Concept("pending marrow", _S.REQUEST, snomed("49401003", "Bone marrow aspiration procedure")),
    Concept("pending CSF", _S.REQUEST, snomed("277762005", "Lumbar puncture")),
)

ENROLMENT_STATES: Final = (
    "candidate",
    "potential-candidate",
    "eligible",
    "ineligible",
    "screening",
    "pending-on-study",
    "not-registered",
    "on-study",
    "on-study-intervention",
    "on-study-observation",
    "follow-up",
    "off-study",
    "withdrawn",
)


def _filled() -> list[Concept]:
    words = [
        Concept("G-CSF", Shape.GIVEN, AGENTS["filgrastim"]),
        Concept("pegylated G-CSF", Shape.GIVEN, AGENTS["pegfilgrastim"]),
    ]
    for agent, code in AGENTS.items():
        words += [
            Concept(f"medication given {agent}", Shape.GIVEN, code),
            Concept(f"medication ordered {agent}", Shape.ORDERED, code),
            Concept(f"intrathecal {agent}", Shape.GIVEN, code, intrathecal=True),
            Concept(f"intrathecal ordered {agent}", Shape.ORDERED, code, intrathecal=True),
        ]
    words += [Concept(f"trial enrolment {state}", Shape.ENROLMENT, state=state) for state in ENROLMENT_STATES]
    return words


_REPORTS = (
    Concept("marrow report", Shape.REPORT, loinc("48807-2", "Bone marrow aspiration report")),
    Concept("CSF report", Shape.REPORT, text="Cerebrospinal fluid cytology report"),
    Concept("MRD report", Shape.REPORT, text="Minimal residual disease report, bone marrow"),
    Concept("testis report", Shape.REPORT, text="Testicular biopsy report"),
    Concept("genetics report", Shape.REPORT, text="Cytogenetics report, bone marrow"),
    Concept("pathology report", Shape.REPORT, text="Surgical pathology report"),
)

_PLAIN = (*_REPORTS, *_DIAGNOSES, *_CONDITIONS, *_RESULTS, *_COURSE, *_PROCEDURES, *_REQUESTS)

CONCEPTS: Final[dict[str, Concept]] = {concept.name: concept for concept in (*_PLAIN, *_filled())}
"""Every word that a record may use."""


def allowed_words() -> str:
    """The allowed words for an error message, with one blank instead of every agent and state."""
    blanks = [
        "G-CSF",
        "pegylated G-CSF",
        "medication given <agent>",
        "medication ordered <agent>",
        "intrathecal <agent>",
        "intrathecal ordered <agent>",
        "trial enrolment <state>",
    ]
    return (
        ", ".join([concept.name for concept in _PLAIN] + blanks)
        + f"; agents: {', '.join(AGENTS)}; states: {', '.join(ENROLMENT_STATES)}"
    )
