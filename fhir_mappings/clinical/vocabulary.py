"""What codes, units and words mean to the rules: the vocabulary the FHIR readers are handed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from fhir_mappings.clinical.code_systems import CodeSystems, CodeTable
from fhir_mappings.clinical.disease_names import DiseaseNames
from fhir_mappings.clinical.facts import DiagnosisKind, Lineage, Phase, Specimen
from fhir_mappings.clinical.quantities import Presence
from fhir_mappings.clinical.units import UnitTable


@dataclass(frozen=True, slots=True)
class ResultConcept:
    """A laboratory concept. ``dimension`` is percent, count, residual (MRD), presence or text.

    ``material`` is what the code says it was measured on; ``only_on`` restricts a code that serves
    several materials (a body-fluid code counts as CSF only when the specimen says CSF).
    """

    id: str
    title: str
    need: str
    dimension: str
    material: Specimen = Specimen.UNSTATED
    only_on: Specimen = Specimen.UNSTATED


@dataclass(frozen=True, slots=True)
class DiagnosisMeaning:
    """What a Condition code states."""

    kind: DiagnosisKind
    phase: Phase = Phase.UNSTATED
    lineage: Lineage = Lineage.UNKNOWN
    bcr_abl1: str = "unstated"
    kmt2a: bool = False
    site: str = ""
    history: bool = False
    names_all: bool = False


@dataclass(frozen=True, slots=True)
class CertaintyCodes:
    """Codes in lower case that say how certain a diagnosis is, and where beside its status they stand."""

    extensions: frozenset[str] = frozenset()
    letters: str = ""
    refuted: frozenset[str] = frozenset()
    unproven: frozenset[str] = frozenset()
    past: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TextRule:
    """A text pattern and what it means; ``refuse`` vetoes it.

    ``said_only``: what it finds is said and never used, and not even said below ``harmless_below``.
    """

    pattern: re.Pattern[str]
    meaning: str
    refuse: re.Pattern[str] | None = None
    hint: str = ""
    said_only: bool = False
    harmless_below: Decimal | None = None

    def matches(self, text: str) -> bool:
        """Whether the text states the meaning."""
        if not self.pattern.search(text):
            return False
        return self.refuse is None or not self.refuse.search(text)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All code and word meanings. Codes are keyed by code, then by system; ``find`` reads every spelling."""

    results: CodeTable[ResultConcept]
    result_concepts: Mapping[str, ResultConcept]
    diagnoses: CodeTable[DiagnosisMeaning]
    procedures: CodeTable[str]
    agents: CodeTable[str]
    agent_names: tuple[tuple[re.Pattern[str], str], ...]
    agent_hint: re.Pattern[str]
    answers: CodeTable[Presence]
    remission_answers: frozenset[tuple[str, str]]
    specimens: CodeTable[Specimen]
    specimen_texts: tuple[TextRule, ...]
    result_texts: tuple[TextRule, ...]
    disease_names: DiseaseNames
    blood_cancer_codes: re.Pattern[str]
    blood_cancer_words: re.Pattern[str]
    marrow_tumour_codes: re.Pattern[str]
    marrow_tumour_words: re.Pattern[str]
    diagnosis_texts: tuple[TextRule, ...]
    diagnosis_text_meanings: Mapping[str, DiagnosisMeaning]
    referral_codes: CodeTable[str]
    referral_texts: tuple[TextRule, ...]
    diagnosis_course_text: re.Pattern[str]
    leukaemia_text: re.Pattern[str]
    donor_text: re.Pattern[str]
    absent_text: re.Pattern[str]
    present_text: re.Pattern[str]
    value_nouns: re.Pattern[str]
    sensitivity_text: re.Pattern[str]
    units: Mapping[str, UnitTable]
    genes: Mapping[str, str]
    certainty: CertaintyCodes
    systems: CodeSystems = field(default_factory=CodeSystems)
    body_sites: CodeTable[str] = field(default_factory=CodeTable)
    report_kinds: tuple[TextRule, ...] = ()
    document_text: re.Pattern[str] = re.compile(r"(?!)")
    intrathecal: frozenset[tuple[str, str]] = frozenset()

    def with_local_codes(self, local: Mapping[str, Sequence[str]]) -> Vocabulary:
        """The vocabulary extended by a site's local result codes (``concept -> system|code``).

        Raises KeyError naming a concept that does not exist.
        """
        if not local:
            return self
        added: dict[str, dict[str, ResultConcept]] = {}
        for concept, codes in local.items():
            meaning = self.result_concepts[concept]
            for text in codes:
                system, _, code = text.rpartition("|")
                added.setdefault(code, {})[system] = meaning
        return replace(self, results=self.results.with_rows(added))
