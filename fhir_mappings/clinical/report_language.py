"""The words that written reports are read by, as a clinician wrote them down: data of the report reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Subject:
    """What a sentence can speak about; ``concepts`` has the result concept of each material (or ``any``)."""

    id: str
    role: str
    words: tuple[str, ...]
    concepts: Mapping[str, str] = field(default_factory=dict)
    doubtful: bool = False
    short: bool = False


@dataclass(frozen=True, slots=True)
class Area:
    """Words that name a material or site."""

    id: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """Words that open a section of a report."""

    section: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cue:
    """Words that decide how a statement is taken, and how far they reach."""

    kind: str
    reach: str
    words: tuple[str, ...]
    within: int = 0


@dataclass(frozen=True, slots=True)
class Assertion:
    """Words that say disease or remission without a figure; ``says`` is present or absent.

    ``area`` restricts words that mean it for one material only; ``course`` is relapse or remission where the
    words name it. ``only_denied`` words are the disease itself: told only where they are denied or doubted.
    """

    says: str
    words: tuple[str, ...]
    area: str = ""
    course: str = ""
    only_denied: bool = False


@dataclass(frozen=True, slots=True)
class Category:
    """A named class of marrow or fluid (M2, CNS3) as an interval or a presence."""

    area: str
    words: tuple[str, ...]
    low: Decimal | None = None
    high: Decimal | None = None
    open: str = ""
    presence: str = ""


@dataclass(frozen=True, slots=True)
class Amount:
    """Words of quantity without a figure."""

    presence: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """How figures are written."""

    words: Mapping[str, Decimal]
    tens: tuple[str, ...]
    shares: Mapping[str, Decimal]
    comparators: Mapping[str, tuple[str, ...]]
    units: Mapping[str, tuple[str, ...]]
    share_of: Mapping[str, tuple[str, ...]]
    between: frozenset[str]


@dataclass(frozen=True, slots=True)
class Side:
    """From which figures on a concept speaks for relapse or for remission, in its unit."""

    negative_below: Decimal | None = None
    positive_from: Decimal | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ReportLanguage:
    """Everything the report reader knows."""

    subjects: tuple[Subject, ...]
    areas: tuple[Area, ...]
    headings: tuple[Heading, ...]
    cues: tuple[Cue, ...]
    assertions: tuple[Assertion, ...]
    silent: tuple[str, ...]
    triggers: tuple[str, ...]
    categories: tuple[Category, ...]
    amounts: tuple[Amount, ...]
    figures: Figures
    sides: Mapping[str, Side] = field(default_factory=dict)
