"""Values as intervals: "<5" is never 5."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fhir_mappings.clinical.answers import Answer, both, either
from fhir_mappings.clinical.quantities import Measured, plain

YES, NO, UNSURE = Answer.YES, Answer.NO, Answer.UNSURE


def measured(text: str) -> Measured:
    """``5``, ``<5``, ``<=5``, ``>5``, ``>=5`` or ``1-5``."""
    if "-" in text:
        low, high = text.split("-")
        return Measured(Decimal(low), Decimal(high), "%", text)
    number = Decimal(text.lstrip("<>="))
    if text.startswith("<"):
        return Measured(None, number, "%", text, high_open="=" not in text)
    if text.startswith(">"):
        return Measured(number, None, "%", text, low_open="=" not in text)
    return Measured(number, number, "%", text)


@pytest.mark.parametrize(
    ("value", "above", "at_least"),
    [
        ("4.99", NO, NO),
        ("5", NO, YES),
        ("5.01", YES, YES),
        ("<5", NO, NO),
        ("<=5", NO, UNSURE),
        ("<6", UNSURE, UNSURE),
        (">5", YES, YES),
        (">=5", UNSURE, YES),
        (">4", UNSURE, UNSURE),
        ("1-4", NO, NO),
        ("1-5", NO, UNSURE),
        ("5-9", UNSURE, YES),
        ("6-9", YES, YES),
        ("4-6", UNSURE, UNSURE),
    ],
)
def test_against_five(value: str, above: Answer, at_least: Answer) -> None:
    assert measured(value).is_above(Decimal(5)) is above
    assert measured(value).is_at_least(Decimal(5)) is at_least


@pytest.mark.parametrize(
    ("value", "text", "exact"),
    [("5", "5", "5"), ("5.50", "5.5", "5.5"), ("<5", "<5", None), ("<=5", "≤5", None), (">=5", "≥5", None),
     (">5", ">5", None), ("1-5", "1–5", None)],
)  # fmt: skip
def test_shown_with_its_comparator(value: str, text: str, exact: str | None) -> None:
    assert measured(value).text == text
    assert measured(value).exact == (None if exact is None else Decimal(exact))


@pytest.mark.parametrize(
    ("number", "text"),
    [("78", "78"), ("78.0", "78"), ("0.020", "0.02"), ("1E+2", "100"), ("1E-5", "0.00001")],
)
def test_a_decimal_is_shown_without_exponent_or_idle_zeros(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text


@pytest.mark.parametrize(
    ("one", "other", "and_", "or_"),
    [
        (YES, YES, YES, YES),
        (YES, NO, NO, YES),
        (YES, UNSURE, UNSURE, YES),
        (NO, NO, NO, NO),
        (NO, UNSURE, NO, UNSURE),
        (UNSURE, UNSURE, UNSURE, UNSURE),
    ],
)
def test_three_valued_logic(one: Answer, other: Answer, and_: Answer, or_: Answer) -> None:
    assert both(one, other) is both(other, one) is and_
    assert either(one, other) is either(other, one) is or_


@pytest.mark.parametrize(("value", "most"), [("5", "5"), ("<5", "5"), (">5", "5"), ("1-4", "4")])
def test_samples_are_ranked_by_the_upper_bound(value: str, most: str) -> None:
    assert measured(value).most == Decimal(most)


def test_a_value_without_bounds_ranks_as_nothing() -> None:
    assert Measured(None, None, "%", "?").most == 0
