"""What was read in a written report: results described with the words that say them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from fhir_mappings.clinical.moments import Moment


class Trust(Enum):
    """How far words may be relied on: plainly said, said with doubt, or not about this sample at all."""

    KNOWN = "known"
    DOUBTFUL = "doubtful"
    NOT_THIS = "not-this"


class Effect(Enum):
    """What the words would mean for a relapse if they are trusted."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    OPEN = "open"
    NOT_THIS = "not-this"


class ReadState(Enum):
    """How far a report was understood."""

    READ = "read"
    PARTLY = "partly"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a report before it is read.

    ``area`` is marrow, blood, csf, testis, residual, genetics or empty; ``concept`` is the result concept
    where the text is the value of a coded result; ``date`` is when the sample was taken, else the report.
    """

    area: str = ""
    concept: str = ""
    date: Moment | None = None


@dataclass(frozen=True, slots=True)
class DescribedResult:
    """One result in words. ``quote`` is verbatim: ``text[start:end]``; so is the sentence around it.

    ``low``/``high`` are in ``unit`` (``%`` or ``/uL``), None where unbounded or without a number;
    ``presence`` is present, absent, indeterminate or empty. ``cue`` are the words that decided ``trust``.
    """

    concept: str
    quote: str
    start: int
    end: int
    sentence_start: int
    sentence_end: int
    trust: Trust
    effect: Effect
    cue: str = ""
    reason: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    low_open: bool = False
    high_open: bool = False
    unit: str = ""
    presence: str = ""
    negated: bool = False
    area: str = ""
    date: Moment | None = None
    course: str = ""
    """relapse or remission, where the words themselves name it."""

    @property
    def is_numeric(self) -> bool:
        """Whether a figure was read."""
        return self.low is not None or self.high is not None

    @property
    def is_used(self) -> bool:
        """Whether it says something about this sample, plainly or with doubt."""
        return self.trust is not Trust.NOT_THIS


@dataclass(frozen=True, slots=True)
class Reading:
    """All that a reader found in one text, in the order of the text."""

    state: ReadState
    results: tuple[DescribedResult, ...] = ()
