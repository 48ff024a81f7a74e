"""Every timing class tells the arithmetic it stands on, or what is not recorded."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.timing import TimingClass, TimingLimits, bfm, cog, seed_000, seed_003
from fhir_mappings.fhir.dates import read_moment

YES, NO, UNSURE = Answer.YES, Answer.NO, Answer.UNSURE
LIMITS = TimingLimits(early_marrow=36, early_extramedullary=18, end_of_therapy=6, very_early=18)
NO_DIAGNOSIS = "the date of diagnosis is not recorded"
NO_END = "the end of frontline therapy is not recorded"


def at(text: str) -> Moment:
    moment = read_moment(text)
    assert moment is not None
    return moment


def from_diagnosis(months: float, threshold: str, start: str = "2021-03-10", end: str = "2024-03-10") -> str:
    return f"{months} months from diagnosis {start} to {end}; threshold {threshold} months"


@pytest.mark.parametrize(
    ("classed", "expected"),
    [
        (
            lambda: seed_003(None, at("2024-03-10"), YES, LIMITS),
            TimingClass("indeterminate", None, NO_DIAGNOSIS),
        ),
        (
            lambda: seed_003(at("2021-03-10"), at("2024-03-10"), YES, LIMITS),
            TimingClass("late", 36.0, from_diagnosis(36.0, "36")),
        ),
        (
            lambda: seed_003(at("2021-03-10"), at("2024-03-10"), NO, LIMITS),
            TimingClass("late", 36.0, from_diagnosis(36.0, "18")),
        ),
        (
            lambda: seed_003(at("2021-03-10"), at("2024-03-10"), UNSURE, LIMITS),
            TimingClass("late", 36.0, from_diagnosis(36.0, "18 or 36")),
        ),
        (
            lambda: seed_003(at("2021-03"), at("2024-03-10"), YES, LIMITS),
            TimingClass(
                "indeterminate",
                36.3,
                "35.3 to 36.3 months from diagnosis 2021-03 to 2024-03-10; threshold 36 months",
            ),
        ),
        (
            lambda: seed_003(at("2021-03-10"), at("2024-03"), YES, LIMITS),
            TimingClass(
                "indeterminate",
                35.7,
                "35.7 to 36.7 months from diagnosis 2021-03-10 to 2024-03; threshold 36 months",
            ),
        ),
        (
            lambda: seed_000(None, YES, at("2024-03-10"), LIMITS),
            TimingClass("very-poor", None, "relapse on therapy"),
        ),
        (lambda: seed_000(None, NO, at("2024-03-10"), LIMITS), TimingClass("indeterminate", None, NO_END)),
        (
            lambda: seed_000(at("2023-03-10"), NO, at("2024-03-10"), LIMITS),
            TimingClass(
                "much-better",
                12.0,
                "12.0 months from end of therapy 2023-03-10 to 2024-03-10; threshold 6 months",
            ),
        ),
        (
            lambda: bfm(at("2023-03-10"), None, YES, at("2024-03-10"), LIMITS),
            TimingClass("very-early", 12.0, from_diagnosis(12.0, "18", "2023-03-10")),
        ),
        (
            lambda: bfm(at("2021-03-10"), None, YES, at("2024-03-10"), LIMITS),
            TimingClass("early", None, "relapse on therapy"),
        ),
        (
            lambda: bfm(at("2021-03-10"), None, NO, at("2024-03-10"), LIMITS),
            TimingClass("indeterminate", None, NO_END),
        ),
        (lambda: bfm(None, None, YES, at("2024-03-10"), LIMITS), TimingClass("indeterminate", None, NO_END)),
        (
            lambda: bfm(at("2021-03-10"), at("2023-03-10"), NO, at("2024-03-10"), LIMITS),
            TimingClass(
                "late", 12.0, "12.0 months from end of therapy 2023-03-10 to 2024-03-10; threshold 6 months"
            ),
        ),
        (
            lambda: bfm(None, at("2023-03-10"), NO, at("2024-03-10"), LIMITS),
            TimingClass(
                "late", 12.0, "12.0 months from end of therapy 2023-03-10 to 2024-03-10; threshold 6 months"
            ),
        ),
        (
            lambda: bfm(at("2021-03-10"), at("2023-12-10"), NO, at("2024-03-10"), LIMITS),
            TimingClass(
                "early", 3.0, "3.0 months from end of therapy 2023-12-10 to 2024-03-10; threshold 6 months"
            ),
        ),
        (
            lambda: bfm(None, at("2023-12-10"), NO, at("2024-03-10"), LIMITS),
            TimingClass("indeterminate", None, "the dates are not exact enough"),
        ),
        (
            lambda: bfm(at("2021-03-10"), at("2023-09"), NO, at("2024-03-10"), LIMITS),
            TimingClass("indeterminate", None, "the dates are not exact enough"),
        ),
        # Between early and very early: the diagnosis is known to the year only.
        (
            lambda: bfm(at("2022"), None, YES, at("2024-03-10"), LIMITS),
            TimingClass("indeterminate", None, NO_END),
        ),
        (
            lambda: bfm(at("2022"), at("2024-01-10"), NO, at("2024-03-10"), LIMITS),
            TimingClass("indeterminate", None, "the dates are not exact enough"),
        ),
        (lambda: cog(None, at("2024-03-10"), LIMITS), TimingClass("indeterminate", None, NO_DIAGNOSIS)),
        (
            lambda: cog(at("2023-03-10"), at("2024-03-10"), LIMITS),
            TimingClass("very-early", 12.0, from_diagnosis(12.0, "18 and 36", "2023-03-10")),
        ),
        (
            lambda: cog(at("2022-03-10"), at("2024-03-10"), LIMITS),
            TimingClass("intermediate", 24.0, from_diagnosis(24.0, "18 and 36", "2022-03-10")),
        ),
        (
            lambda: cog(at("2021-03-10"), at("2024-03-10"), LIMITS),
            TimingClass("late", 36.0, from_diagnosis(36.0, "18 and 36")),
        ),
        (
            lambda: cog(at("2021-03"), at("2024-03-10"), LIMITS),
            TimingClass(
                "indeterminate",
                36.3,
                "35.3 to 36.3 months from diagnosis 2021-03 to 2024-03-10; threshold 18 and 36 months",
            ),
        ),
    ],
)
def test_the_class_its_months_and_its_arithmetic(
    classed: Callable[[], TimingClass], expected: TimingClass
) -> None:
    assert classed() == expected
