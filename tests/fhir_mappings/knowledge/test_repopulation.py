"""Criterion B compares as every pair would, at a cost that grows with the results."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.criteria_sets import CriteriaSet
from fhir_mappings.clinical.facts import Result
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.quantities import Measured
from fhir_mappings.clinical.samples import Sample
from fhir_mappings.clinical.verdict import Met, Missing, Unknown
from fhir_mappings.clinical.window import Window
from fhir_mappings.knowledge.relapsed_all.criteria import repopulation
from tests.fhir_mappings.knowledge.criteria_samples import START

_ZONES = (UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-11)), None)
_NUMBERS = [Decimal(one) for one in ("0", "4", "5", "6", "20", "24.9", "25", "25.1", "26", "30", "31", "60")]


def rule(mode: str) -> CriteriaSet:
    part = repopulation.Parameters.model_validate(
        {
            "mode": mode,
            "rise_over": Decimal(5),
            "final_over": Decimal(25),
            "minimum_gap_hours": 168,
            "maximum_gap_days": 90,
            "cites": ("S-000-02",),
        }
    )
    return CriteriaSet("seed", "seed", "seed-000", True, True, parts={"repopulation": part})


def gap(key: str) -> Missing:
    return Missing(key, key, key)


@st.composite
def moments(draw: st.DrawFn) -> Moment:
    day = START + timedelta(days=draw(st.sampled_from((0, 5, 6, 7, 8, 9, 14, 40, 89, 90, 91, 97, 98, 130))))
    shape = draw(st.sampled_from(("day", "day", "time", "time", "month", "year")))
    if shape == "month":
        return Moment(day.replace(day=1), day.replace(day=28))
    if shape == "year":
        return Moment(date(day.year, 1, 1), date(day.year, 12, 31))
    if shape == "day":
        return Moment.on(day)
    zone, hour = draw(st.sampled_from(_ZONES)), draw(st.integers(0, 23))
    return Moment(day, day, datetime(day.year, day.month, day.day, hour, tzinfo=zone))


@st.composite
def values(draw: st.DrawFn) -> Measured:
    one, other = sorted(draw(st.tuples(st.sampled_from(_NUMBERS), st.sampled_from(_NUMBERS))))
    low, high = draw(st.sampled_from(((one, one), (one, other), (None, other), (one, None), (one, one))))
    return Measured(
        low, high, "%", "", draw(st.booleans()) and low != high, draw(st.booleans()) and low != high
    )


def sample(number: int, day: Moment, value: Measured) -> Sample:
    result = Result(f"Observation/m{number}", "marrow-blasts", value, day)
    return Sample(result, value, day, "marrow")


def of_every_pair(marrow: tuple[Sample, ...], criteria: CriteriaSet) -> tuple[str, tuple[str, ...]]:
    """The definition: the first later marrow with the first earlier one, over every pair."""
    part = criteria.part("repopulation", repopulation.Parameters)
    assert part is not None
    doubtful = False
    for later, earlier in itertools.product(marrow, marrow):
        answer = repopulation._repopulates(earlier, later, part)
        if answer is Answer.YES:
            return "met", (earlier.result.resource, later.result.resource)
        if later.value.is_above(part.final_over) is not Answer.NO:
            doubtful = doubtful or answer is Answer.UNSURE
    return ("unsure" if doubtful else "not met"), ()


def of_the_criterion(marrow: tuple[Sample, ...], criteria: CriteriaSet) -> tuple[str, tuple[str, ...]]:
    verdict = repopulation.repopulation(Window(marrow, (), (), (), ()), criteria, gap)
    if isinstance(verdict, Met):
        return "met", tuple(item.resource for item in verdict.because)
    exact = isinstance(verdict, Unknown) and verdict.missing[0].key == "marrow-exact"
    return ("unsure" if exact else "not met"), ()


@pytest.mark.parametrize("mode", repopulation.READINGS)
@settings(max_examples=100, deadline=None)
@given(found=st.lists(st.tuples(moments(), values()), min_size=2, max_size=14))
def test_the_answer_is_that_of_every_pair(mode: str, found: list[tuple[Moment, Measured]]) -> None:
    marrow = tuple(sample(number, *one) for number, one in enumerate(found))
    expected, pair = of_every_pair(marrow, rule(mode))
    highest = max(marrow, key=lambda one: (one.value.most, one.result.resource))
    # No highest marrow above the last threshold is told as such before any doubt is.
    if expected == "unsure" and highest.value.is_above(Decimal(25)) is Answer.NO:
        expected = "not met"
    assert of_the_criterion(marrow, rule(mode)) == (expected, pair)


def comparisons(monkeypatch: pytest.MonkeyPatch, count: int, spread: str, mode: str) -> int:
    """How many pairs are compared, and how many values with a threshold, among marrows without a rise."""
    seen = 0

    def counted(*arguments: object) -> Answer:
        nonlocal seen
        seen += 1
        return original(*arguments)  # type: ignore[arg-type]

    original = Measured.is_above
    marrow = tuple(
        sample(number, _SPREADS[spread](number), Measured(value, value, "%", ""))
        for number in range(count)
        for value in [Decimal(26) + Decimal(number) / 1000]
    )
    with monkeypatch.context() as patched:
        patched.setattr(Measured, "is_above", counted)
        assert of_the_criterion(marrow, rule(mode))[0] == "not met"
    return seen


def _at(day: date, number: int) -> Moment:
    return Moment(day, day, datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=number))


_SPREADS: dict[str, Callable[[int], Moment]] = {
    "one day": lambda number: Moment.on(START),
    "times of two days": lambda number: _at(START + timedelta(days=7 * (number % 2)), number),
    "many days": lambda number: Moment.on(START + timedelta(days=number % 900)),
}


@pytest.mark.parametrize("spread", ["one day", "times of two days", "many days"])
def test_four_thousand_marrows_cost_as_much_each_as_two_hundred(
    monkeypatch: pytest.MonkeyPatch, spread: str
) -> None:
    few, many = (comparisons(monkeypatch, count, spread, "rise") for count in (200, 4_000))
    assert many / 4_000 <= 1.5 * few / 200
