"""Observation values to canonical quantities; a unit is converted or refused, never guessed (F-18, F-19)."""

from __future__ import annotations

import re
from decimal import Decimal

from msgspec import Raw

from fhir_mappings.clinical.quantities import (
    NOT_DETECTED,
    Measured,
    Narrative,
    Presence,
    Unusable,
    Value,
    is_measurable,
    plain,
)
from fhir_mappings.clinical.units import UnitMeaning, UnitTable, steady
from fhir_mappings.clinical.vocabulary import Vocabulary
from fhir_mappings.fhir.codings import first_meaning, texts_of
from fhir_mappings.fhir.elements import CodeableConcept, Component, Quantity, Resource
from fhir_mappings.fhir.lazy_elements import quantity_of
from fhir_mappings.fhir.value_texts import WrittenNumber, read_number

UCUM = "http://unitsofmeasure.org"
CANONICAL = {
    "percent": "%", "count": "/uL", "csf-count": "/uL", "residual": "%",
    "creatinine": "mg/dL", "bilirubin": "mg/dL", "gfr": "mL/min/1.73m2", "enzyme": "U/L",
}  # fmt: skip
_HUNDRED = Decimal(100)
_COUNTS = ("count", "csf-count")
_NO_UNITS = UnitTable()
_HEAD = re.compile(r"[,;:(<]| at | with ")
"""Where the words of a result end and those of its sensitivity begin (D-18)."""
_LIMIT = re.compile(
    r"(?:sensitivit\w*|limit|lod|loq|nachweisgrenze|<)\D{0,24}?(\d{1,2}(?:[.,]\d{1,9})?)\s*%", re.IGNORECASE
)
_POWER = re.compile(r"10\s*(?:\^|\*\*?)?\s*[-−]\s*(\d{1,3})(?!\d)|1[eE]-(\d{1,3})(?!\d)")
_MAX_TEXT = 200


def read_value(source: Resource | Component, dimension: str, vocabulary: Vocabulary) -> Value:
    """The value of an Observation or component in the canonical unit of its ``dimension``.

    ``dimension`` is percent (%), count (/uL), residual (MRD, in %), presence, text, or one of organ
    function (creatinine and bilirubin in mg/dL, gfr in mL/min/1.73m2, enzyme in U/L).
    Raises UnreadableElement.
    """
    quantity = source.value_quantity
    if isinstance(quantity, Raw):
        quantity = quantity_of(quantity)
    if quantity is not None:
        return _from_quantity(quantity, dimension, vocabulary)
    if source.value_codeable_concept is not None:
        return read_answer(source.value_codeable_concept, vocabulary, dimension)
    if source.value_string is not None:
        return _from_text(source.value_string, dimension, vocabulary)
    if source.value_boolean is not None:
        return Presence.PRESENT if source.value_boolean else Presence.ABSENT
    if source.value_range is not None:
        return _from_range(source.value_range.low, source.value_range.high, dimension, vocabulary)
    if source.value_ratio is not None:
        return _from_ratio(source.value_ratio.numerator, source.value_ratio.denominator, dimension)
    if source.value_integer is not None:
        return _from_integer(source.value_integer, dimension)
    return Unusable("no-value")


def _from_integer(number: int, dimension: str) -> Value:
    if dimension == "score":
        return Measured(Decimal(number), Decimal(number), "", str(number))
    return Unusable("unit-missing", str(number))


def read_answer(concept: CodeableConcept, vocabulary: Vocabulary, dimension: str = "presence") -> Value:
    """A coded answer as presence, else its text."""
    found = first_meaning(concept, vocabulary.answers, None)
    if found is not None:
        return found
    return _from_text(concept.text or texts_of(concept), dimension, vocabulary)


def _from_quantity(quantity: Quantity, dimension: str, vocabulary: Vocabulary) -> Value:
    number = quantity.value
    if number is None or not is_measurable(number):
        return Unusable("no-value")
    number = steady(number)
    comparator = (quantity.comparator or "").strip()
    original = _original(comparator, number, quantity)
    unit = _unit(quantity, vocabulary.units.get(dimension, _NO_UNITS), vocabulary)
    if unit is None:
        missing = not (quantity.code or quantity.unit)
        return Unusable("unit-missing" if missing else "unit-unknown", original)
    return _measured(number, comparator, unit, dimension, original)


def _unit(quantity: Quantity, units: UnitTable, vocabulary: Vocabulary) -> UnitMeaning | None:
    """The unit by its code; by its text where there is no code of UCUM."""
    if quantity.code:
        system = quantity.system
        ucum = system in (UCUM, None) or vocabulary.systems.canonical(system or "") == UCUM
        found = units.find(quantity.code.strip()) if ucum else None
        if found is not None or system == UCUM:
            return found
    return units.find(quantity.unit.strip()) if quantity.unit else None


