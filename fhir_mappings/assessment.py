"""The answer for one patient: what was decided, on what evidence, and what could not be decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import Ignored, Lineage
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.options import Marker as Marker
from fhir_mappings.clinical.options import OptionState as OptionState
from fhir_mappings.clinical.timing import TimingClass as TimingClass
from fhir_mappings.clinical.verdict import Evidence, Missing, Unknown, Verdict


class Status(Enum):
    """Relapse status (reference model 0.2)."""

    RELAPSE = "relapse"
    PROBABLE = "probable"
    SUSPECT = "suspect"
    REFRACTORY = "refractory"
    PERSISTENT = "persistent"
    NONE = "none"
    OUT_OF_SCOPE = "out-of-scope"
    NOT_EVALUABLE = "not-evaluable"


class Indicator(Enum):
    """CDS Hooks card urgency, by rule R-11."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Availability(Enum):
    """What is known about one need of the rules."""

    PRESENT = "present"
    EMPTY = "known-empty"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class NeedState:
    """Whether a need's data were seen. ``reason`` is a phrase key when unknown
    (``not-supplied``, ``server-error``, ``truncated``, ``unreadable``, ...)."""

    availability: Availability
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of the answer: the key of its words, and the values for the words' blanks.

    Values may hold text from the EHR and must be escaped where they are rendered. ``on_card`` is False
    for what stands on the evidence page only, whatever the rank of its words.
    """

    words: str
    values: Mapping[str, str] = field(default_factory=dict)
    cites: tuple[str, ...] = ()
    on_card: bool = True


@dataclass(frozen=True, slots=True)
class Section:
    """One named part of the answer (names of reference model 0.5), in the order to be read.

    ``summary`` is the one-sentence form for a card's headline. ``on_card`` is False for a section of the
    evidence page only (D-13).
    """

    name: str
    indicator: Indicator
    statements: tuple[Statement, ...]
    summary: Statement | None = None
    on_card: bool = True


@dataclass(frozen=True, slots=True)
class CriterionResult:
    """The verdict of one criterion of one criteria set."""

    criteria_set: str
    id: str
    verdict: Verdict
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Timing:
    """Every timing system side by side; empty value means that the system did not apply."""

    seed_003: TimingClass
    seed_000: TimingClass
    bfm: TimingClass
    cog: TimingClass
    cr1_over_18_months: Answer | None = None  # None: not asked for at this site
    cr1_months: float | None = None
    months_since_transplant: float | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """One agent or regimen with its fit and the reasons for it."""

    agent: str
    title: str
    state: OptionState
    because: tuple[Statement, ...]
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotEvaluated:
    """Something the rules could not look at, in words; ``need`` is its key where data were not seen."""

    what: str
    why: str
    need: str = ""


@dataclass(frozen=True, slots=True)
class KnowledgeStamp:
    """Which knowledge decided: disease, version, digest and review state."""

    disease: str
    version: str
    digest: str
    review: str


@dataclass(frozen=True, slots=True)
class ReportFinding:
    """One result in words. ``before``, ``quote`` and ``after`` are the text around it, verbatim.

    ``certainty`` is known, doubtful or not-this; ``cue`` the words that decided it, ``reason`` its kind.
    """

    quote: str
    concept: str
    certainty: str
    effect: str
    before: str
    after: str
    cue: str = ""
    reason: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    low_open: bool = False
    high_open: bool = False
    unit: str = ""
    presence: str = ""
    negated: bool = False
    date: str = ""


@dataclass(frozen=True, slots=True)
class AssessedReport:
    """One text of the chart: where it stands, how far it was read (read, partly, unread), why not further."""

    resource: str
    element: str
    kind: str
    state: str
    date: str = ""
    why: str = ""
    label: str = ""
    findings: tuple[ReportFinding, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """The complete answer for one patient at one moment."""

    patient: str
    at: datetime
    knowledge: KnowledgeStamp
    status: Status
    criteria: tuple[CriterionResult, ...] = ()
    phase: str = ""
    relapse_number: int | None = None
    event: Moment | None = None
    event_source: str = ""
    site: str = ""
    cns: Answer = Answer.UNSURE
    """Whether the CNS is involved in the event; unsure without a lumbar puncture that decides it."""
    cns_because: tuple[Evidence, ...] = ()
    beside: tuple[Evidence, ...] = ()
    """What the finding shows beside the criteria: suspicions, disease that persists or never remitted."""
    timing: Timing | None = None
    lineage: Lineage = Lineage.UNKNOWN
    bcr_abl1: Marker = Marker.UNKNOWN
    cd19: Marker = Marker.UNKNOWN
    cd22: Marker = Marker.UNKNOWN
    kmt2a: Marker = Marker.UNKNOWN
    age_years: int | None = None
    sex: str = "unknown"
    options: tuple[Option, ...] = ()
    sections: tuple[Section, ...] = ()
    not_evaluated: tuple[NotEvaluated, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    missing_needs: tuple[str, ...] = ()
    evidence_digest: str = ""
    latest_specimen: str = ""
    reports: tuple[AssessedReport, ...] = ()
    """Every text that was read or named, newest first, with what was found in it."""

    def section(self, name: str) -> Section | None:
        """The section of that name, if the answer has it."""
        return next((part for part in self.sections if part.name == name), None)

    @property
    def missing(self) -> tuple[Missing, ...]:
        """Everything named as missing by any criterion, once each."""
        found: dict[str, Missing] = {}
        for result in self.criteria:
            if isinstance(result.verdict, Unknown):
                for item in result.verdict.missing:
                    found.setdefault(item.key, item)
        return tuple(found.values())
