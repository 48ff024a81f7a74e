"""Every timing system one day before, on, and one day after its boundary, and with dates that are partial."""

from __future__ import annotations

import pytest

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.timing import TimingLimits, bfm, cog, seed_000, seed_003
from fhir_mappings.fhir.dates import read_moment

YES, NO, UNSURE = Answer.YES, Answer.NO, Answer.UNSURE
LIMITS = TimingLimits(early_marrow=36, early_extramedullary=18, end_of_therapy=6, very_early=18)


def at(text: str) -> Moment:
    moment = read_moment(text)
    assert moment is not None
    return moment


def known(text: str) -> Moment | None:
    return at(text) if text else None


@pytest.mark.parametrize(
    ("diagnosis", "event", "marrow", "expected"),
    [
        ("2021-03-10", "2024-03-09", YES, "early"),
        ("2021-03-10", "2024-03-10", YES, "late"),
        ("2021-03-10", "2022-09-09", NO, "early"),
        ("2021-03-10", "2022-09-10", NO, "late"),
        ("2021-08-31", "2023-02-28", NO, "late"),
        ("2021-03", "2024-03-15", YES, "indeterminate"),
        ("2021-03", "2024-04-01", YES, "late"),
        # Whether the marrow takes part is not known: both clocks must agree.
        ("2021-03-10", "2022-09-09", UNSURE, "early"),
        ("2021-03-10", "2023-03-10", UNSURE, "indeterminate"),
        ("2021-03-10", "2024-03-10", UNSURE, "late"),
        ("", "2024-03-10", YES, "indeterminate"),
    ],
)
def test_early_or_late_from_diagnosis(diagnosis: str, event: str, marrow: Answer, expected: str) -> None:
    assert seed_003(known(diagnosis), at(event), marrow, LIMITS).value == expected


@pytest.mark.parametrize(
    ("end", "on_therapy", "event", "expected"),
    [
        ("", YES, "2024-03-10", "very-poor"),
        ("2023-09-10", NO, "2024-03-10", "very-poor"),
        ("2023-09-10", NO, "2024-03-11", "much-better"),
        ("2023-08-31", NO, "2024-02-29", "very-poor"),
        ("2023-09", NO, "2024-03-20", "indeterminate"),
        ("2023-09", NO, "2024-04-01", "much-better"),
        ("", UNSURE, "2024-03-10", "indeterminate"),
        ("", NO, "2024-03-10", "indeterminate"),
    ],
)
def test_around_the_end_of_therapy(end: str, on_therapy: Answer, event: str, expected: str) -> None:
    assert seed_000(known(end), on_therapy, at(event), LIMITS).value == expected


@pytest.mark.parametrize(
    ("diagnosis", "end", "on_therapy", "event", "expected"),
    [
        ("2021-03-10", "", YES, "2022-09-09", "very-early"),
        ("2021-03-10", "", YES, "2022-09-10", "early"),
        ("2021-03-10", "2023-03-10", NO, "2023-09-09", "early"),
        ("2021-03-10", "2023-03-10", NO, "2023-09-10", "late"),
        ("", "2023-03-10", NO, "2023-09-10", "late"),
        ("", "2023-03-10", NO, "2023-09-09", "indeterminate"),
        ("2021-03-10", "", UNSURE, "2023-09-10", "indeterminate"),
    ],
)
def test_three_tiers_by_the_end_of_therapy(
    diagnosis: str, end: str, on_therapy: Answer, event: str, expected: str
) -> None:
    assert bfm(known(diagnosis), known(end), on_therapy, at(event), LIMITS).value == expected


@pytest.mark.parametrize(
    ("diagnosis", "event", "expected"),
    [
        ("2021-03-10", "2022-09-09", "very-early"),
        ("2021-03-10", "2022-09-10", "intermediate"),
        ("2021-03-10", "2024-03-09", "intermediate"),
        ("2021-03-10", "2024-03-10", "late"),
        ("2021-03", "2022-09-15", "indeterminate"),
        ("", "2022-09-15", "indeterminate"),
    ],
)
def test_three_tiers_from_diagnosis(diagnosis: str, event: str, expected: str) -> None:
    assert cog(known(diagnosis), at(event), LIMITS).value == expected


def test_the_arithmetic_is_told() -> None:
    exact = seed_003(at("2021-03-10"), at("2024-06-03"), YES, LIMITS)
    assert exact.months == 38.8
    assert "38.8 months from diagnosis 2021-03-10 to 2024-06-03" in exact.arithmetic
    partial = seed_003(at("2021-03"), at("2024-06-03"), YES, LIMITS)
    assert "38.1 to 39.1 months" in partial.arithmetic
    assert "36 months" in partial.arithmetic
