"""The value column of a record as the FHIR value[x] a laboratory would send."""

from __future__ import annotations

import re
from typing import Any, Final

from fhir_mappings.records.codes import ANSWERS, UCUM
from fhir_mappings.records.tables import RecordError, Row

_NUMBER = r"-?\d+(?:\.\d+)?(?:[eE]-?\d+)?"
_QUANTITY = re.compile(rf"(<=|>=|<|>)?\s*({_NUMBER})")
_RANGE = re.compile(rf"({_NUMBER})\s*-\s*({_NUMBER})")
_RATIO = re.compile(r"(\d+)\s*:\s*(\d+)")
_PLAIN_TEXT_UNIT: Final = "text:"
_CYTOLOGY: Final = {"present": "60", "absent": "0"}
"""CSF blasts on the cytospin are a percentage: these two words stand for one that is plain."""


def value_of(row: Row) -> dict[str, Any]:
    """The value[x] element of one row, empty when the value column is empty.

    A number with the unit column empty (or ``-``) has no unit at all; ``text:cells/uL`` is a unit
    without a UCUM code. ``1:10000`` is a Ratio, ``5-10`` a Range, a known answer word a coded
    answer, and anything else a string. Raises RecordError for a unit without a number.
    """
    written, unit = row.value, row.unit
    if row.concept == "CSF blasts" and written in _CYTOLOGY:
        written, unit = _CYTOLOGY[written], unit or "%"
    if not written:
        return {}
    if quantity := _QUANTITY.fullmatch(written):
        comparator, number = quantity.groups()
        return {"valueQuantity": _quantity(number, unit, comparator)}
    if bounds := _RANGE.fullmatch(written):
        return {"valueRange": {"low": _quantity(bounds[1], unit), "high": _quantity(bounds[2], unit)}}
    if ratio := _RATIO.fullmatch(written):
        return {"valueRatio": {"numerator": _quantity(ratio[1], ""), "denominator": _quantity(ratio[2], "")}}
    if unit not in ("", "-"):
        raise RecordError(f"line {row.line}: the unit '{unit}' stands beside a value that is no number")
    if written in ANSWERS:
        return {"valueCodeableConcept": ANSWERS[written].concept(written)}
    return {"valueString": written}


def _quantity(number: str, unit: str, comparator: str | None = None) -> dict[str, Any]:
    quantity: dict[str, Any] = {"value": int(number) if number.lstrip("-").isdigit() else float(number)}
    if comparator:
        quantity["comparator"] = comparator
    if unit.startswith(_PLAIN_TEXT_UNIT):
        quantity["unit"] = unit.removeprefix(_PLAIN_TEXT_UNIT)
    elif unit not in ("", "-"):
        quantity |= {"unit": unit, "system": UCUM, "code": unit}
    return quantity
