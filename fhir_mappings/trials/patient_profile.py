"""What is known of one patient that a study may ask for; what is not known is a value of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.quantities import Measured
from fhir_mappings.trials.study import TrialFact


@dataclass(frozen=True, slots=True)
class Birth:
    """The birth date, as exact as it is recorded."""

    moment: Moment


@dataclass(frozen=True, slots=True)
class Coded:
    """One value of the fact's list in ``trials.toml``."""

    value: str


@dataclass(frozen=True, slots=True)
class Given:
    """A therapy on record. ``names`` holds its agent identifier and every class it belongs to."""

    names: frozenset[str]
    text: str
    date: str = ""
    resource: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """Therapies on record, and those the record states were never given.

    A chart that does not mention a drug does not show that it was never given: what stands in
    neither part is unknown.
    """

    given: tuple[Given, ...] = ()
    never: frozenset[str] = frozenset()


PASSING = frozenset(
    {
        TrialFact.ECOG,
        TrialFact.KARNOFSKY,
        TrialFact.LANSKY,
        TrialFact.CREATININE,
        TrialFact.GFR,
        TrialFact.BILIRUBIN,
        TrialFact.ALT,
        TrialFact.AST,
        TrialFact.EJECTION_FRACTION,
    }
)
"""Facts about the patient's fitness, which change from day to day."""

Datum = Birth | Coded | Measured | History


@dataclass(frozen=True, slots=True)
class Known:
    """A fact with the text to show, its date (ISO, as precise as recorded) and its resource."""

    datum: Datum
    text: str
    date: str = ""
    resource: str = ""


@dataclass(frozen=True, slots=True)
class NotKnown:
    """Not on record, or not usable."""


NOT_KNOWN = NotKnown()


@dataclass(frozen=True, slots=True)
class TrialProfile:
    """The patient on one day. A fact that is missing from ``facts`` is not known."""

    on: date
    facts: Mapping[TrialFact, Known] = field(default_factory=dict)

    def fact(self, fact: TrialFact) -> Known | NotKnown:
        """What is known of ``fact``."""
        return self.facts.get(fact, NOT_KNOWN)

    @property
    def evidence(self) -> str:
        """A digest of every fact with its date and resource; it does not change as days pass.

        What is measured again and again is left out: it is news only where it changes which studies fit.
        """
        lines = [
            f"{fact.value}\t{known.text}\t{known.date}\t{known.resource}\t{_history_text(known.datum)}"
            for fact, known in self.facts.items()
            if fact is not TrialFact.AGE and fact not in PASSING
        ]
        age = self.facts.get(TrialFact.AGE)
        if age is not None and isinstance(age.datum, Birth) and age.datum.moment.is_exact_day:
            lines.append(f"birth\t{age.datum.moment.text}")
        return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _history_text(datum: Datum) -> str:
    if not isinstance(datum, History):
        return ""
    given = sorted(f"{one.text}|{one.date}|{one.resource}" for one in datum.given)
    return ";".join([*given, *sorted(datum.never)])
