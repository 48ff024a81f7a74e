"""Numbers as laboratories write them in text: ``62,5 %``, ``~60 %``, ``62 % (H)``, ``60-70 %``, ``>95%``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from fhir_mappings.clinical.units import steady

_NUMBER = r"(\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?![\d.,])|\d{1,12}(?:[.,]\d{1,20})?(?:[eE][-\u2212]?\d{1,2})?)"
_ABOUT = r"(~|\u2248|ca\.?|circa|approx(?:imately|\.)?|about|around|etwa|env(?:iron|\.)?|aprox\.?)"
_COMPARED = (
    r"(<=|>=|<|>|\u2264|\u2265|gt|lt|ge|le|greater than|less than|more than|over|at least|up to|mehr als"
    r"|weniger als|mindestens|h\u00f6chstens|\u00fcber|unter)"
)
_SINGLE = re.compile(rf"\s*{_ABOUT}?\s*{_COMPARED}?\s*{_NUMBER}\s*(\S.*)?", re.IGNORECASE)
_SPAN = re.compile(rf"\s*{_NUMBER}\s*%?\s*(?:-|\u2013|\u2014|to|bis)\s*{_NUMBER}\s*(\S.*)?", re.IGNORECASE)
_COMPARATORS = {
    "<": "<", ">": ">", "<=": "<=", ">=": ">=", "\u2264": "<=", "\u2265": ">=", "lt": "<", "gt": ">",
    "le": "<=", "ge": ">=", "greater than": ">", "less than": "<", "more than": ">", "over": ">",
    "at least": ">=", "up to": "<=", "mehr als": ">", "weniger als": "<", "mindestens": ">=",
    "h\u00f6chstens": "<=", "\u00fcber": ">", "unter": "<",
}  # fmt: skip
_FLAG = re.compile(
    r"(?:(?:\s+|(?<=%)|(?=[(\[]))[(\[]?(?:HH?|LL?|AA?|N|[Hh]igh|[Ll]ow|[Aa]bnormal|[Cc]ritical)[)\]]?|\s*[*!]+)\s*\Z"
)
_THOUSANDS = re.compile(r"\d{1,3}[.,]\d{3}")
_ABOUT_SHARE = Decimal("0.1")
"""How far "about" reaches to both sides, as a share of the number (docs/clinical/decisions.md)."""


@dataclass(frozen=True, slots=True)
class WrittenNumber:
    """A number in a text: its bounds (equal for a single one), comparator, and the unit after it.

    ``groups`` says that a mark before three digits can be a decimal mark as well as one of thousands.
    """

    low: Decimal
    high: Decimal
    comparator: str
    unit: str
    groups: bool = False


def read_number(text: str) -> WrittenNumber | None:
    """The number that the whole text is; None where there are other words."""
    span = _SPAN.fullmatch(text)
    if span is not None:
        low, high = _decimal(span[1]), _decimal(span[2])
        unit = span[3] or ("%" if "%" in text else "")
        return WrittenNumber(low, high, "", _without_flag(unit), _has_groups(span[1], span[2]))
    single = _SINGLE.fullmatch(text)
    if single is None:
        return None
    number = _decimal(single[3])
    comparator = _COMPARATORS[single[2].lower()] if single[2] else ""
    unit, groups = _without_flag(single[4] or ""), _has_groups(single[3])
    if single[1] and not comparator:
        reach = number * _ABOUT_SHARE
        return WrittenNumber(number - reach, number + reach, "", unit, groups)
    return WrittenNumber(number, number, comparator, unit, groups)


def _without_flag(unit: str) -> str:
    return _FLAG.sub("", f" {unit}").strip()


def _has_groups(*numbers: str) -> bool:
    return any(_THOUSANDS.fullmatch(number) for number in numbers)


def _decimal(text: str) -> Decimal:
    plain = re.sub(r"[ \u00a0\u202f]", "", text).replace(",", ".").replace("\u2212", "-")
    return steady(Decimal(plain))
