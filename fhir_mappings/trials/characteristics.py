"""FHIR R4 Group.characteristic -> a criterion, where code, value and unit stand in the vocabulary."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from msgspec import Struct

from fhir_mappings.clinical.quantities import is_measurable
from fhir_mappings.fhir.elements import CodeableConcept, Quantity, Range
from fhir_mappings.trials.study import Age, AgeSpan, AgeUnit, Criterion, Expected, OneOf, Span
from fhir_mappings.trials.vocabulary import FactKind, FactWords, TrialVocabulary

_AGE_UNITS = {
    "a": AgeUnit.YEARS, "year": AgeUnit.YEARS, "years": AgeUnit.YEARS,
    "mo": AgeUnit.MONTHS, "month": AgeUnit.MONTHS, "months": AgeUnit.MONTHS,
    "wk": AgeUnit.WEEKS, "week": AgeUnit.WEEKS, "weeks": AgeUnit.WEEKS,
    "d": AgeUnit.DAYS, "day": AgeUnit.DAYS, "days": AgeUnit.DAYS,
}  # fmt: skip
_COMPARATORS = {
    "<": ("high", True), "<=": ("high", False), ">=": ("low", False), ">": ("low", True),
}  # fmt: skip


class Characteristic(Struct, rename="camel"):
    """Group.characteristic."""

    code: CodeableConcept | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_boolean: bool | None = None
    value_quantity: Quantity | None = None
    value_range: Range | None = None
    exclude: bool | None = None


def read_characteristic(characteristic: Characteristic, vocabulary: TrialVocabulary) -> Criterion | None:
    """A Group.characteristic as a criterion; None when code, value or unit is not in the vocabulary."""
    known = vocabulary.fact_of_code
    fact = next((known[key] for key in _codes(characteristic.code) if key in known), None)
    if fact is None:
        return None
    expected = _expected(characteristic, vocabulary.facts[fact])
    return None if expected is None else Criterion(fact, expected, bool(characteristic.exclude))


def _expected(characteristic: Characteristic, words: FactWords) -> Expected | None:
    if characteristic.value_codeable_concept is not None:
        return _expected_code(characteristic.value_codeable_concept, words)
    if characteristic.value_boolean is not None:
        value = _boolean_value(words, characteristic.value_boolean)
        return OneOf(frozenset({value})) if value else None
    if characteristic.value_range is not None:
        return _expected_range(characteristic.value_range, words)
    if characteristic.value_quantity is not None:
        return _expected_quantity(characteristic.value_quantity, words)
    return None


def _boolean_value(words: FactWords, value: bool) -> str:
    """``true`` and ``false`` for facts that are answered yes or no, positive or negative."""
    pairs = (("yes", "no"), ("positive", "negative"), ("involved", "not-involved"))
    found = next((pair for pair in pairs if set(pair) <= words.values.keys()), ("", ""))
    return found[0] if value else found[1]


def _expected_code(concept: CodeableConcept, words: FactWords) -> Expected | None:
    for key in _codes(concept):
        value = words.value_codes.get(key, "")
        if value in words.values:
            return OneOf(frozenset({value}))
        if value in words.spans:
            return words.spans[value]
    return None


def _expected_range(value: Range, words: FactWords) -> Expected | None:
    low, high = value.low, value.high
    if low is None and high is None:
        return None
    if words.kind is FactKind.AGE:
        youngest = _age(low) if low else None
        oldest = _age(high) if high else None
        unread = (low is not None and youngest is None) or (high is not None and oldest is None)
        return None if unread else AgeSpan(youngest, oldest)
    least = _number(low, words) if low else None
    most = _number(high, words) if high else None
    unread = (low is not None and least is None) or (high is not None and most is None)
    return None if unread or words.kind is not FactKind.NUMBER else Span(least, most)


def _expected_quantity(value: Quantity, words: FactWords) -> Expected | None:
    if value.comparator is not None and value.comparator not in _COMPARATORS:
        return None
    side, is_open = _COMPARATORS.get(value.comparator or "", ("", False))
    if words.kind is FactKind.AGE:
        return _expected_age(value, side, is_open)
    number = _number(value, words)
    if number is None or words.kind is not FactKind.NUMBER:
        return None
    if not side:
        return Span(number, number)
    return Span(low=number, low_open=is_open) if side == "low" else Span(high=number, high_open=is_open)


def _expected_age(value: Quantity, side: str, is_open: bool) -> AgeSpan | None:
    """Completed units: ``< 18 years`` lasts until the 18th birthday, ``> 18 years`` starts at the 19th."""
    age = _age(value)
    if age is None:
        return None
    if side == "low":
        return AgeSpan(low=Age(age.count + is_open, age.unit))
    if side == "high":
        return AgeSpan(high=Age(age.count - is_open, age.unit)) if age.count >= is_open else None
    return AgeSpan(age, age)


def _age(quantity: Quantity) -> Age | None:
    unit = _AGE_UNITS.get(quantity.code or "") or _AGE_UNITS.get((quantity.unit or "").lower())
    number = quantity.value
    if unit is None or number is None or not is_measurable(number):
        return None
    if number < 0 or number != int(number) or number > 100_000:
        return None
    return Age(int(number), unit)


def _number(quantity: Quantity, words: FactWords) -> Decimal | None:
    """The value in the fact's own unit; None where the unit is unknown."""
    if quantity.value is None or not is_measurable(quantity.value):
        return None
    unit = quantity.code or quantity.unit or ""
    if not words.unit:
        return quantity.value if unit in ("", "1", "{score}") else None
    factor = words.units.get(unit)
    return None if factor is None else quantity.value * factor


def _codes(concept: CodeableConcept | None) -> Iterator[str]:
    for coding in (concept.coding if concept else None) or []:
        yield f"{coding.system}|{coding.code}"
