"""Where the readers of one set of resources put what they find, before it becomes Facts."""

from __future__ import annotations

from dataclasses import dataclass, field

from fhir_mappings.clinical.facts import (
    Diagnosis,
    Enrolment,
    Facts,
    Ignored,
    Medication,
    Person,
    ProcedureDone,
    Referral,
    Result,
    SpecimenTaken,
    TreatmentCourse,
    WrittenReport,
)
from fhir_mappings.clinical.vocabulary import DiagnosisMeaning, ResultConcept

CodedResult = tuple[str, ResultConcept]
"""``system|code`` as matched, or ``text``; and what it means."""
CodedDiagnosis = tuple[str, DiagnosisMeaning]
CodedProcedure = tuple[str, str]


@dataclass(slots=True)
class Collected:
    """Mutable lists of facts; lives only while one set of resources is read."""

    persons: list[Person] = field(default_factory=list)
    diagnoses: list[Diagnosis] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    specimens: list[SpecimenTaken] = field(default_factory=list)
    procedures: list[ProcedureDone] = field(default_factory=list)
    medications: list[Medication] = field(default_factory=list)
    courses: list[TreatmentCourse] = field(default_factory=list)
    enrolments: list[Enrolment] = field(default_factory=list)
    referrals: list[Referral] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)
    reports: list[WrittenReport] = field(default_factory=list)
    unreadable: set[str] = field(default_factory=set)
    results_by_code: dict[bytes, tuple[CodedResult, ...]] = field(default_factory=dict)
    """What the ``code`` of an Observation means, by its bytes: each code is understood once."""
    diagnoses_by_code: dict[bytes, CodedDiagnosis | None] = field(default_factory=dict)
    course_words_by_code: dict[bytes, str] = field(default_factory=dict)
    """What the ``code`` of a Condition states, likewise."""
    procedures_by_code: dict[bytes, CodedProcedure | None] = field(default_factory=dict)
    """Which procedure a ``code`` names, likewise."""
    agents_by_code: dict[bytes, tuple[str, ...]] = field(default_factory=dict)
    """The agents that an order names, likewise."""

    def facts(self) -> Facts:
        """The frozen facts."""
        return Facts(
            persons=tuple(self.persons),
            diagnoses=tuple(self.diagnoses),
            results=tuple(self.results),
            specimens=tuple(self.specimens),
            procedures=tuple(self.procedures),
            medications=tuple(self.medications),
            courses=tuple(self.courses),
            enrolments=tuple(self.enrolments),
            referrals=tuple(self.referrals),
            ignored=tuple(self.ignored),
            reports=tuple(self.reports),
            unreadable=frozenset(self.unreadable),
        )
