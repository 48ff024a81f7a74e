"""A clinical study as the service knows it, whatever list it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from fhir_mappings.clinical.moments import Moment


class TrialFact(Enum):
    """What a machine-readable criterion may ask about. The words stand in ``trials.toml``."""

    AGE = "age"
    SEX = "sex"
    DISEASE = "disease"
    DISEASE_STATE = "disease-state"
    LINEAGE = "lineage"
    CD19 = "cd19"
    CD22 = "cd22"
    BCR_ABL1 = "bcr-abl1"
    KMT2A = "kmt2a"
    RELAPSE_NUMBER = "relapse-number"
    TIMING = "timing"
    SITE = "site"
    CNS = "cns"
    PRIOR_THERAPIES = "prior-therapies"
    PRIOR_TRANSPLANT = "prior-transplant"
    MRD = "mrd"
    DOWN_SYNDROME = "down-syndrome"
    ECOG = "ecog"
    KARNOFSKY = "karnofsky"
    LANSKY = "lansky"
    CREATININE = "creatinine"
    GFR = "gfr"
    BILIRUBIN = "bilirubin"
    ALT = "alt"
    AST = "ast"
    EJECTION_FRACTION = "ejection-fraction"

    # Members are looked up hundreds of times for one patient; identity is what Enum compares by anyway.
    __hash__ = object.__hash__


class AgeUnit(Enum):
    """Units in which a study states an age limit."""

    YEARS = "years"
    MONTHS = "months"
    WEEKS = "weeks"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Age:
    """An age limit as the study states it."""

    count: int
    unit: AgeUnit


@dataclass(frozen=True, slots=True)
class AgeSpan:
    """Ages from ``low`` to ``high``, both inclusive in completed units: "18 years" lasts until the
    19th birthday. None is unbounded."""

    low: Age | None = None
    high: Age | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Numbers in the canonical unit of the fact. None is unbounded; ``open`` leaves the bound out."""

    low: Decimal | None = None
    high: Decimal | None = None
    low_open: bool = False
    high_open: bool = False


@dataclass(frozen=True, slots=True)
class OneOf:
    """Any of these values of ``trials.toml``."""

    values: frozenset[str]


Expected = AgeSpan | Span | OneOf


@dataclass(frozen=True, slots=True)
class Criterion:
    """One machine-readable condition of a study; ``exclude`` turns it round."""

    fact: TrialFact
    expected: Expected
    exclude: bool = False


class Accrual(Enum):
    """Whether a study or one of its sites takes patients."""

    OPEN = "open"
    OPENING = "opening"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class Origin(Enum):
    """The list a study came from."""

    CATALOGUE = "catalogue"
    FHIR_SERVER = "fhir-server"
    REGISTRY = "registry"


@dataclass(frozen=True, slots=True)
class Site:
    """A place where a study runs. Latitude and longitude in degrees, None where not stated."""

    name: str
    city: str = ""
    country: str = ""
    accrual: Accrual = Accrual.UNKNOWN
    latitude: float | None = None
    longitude: float | None = None
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Study:
    """One study. ``status`` is the source's own word; ``not_checked`` names criteria left to people.

    ``status_date`` is the day for which the source states the status. ``free_text`` is True where
    the source holds eligibility text that no rule reads. ``link`` is an https address or empty.
    """

    id: str
    title: str
    origin: Origin
    accrual: Accrual
    status: str
    status_date: Moment | None = None
    link: str = ""
    phase: str = ""
    interventions: tuple[str, ...] = ()
    sites: tuple[Site, ...] = ()
    contact: str = ""
    criteria: tuple[Criterion, ...] = ()
    not_checked: tuple[str, ...] = ()
    free_text: bool = False


@dataclass(frozen=True, slots=True)
class StudyList:
    """Studies of one source with their provenance.

    ``label`` names the source for the reader; ``as_of`` is the day for which the list holds, None
    where the source does not say. ``complete`` is False as soon as anything of it could not be read.
    """

    key: str
    label: str
    as_of: Moment | None
    complete: bool
    studies: tuple[Study, ...] = ()
    fresh_days: int | None = None
    faults: tuple[str, ...] = field(default=())
