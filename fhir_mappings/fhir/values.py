"""Observation values to canonical quantities; a unit is converted or refused, never guessed (F-18, F-19)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from msgspec import Raw

from fhir_mappings.clinical.quantities import Measured, Narrative, Presence, Unusable, Value, plain
from fhir_mappings.clinical.vocabulary import UnitMeaning, Vocabulary
from fhir_mappings.fhir.codings import first_meaning, texts_of
from fhir_mappings.fhir.elements import CodeableConcept, Component, Quantity, Resource
from fhir_mappings.fhir.lazy_elements import quantity_of

UCUM = "http://unitsofmeasure.org"
CANONICAL = {
    "percent": "%", "count": "/uL", "csf-count": "/uL", "residual": "%",
    "creatinine": "mg/dL", "bilirubin": "mg/dL", "gfr": "mL/min/1.73m2", "enzyme": "U/L",
}  # fmt: skip
_HUNDRED = Decimal(100)
_NUMBER = r"(\d+(?:\.\d+)?(?:[eE]-?\d+)?)"
_SINGLE = re.compile(
    rf"\s*(<=|>=|<|>|≤|≥|gt|lt|ge|le|greater than|less than)?\s*{_NUMBER}\s*(\S.*)?", re.IGNORECASE
)
_SPAN = re.compile(rf"\s*{_NUMBER}\s*(?:-|–|to)\s*{_NUMBER}\s*(\S.*)?", re.IGNORECASE)
_POWER = re.compile(r"10\s*(?:\^|\*\*?)?\s*[-−]\s*(\d+)|1[eE]-(\d+)")
_COMPARATORS = {
    "<": "<", ">": ">", "<=": "<=", ">=": ">=", "≤": "<=", "≥": ">=", "lt": "<", "gt": ">",
    "le": "<=", "ge": ">=", "greater than": ">", "less than": "<",
}  # fmt: skip
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
    if number is None or not number.is_finite():
        return Unusable("no-value")
    comparator = (quantity.comparator or "").strip()
    original = _original(comparator, number, quantity)
    unit = _unit(quantity, vocabulary.units.get(dimension, {}))
    if unit is None:
        missing = not (quantity.code or quantity.unit)
        return Unusable("unit-missing" if missing else "unit-unknown", original)
    return _measured(number, comparator, unit, dimension, original)


def _unit(quantity: Quantity, units: Mapping[str, UnitMeaning]) -> UnitMeaning | None:
    if quantity.code and quantity.system in (UCUM, None):
        return units.get(quantity.code.strip())
    if quantity.unit:
        return units.get(quantity.unit.strip())
    return None


def _measured(number: Decimal, comparator: str, unit: UnitMeaning, dimension: str, original: str) -> Value:
    if unit.trap and number != 0:
        return Unusable(unit.trap, original)
    if comparator not in ("", "<", ">", "<=", ">="):
        return Unusable("comparator-unknown", original)
    value = number * unit.factor
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
    if top is None or bottom is None or not top.is_finite() or not bottom.is_finite() or bottom <= 0:
        return Unusable("no-value")
    if (numerator.code or numerator.unit or "1") != (denominator.code or denominator.unit or "1"):
        return Unusable("unit-unknown", f"{plain(top)}:{plain(bottom)}")
    unit = UnitMeaning(_HUNDRED / bottom)
    return _measured(
        top, (numerator.comparator or "").strip(), unit, dimension, f"{plain(top)}:{plain(bottom)}"
    )


def _from_text(text: str, dimension: str, vocabulary: Vocabulary) -> Value:
    text = text[:_MAX_TEXT].strip()
    lowered = text.lower()
    if vocabulary.absent_text.search(lowered):
        return Presence.ABSENT
    units = vocabulary.units.get(dimension, {})
    span = _SPAN.fullmatch(text)
    if span and units:
        return _text_span(span, units, dimension, text)
    single = _SINGLE.fullmatch(text)
    if single and units:
        unit = units.get((single[3] or "").strip())
        if unit is None:
            return Unusable("unit-missing" if not single[3] else "unit-unknown", text)
        comparator = _COMPARATORS[single[1].lower()] if single[1] else ""
        return _measured(_decimal(single[2]), comparator, unit, dimension, text)
    if vocabulary.present_text.search(lowered):
        return Presence.PRESENT
    return Narrative(text)


def _text_span(span: re.Match[str], units: Mapping[str, UnitMeaning], dimension: str, text: str) -> Value:
    unit = units.get((span[3] or "").strip())
    if unit is None:
        return Unusable("unit-missing" if not span[3] else "unit-unknown", text)
    low = _measured(_decimal(span[1]), "", unit, dimension, text)
    high = _measured(_decimal(span[2]), "", unit, dimension, text)
    if isinstance(low, Measured) and isinstance(high, Measured):
        return Measured(low.low, high.high, low.unit, text)
    return low if isinstance(low, Unusable) else high


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # pragma: no cover - the pattern admits only decimals
        return Decimal("NaN")


def read_sensitivity(text: str) -> Decimal | None:
    """The detection limit an MRD report names (``10^-5``, ``1e-5``), in %; None when it names none."""
    match = _POWER.search(text)
    if not match:
        return None
    exponent = int(match[1] or match[2])
    return _HUNDRED * Decimal(10) ** -exponent if exponent <= 9 else None