def _measured(number: Decimal, comparator: str, unit: UnitMeaning, dimension: str, original: str) -> Value:
    if unit.trap and not _is_plain(number, unit):
        return Unusable(unit.trap, original)
    if comparator not in ("", "<", ">", "<=", ">="):
        return Unusable("comparator-unknown", original)
    value = steady(number * unit.factor)
    refused = _implausible(value, dimension)
    if refused:
        return Unusable(refused, original)
    canonical = CANONICAL.get(dimension, "")
    floor = Decimal(0)
    ceiling = _HUNDRED if dimension in ("percent", "residual") else None
    if comparator == "":
        return Measured(value, value, canonical, original)
    if comparator.startswith("<"):
        return Measured(floor, value, canonical, original, high_open=comparator == "<")
    return Measured(value, ceiling, canonical, original, low_open=comparator == ">")


def _is_plain(number: Decimal, unit: UnitMeaning) -> bool:
    """Whether a value in a unit that is not trusted can only mean what it says.

    Zero is zero; a part of a thousand cells is no number of cells written with the wrong unit.
    """
    return number == 0 or (unit.trap == "csf-unit-conflict" and 0 < number < 1)


def _implausible(value: Decimal, dimension: str) -> str:
    if value < 0:
        return "value-negative"
    if dimension in ("percent", "residual") and value > _HUNDRED:
        return "value-over-100"
    return ""


def _original(comparator: str, number: Decimal, quantity: Quantity) -> str:
    unit = quantity.unit or quantity.code or ""
    return f"{comparator}{plain(number)} {unit}".strip()[:_MAX_TEXT]


def _from_range(low: Quantity | None, high: Quantity | None, dimension: str, vocabulary: Vocabulary) -> Value:
    lower = _from_quantity(low, dimension, vocabulary) if low else None
    upper = _from_quantity(high, dimension, vocabulary) if high else None
    for bound in (lower, upper):
        if isinstance(bound, Unusable):
            return bound
    lowest = lower.low if isinstance(lower, Measured) else None
    highest = upper.high if isinstance(upper, Measured) else None
    if lowest is None and highest is None:
        return Unusable("no-value")
    words = [bound.original for bound in (lower, upper) if isinstance(bound, Measured)]
    return Measured(lowest, highest, CANONICAL.get(dimension, ""), " – ".join(words))


def _from_ratio(numerator: Quantity | None, denominator: Quantity | None, dimension: str) -> Value:
    if dimension not in ("percent", "residual") or numerator is None or denominator is None:
        return Unusable("no-value")
    top, bottom = numerator.value, denominator.value
    if top is None or bottom is None or not is_measurable(top) or not is_measurable(bottom) or bottom <= 0:
        return Unusable("no-value")
    if (numerator.code or numerator.unit or "1") != (denominator.code or denominator.unit or "1"):
        return Unusable("unit-unknown", f"{plain(top)}:{plain(bottom)}")
    unit = UnitMeaning(steady(_HUNDRED / bottom))
    return _measured(
        top, (numerator.comparator or "").strip(), unit, dimension, f"{plain(top)}:{plain(bottom)}"
    )


def _from_text(text: str, dimension: str, vocabulary: Vocabulary) -> Value:
    text = text[:_MAX_TEXT].strip()
    lowered = text.lower()
    if vocabulary.absent_text.search(lowered):
        return Presence.ABSENT
    if dimension == "residual" and vocabulary.absent_text.search(_HEAD.split(lowered, maxsplit=1)[0].strip()):
        limit = read_sensitivity(lowered)
        return Narrative(text) if limit is None else below(limit)
    units = vocabulary.units.get(dimension, _NO_UNITS)
    number = read_number(vocabulary.value_nouns.sub("", text)) if units else None
    if number is not None:
        return _written(number, units, dimension, text)
    if vocabulary.present_text.search(lowered):
        return Presence.PRESENT
    return Narrative(text)


def below(limit: Decimal) -> Measured:
    """MRD that is not detected, as the interval below the limit of the test (in %)."""
    return Measured(Decimal(0), limit, CANONICAL["residual"], NOT_DETECTED, high_open=True)


def _written(number: WrittenNumber, units: UnitTable, dimension: str, text: str) -> Value:
    unit = units.find(number.unit) if number.unit else None
    if unit is None:
        return Unusable("unit-missing" if not number.unit else "unit-unknown", text)
    if number.groups and dimension in _COUNTS and unit.factor == 1:
        return Unusable("number-ambiguous", text)
    low = _measured(number.low, number.comparator, unit, dimension, text)
    high = low if number.low == number.high else _measured(number.high, "", unit, dimension, text)
    if isinstance(low, Measured) and isinstance(high, Measured) and low is not high:
        return Measured(low.low, high.high, low.unit, text)
    return low if isinstance(low, Unusable) else high


def read_sensitivity(text: str) -> Decimal | None:
    """The limit an MRD report names (``10^-5``, ``1e-5``, ``sensitivity 0.001 %``) in %, or None."""
    match = _POWER.search(text)
    if match is not None:
        exponent = int(match[1] or match[2])
        return _HUNDRED * Decimal(10) ** -exponent if exponent <= 9 else None
    stated = _LIMIT.search(text)
    return Decimal(stated[1].replace(",", ".")) if stated is not None else None
