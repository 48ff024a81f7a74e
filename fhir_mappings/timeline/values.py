"""What a picture of one chart over time shows: samples, lines, phases, marks, treatments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from fhir_mappings.clinical.moments import Moment


@dataclass(frozen=True, slots=True)
class LevelUse:
    """Who holds samples against a line: a criterion of a set, or a threshold by its key (set empty)."""

    criteria_set: str
    id: str
    comparator: str
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """One line in one panel. ``default`` when the set that decides RELAPSE uses it."""

    panel: str
    value: Decimal
    unit: str
    uses: tuple[LevelUse, ...]
    default: bool


@dataclass(frozen=True, slots=True)
class Fired:
    """A criterion that a sample met. ``current`` when it belongs to the relapse the status speaks of."""

    criteria_set: str
    id: str
    current: bool


@dataclass(frozen=True, slots=True)
class TimelinePoint:
    """One sample. ``panel`` is marrow, blood, csf or mrd; ``low`` and ``high`` bound its value.

    Both bounds are None where only cytology is on record. ``use`` is ``used``, ``preliminary`` or ``gated``
    (a share of a flow gate, for information). ``remarks`` are keys such as ``blasts-present``.
    """

    panel: str
    resource: str
    what: str
    day: Moment
    value: str
    unit: str
    low: Decimal | None
    high: Decimal | None
    original: str = ""
    use: str = "used"
    remarks: tuple[str, ...] = ()
    fired: tuple[Fired, ...] = ()


@dataclass(frozen=True, slots=True)
class TimelinePhase:
    """A stretch of the disease: ``disease``, ``remission``, ``relapse`` or ``possible-relapse``.

    ``end`` is None while it lasts. ``basis`` says how it is known.
    """

    kind: str
    start: Moment
    end: Moment | None
    basis: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class TimelineMark:
    """Something that happened on one day: ``diagnosis``, ``end-of-therapy``, ``finding`` or a procedure."""

    kind: str
    day: Moment
    resource: str
    site: str = ""
    fired: tuple[Fired, ...] = ()


@dataclass(frozen=True, slots=True)
class TimelineTreatment:
    """A treatment plan (``agent`` empty) or an agent. ``end`` is None while it runs or where unknown."""

    resource: str
    agent: str
    title: str
    start: Moment
    end: Moment | None
    running: bool


@dataclass(frozen=True, slots=True)
class SetAside:
    """A result without a place in the picture: no date, or a value that must not be used."""

    resource: str
    what: str
    date: str
    original: str
    why: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything one picture shows, each part in order of time."""

    at: datetime
    points: tuple[TimelinePoint, ...]
    levels: tuple[Level, ...]
    phases: tuple[TimelinePhase, ...]
    marks: tuple[TimelineMark, ...]
    treatments: tuple[TimelineTreatment, ...]
    set_aside: tuple[SetAside, ...]
