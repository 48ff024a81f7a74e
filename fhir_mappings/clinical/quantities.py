"""Laboratory values as intervals, so that "<5" is never taken for 5."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from enum import Enum

from fhir_mappings.clinical.answers import Answer

_LARGEST_EXPONENT = 15
_LONGEST = 12
_SHORT = Context(prec=6)
# Under names of their own: Python 3.11 looks members of an Enum up slowly, and every sample is asked often.
_YES, _NO, _UNSURE = Answer.YES, Answer.NO, Answer.UNSURE


@dataclass(frozen=True, slots=True)
class Measured:
    """A number in canonical units, possibly known only as an interval.

    ``low``/``high`` are None where unbounded; ``low_open``/``high_open`` say that the bound itself
    is excluded. ``unit`` is the canonical unit of the concept (``%`` or ``/uL``; fractions for
    MRD). ``original`` is the text as recorded, for display.
    """

    low: Decimal | None
    high: Decimal | None
    unit: str
    original: str
    low_open: bool = False
    high_open: bool = False

    @property
    def exact(self) -> Decimal | None:
        """The value when it is a single number."""
        return self.low if self.low is not None and self.low == self.high else None

    @property
    def most(self) -> Decimal:
        """The number by which samples are ranked: the upper bound, else the lower, else 0."""
        bound = self.high if self.high is not None else self.low
        return bound if bound is not None else Decimal(0)

    @property
    def text(self) -> str:
        """The value in canonical units for display, with its comparator."""
        if self.low is not None and self.low == self.high:
            return plain(self.low)
        if self.low is None and self.high is not None:
            return f"{'<' if self.high_open else '≤'}{plain(self.high)}"
        if self.high is None and self.low is not None:
            return f"{'>' if self.low_open else '≥'}{plain(self.low)}"
        if self.low is None or self.high is None:
            return self.original
        return f"{plain(self.low)}–{plain(self.high)}"

    def is_above(self, threshold: Decimal) -> Answer:
        """Whether the value is strictly greater than ``threshold``, over the whole interval."""
        if self.low is not None and (self.low > threshold or (self.low == threshold and self.low_open)):
            return _YES
        if self.high is not None and self.high <= threshold:
            return _NO
        return _UNSURE

    def is_at_least(self, threshold: Decimal) -> Answer:
        """Whether the value is greater than or equal to ``threshold``, over the whole interval."""
        if self.low is not None and self.low >= threshold:
            return _YES
        if self.high is not None and (self.high < threshold or (self.high == threshold and self.high_open)):
            return _NO
        return _UNSURE


class Presence(Enum):
    """A qualitative finding."""

    PRESENT = "present"
    WEAK = "weakly positive"
    ABSENT = "absent"
    INDETERMINATE = "indeterminate"


@dataclass(frozen=True, slots=True)
class Narrative:
    """A text result that says nothing computable. The text itself is kept for nobody but the reader."""

    text: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """A value that must not be used, and why (a key of the knowledge's phrases)."""

    why: str
    original: str = ""


NOT_DETECTED = "not detected"
"""The original of a residual disease below its detection limit."""

Value = Measured | Presence | Narrative | Unusable


def as_conflict(value: Value) -> Value:
    """A value whose specimen contradicts its code: not used, and not forgotten unless it is harmless."""
    original = value.original if isinstance(value, (Measured, Unusable)) else ""
    return Unusable("specimen-conflict", original)


def is_measurable(number: Decimal) -> bool:
    """Whether a number has a magnitude that is measured; any other costs time and memory to write out."""
    return number.is_finite() and abs(number.adjusted()) <= _LARGEST_EXPONENT


def plain(number: Decimal) -> str:
    """A decimal without exponent or trailing zeros: ``78``, ``0.02``; of a quotient six digits."""
    if len(number.as_tuple().digits) > _LONGEST:
        number = _SHORT.plus(number)
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
