"""The MRD table of the PdL consensus: one draw, further tests, a second marrow."""

from __future__ import annotations

import pytest

from fhir_mappings.clinical.samples import Sample
from fhir_mappings.clinical.verdict import Met, NotMet, Unknown, Verdict
from fhir_mappings.knowledge.relapsed_all.criteria.residual_marrow import residual_marrow
from tests.fhir_mappings.knowledge.criteria_samples import (
    BARE,
    SET,
    asks,
    between,
    gap,
    marrow,
    on,
    window,
)


def residual(*samples: Sample) -> Verdict:
    return residual_marrow(window(mrd=samples), SET, gap)


def test_mrd_of_25_percent_needs_nothing_else() -> None:
    sample = marrow(0, "25", "flow")
    assert residual(sample) == Met((sample.evidence(">=", "25"),), on(0))


@pytest.mark.parametrize(
    ("value", "others", "met"),
    [
        ("24.9", [], False),
        ("24.9", ["1"], True),
        ("5", ["1"], True),
        ("5", ["0.9"], False),
        ("4.9", ["1"], False),
        ("4.9", ["1", "1"], True),
        ("1", ["1", "1"], True),
        ("0.99", ["1", "1"], False),
    ],
)
def test_mrd_with_further_tests_of_the_same_draw(value: str, others: list[str], met: bool) -> None:
    methods = ["pcr", "fish"]
    index = marrow(0, value, "flow")
    tests = [marrow(0, other, method) for other, method in zip(others, methods, strict=False)]
    found = residual(index, *tests)
    assert isinstance(found, Met) is met
    if met:
        assert found == Met((index.evidence(">=", "25"),), on(0))


def test_mrd_the_same_method_twice_is_one_test() -> None:
    assert isinstance(residual(marrow(0, "6", "flow"), marrow(0, "7", "flow")), Unknown)
    assert isinstance(residual(marrow(0, "6", code="a|1"), marrow(0, "7", code="a|1")), Unknown)
    assert isinstance(residual(marrow(0, "6", code="a|1"), marrow(0, "7", code="a|2")), Met)
    # Two further tests by one method are one further test.
    three = residual(marrow(0, "2", "flow"), marrow(0, "1", "pcr"), marrow(0, "1.5", "pcr"))
    assert isinstance(three, Unknown)


def test_mrd_of_another_draw_is_no_further_test() -> None:
    assert isinstance(residual(marrow(0, "6", "flow"), marrow(3, "0.5", "pcr")), Unknown)


def test_mrd_a_second_marrow_with_two_tests_decides() -> None:
    first = marrow(0, "6", "flow")
    second, further = marrow(14, "3", "flow"), marrow(14, "1", "pcr")
    assert residual(first, second, further) == Met((first.evidence(), second.evidence(">=", "25")), on(14))
    assert residual(first, marrow(14, "3", "flow")) == asks("second-test", marrow(14, "3", "flow").evidence())


def test_mrd_in_doubt_or_low() -> None:
    doubt = marrow(0, "3", "flow")
    assert residual(doubt) == asks("second-test", doubt.evidence())
    wide = marrow(0, between(None, "2"), "flow")
    assert residual(wide) == asks("second-test", wide.evidence())
    low, lower = marrow(0, "0.99"), marrow(9, "0.5")
    assert residual(low, lower) == NotMet((lower.evidence(">=", "1"),))
    assert residual() == asks("mrd")
    assert residual_marrow(window(mrd=[marrow(0, "90")]), BARE, gap) == asks("mrd")
