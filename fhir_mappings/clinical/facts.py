"""What a chart says that bears on relapsed ALL: frozen facts, mergeable in any order."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.quantities import Value


class Specimen(Enum):
    """The material a result was measured on, where the record says it."""

    MARROW = "marrow"
    BLOOD = "blood"
    CSF = "csf"
    OTHER = "other"
    UNSTATED = "unstated"


class ResultStatus(Enum):
    """How far a result may be relied on (F-10)."""

    FINAL = "final"
    PRELIMINARY = "preliminary"


@dataclass(frozen=True, slots=True)
class Result:
    """One laboratory or pathology result about one concept of the knowledge.

    ``concept`` is an identifier of ``concepts.toml`` (for example ``marrow-blasts``).
    ``specimen_ref`` names the FHIR Specimen, where there is one, so that results of one draw can
    be paired. ``code`` is ``system|code`` as matched. ``date_basis`` is ``reported`` when only the report
    date was recorded. ``version`` orders versions of one resource, newest last.
    """

    resource: str
    concept: str
    value: Value
    collected: Moment | None
    status: ResultStatus = ResultStatus.FINAL
    specimen: Specimen = Specimen.UNSTATED
    specimen_ref: str = ""
    code: str = ""
    method: str = ""
    note: str = ""
    sensitivity: str = ""
    date_basis: str = "collected"
    version: str = ""
    quote: str = ""
    """The words it was read from, where it stands in a report only; such a result never asserts alone."""


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """A text of the chart that may say something of the leukaemia, as it stands in its resource.

    ``element`` is where it stands (``conclusion``, ``presentedForm[0]``, ``note``); ``area`` what it is about
    (marrow, blood, csf, testis, residual, genetics, or empty); ``concept`` the result concept whose value it
    is. ``content`` is plain text, or base64 where ``media`` is stated; ``url`` names a Binary that holds it.
    """

    resource: str
    element: str
    area: str
    content: str
    collected: Moment | None
    concept: str = ""
    media: str = ""
    url: str = ""
    status: ResultStatus = ResultStatus.FINAL
    specimen_ref: str = ""
    date_basis: str = "collected"
    label: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class SpecimenTaken:
    """A Specimen: its material, when it was collected, and whether it is a donor's (F-17)."""

    resource: str
    material: Specimen
    collected: Moment | None
    donor: bool = False
    version: str = ""


class DiagnosisKind(Enum):
    """What a Condition code states, by value set."""

    ALL = "all"
    POSSIBLE_ALL = "possible-all"
    LYMPHOBLASTIC_LYMPHOMA = "lymphoblastic-lymphoma"
    OTHER_LEUKAEMIA = "other-leukaemia"
    MYELOID_LEUKAEMIA = "myeloid-leukaemia"
    MIXED_PHENOTYPE = "mixed-phenotype"
    OTHER_BLOOD_CANCER = "other-blood-cancer"
    MARROW_TUMOUR = "marrow-tumour"
    CNS = "cns"
    TESTIS = "testis"
    OTHER_SITE = "other-site"
    TRANSPLANT_RELAPSE = "transplant-relapse"
    TRANSPLANT_STATUS = "transplant-status"
    CAR_T_STATUS = "car-t-status"
    DOWN_SYNDROME = "down-syndrome"
    COMORBIDITY = "comorbidity"


EXPLAINS_BLASTS = frozenset(
    {
        DiagnosisKind.ALL,
        DiagnosisKind.POSSIBLE_ALL,
        DiagnosisKind.LYMPHOBLASTIC_LYMPHOMA,
        DiagnosisKind.OTHER_LEUKAEMIA,
        DiagnosisKind.MYELOID_LEUKAEMIA,
        DiagnosisKind.MIXED_PHENOTYPE,
        DiagnosisKind.OTHER_BLOOD_CANCER,
        DiagnosisKind.CNS,
    }
)
"""Diagnoses that explain blasts: a chart with one of them is another's business (D-02)."""


class Certainty(Enum):
    """Condition.verificationStatus, folded to what the rules need (F-16)."""

    CONFIRMED = "confirmed"
    PROVISIONAL = "provisional"


class Phase(Enum):
    """What the code or the clinicalStatus says about the disease now."""

    UNSTATED = "unstated"
    ACTIVE = "active"
    REMISSION = "remission"
    RELAPSE = "relapse"
    REFRACTORY = "refractory"
    INACTIVE = "inactive"


class Lineage(Enum):
    """Immunophenotypic lineage of the leukaemia."""

    B = "B"
    T = "T"
    MIXED = "mixed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One Condition that bears on the disease.

    ``phase`` folds code and clinicalStatus; ``phase_by_code`` is what the code alone states.
    ``bcr_abl1`` is True where the code itself says Philadelphia-positive. ``history`` says that the
    disease is stated as one of the past (D-03); ``names_all`` that code or words of such a history say ALL.
    """

    resource: str
    kind: DiagnosisKind
    certainty: Certainty
    phase: Phase
    phase_by_code: Phase
    onset: Moment | None
    recorded: Moment | None
    abated: Moment | None = None
    lineage: Lineage = Lineage.UNKNOWN
    bcr_abl1: str = "unstated"
    kmt2a: bool = False
    history: bool = False
    names_all: bool = False
    site: str = ""
    label: str = ""
    code: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class ProcedureDone:
    """A completed procedure of a kind named in ``concepts.toml`` (for example ``hsct-allogeneic``)."""

    resource: str
    kind: str
    performed: Moment | None
    site: str = ""
    code: str = ""
    version: str = ""


class MedicationState(Enum):
    """Whether a drug was given, is running, or is only planned or proposed."""

    GIVEN = "given"
    RUNNING = "running"
    STOPPED = "stopped"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True)
class Medication:
    """A drug, by the agent identifier of ``agents.toml``, and when it was given or ordered."""

    resource: str
    agent: str
    state: MedicationState
    start: Moment | None
    end: Moment | None = None
    intrathecal: bool = False
    version: str = ""


@dataclass(frozen=True, slots=True)
class TreatmentCourse:
    """A CarePlan or EpisodeOfCare, and the Conditions (``Condition/id``) it treats."""

    resource: str
    start: Moment | None
    end: Moment | None
    running: bool
    conditions: tuple[str, ...] = ()
    version: str = ""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A ResearchSubject of the patient. ``state`` is its R4 status code."""

    resource: str
    state: str
    study: str
    label: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Referral:
    """A ServiceRequest of a kind the rules watch (``hsct-evaluation``, ``trial``, ``marrow``, ``csf``)."""

    resource: str
    kind: str
    state: str
    authored: Moment | None
    version: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """The patient, as far as the rules need. ``sex`` is male, female, other or unknown."""

    resource: str
    birth: Moment | None = None
    sex: str = "unknown"
    deceased: bool = False
    merged: bool = False
    version: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A resource that was left out, and why (a key of the knowledge's phrases). Never a silent loss."""

    resource: str
    why: str
    concept: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything read from a set of resources. ``merge`` is associative and commutative.

    ``unreadable`` names the needs whose resources could not be understood, so that the need
    cannot be taken as completely known.
    """

    persons: tuple[Person, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    results: tuple[Result, ...] = ()
    specimens: tuple[SpecimenTaken, ...] = ()
    procedures: tuple[ProcedureDone, ...] = ()
    medications: tuple[Medication, ...] = ()
    courses: tuple[TreatmentCourse, ...] = ()
    enrolments: tuple[Enrolment, ...] = ()
    referrals: tuple[Referral, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    reports: tuple[WrittenReport, ...] = ()
    unreadable: frozenset[str] = field(default_factory=frozenset)
