"""The words and codes of ``trials.toml`` as values, for readers of studies and for the card."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from fhir_mappings.statements.sentences import filled
from fhir_mappings.trials.study import Accrual, AgeUnit, Span, TrialFact


class FactKind(Enum):
    """The form in which a fact is expected."""

    AGE = "age"
    CODED = "coded"
    NUMBER = "number"
    THERAPIES = "therapies"


@dataclass(frozen=True, slots=True)
class FactWords:
    """One fact a criterion may ask about.

    ``values`` maps each accepted value to its words (for therapies: identifier to name). ``spans``
    gives values that stand for a range of numbers. ``codes`` are the ``system|code`` spellings
    accepted in ``Group.characteristic.code``; ``value_codes`` those of a value. ``units`` maps an
    accepted unit to its factor. ``test`` is the examination to ask for, empty where none would
    answer. ``concepts`` are the laboratory concepts whose results answer it. ``max_age_days``
    limits how old a datum may be to speak of the patient now.
    """

    fact: TrialFact
    kind: FactKind
    title: str
    unit: str
    values: Mapping[str, str]
    spans: Mapping[str, Span]
    codes: frozenset[str]
    value_codes: Mapping[str, str]
    units: Mapping[str, Decimal]
    test: str
    concepts: frozenset[str]
    max_age_days: int | None


@dataclass(frozen=True, slots=True)
class RegistryWords:
    """How a registry entry is read: which conditions name the disease, its state and its lineage."""

    query: str
    disease: re.Pattern[str]
    wider_disease: re.Pattern[str]
    relapse: re.Pattern[str]
    first_line: re.Pattern[str]
    lineages: Mapping[str, re.Pattern[str]]
    philadelphia: Mapping[str, re.Pattern[str]]


@dataclass(frozen=True, slots=True)
class TrialVocabulary:
    """Everything of ``trials.toml`` that reading, matching and showing studies needs."""

    facts: Mapping[TrialFact, FactWords]
    fact_of_code: Mapping[str, TrialFact]
    phrases: Mapping[str, str]
    phases: Mapping[str, str]
    statuses: Mapping[str, str]
    accruals: Mapping[str, Accrual]
    classes: Mapping[str, frozenset[str]]
    registry: RegistryWords
    usually_unchecked: tuple[str, ...]
    registry_fresh_days: int
    catalogue_fresh_days: int
    max_studies: int
    max_not_listed: int
    max_criteria_shown: int

    def phrase(self, key: str, **blanks: str) -> str:
        """The phrase of that key with its blanks filled."""
        return filled(self.phrases[key], blanks)

    def age(self, count: int, unit: AgeUnit) -> str:
        """An age in words: ``1 year``, ``18 years``."""
        return self.phrase(f"{unit.value}_one" if count == 1 else unit.value, count=str(count))

    def accrual(self, status: str) -> Accrual:
        """What a status word of any source means for taking patients."""
        return self.accruals.get(status, Accrual.UNKNOWN)

    def phase(self, code: str) -> str:
        """A phase in words; a code that is not listed is shown as it is."""
        return self.phases.get(code, code)

    def status(self, code: str) -> str:
        """A status in words; a code that is not listed is shown as it is."""
        return self.statuses.get(code, code)
