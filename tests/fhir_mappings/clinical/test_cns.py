"""The CNS class of a lumbar puncture, and what a traumatic tap can still say (Steinherz-Bleyer)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.cns import TraumaticTapRule, read_tap
from fhir_mappings.clinical.facts import Result
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.quantities import Measured, Narrative, Presence, Value
from fhir_mappings.clinical.samples import CsfDraw, Sample, cytology_answer, group_csf

YES, NO, UNSURE = Answer.YES, Answer.NO, Answer.UNSURE
DAY = Moment.on(date(2024, 6, 3))
RULE = TraumaticTapRule(Decimal(10), Decimal(2), 1, Decimal(5))


def sample(number: str, day: Moment = DAY, name: str = "x") -> Sample:
    value = Measured(Decimal(number), Decimal(number), "/uL", number)
    return Sample(Result(f"Observation/{name}", "csf-wbc", value, day), value, day, "a count")


def draw(wbc: str, rbc: str, blasts: Answer) -> CsfDraw:
    return CsfDraw(DAY, sample(wbc) if wbc else None, sample(rbc) if rbc else None, blasts)


@pytest.mark.parametrize(
    ("wbc", "rbc", "blasts", "blood", "expected", "traumatic", "ratio"),
    [
        # leukocytes and erythrocytes per microlitre; blood: leukocytes and erythrocytes
        ("3", "", NO, "", "CNS1", NO, UNSURE),
        ("300", "", NO, "", "CNS1", NO, UNSURE),
        ("3", "", YES, "", "CNS2a", NO, UNSURE),
        ("4.9", "9", YES, "", "CNS2a", NO, UNSURE),
        ("4", "10", YES, "", "CNS2b", YES, UNSURE),
        ("5", "9", YES, "", "CNS3a", NO, UNSURE),
        ("5", "", YES, "", "CNS3a", NO, UNSURE),
        # 50/1000 in CSF against 5,000/4,000,000 in blood: far more leukocytes than blood brings.
        ("50", "1000", YES, "5000 4000000", "CNS3b", YES, YES),
        # 8/1000 against 20,000/4,000,000: more than blood brings, but not twice as many.
        ("8", "1000", YES, "20000 4000000", "CNS2c", YES, NO),
        # exactly twice as many
        ("10", "1000", YES, "20000 4000000", "CNS3b", YES, YES),
        ("50", "1000", YES, "", "", YES, UNSURE),
        ("50", "1000", UNSURE, "5000 4000000", "", YES, YES),
        ("", "", YES, "", "", NO, UNSURE),
    ],
)
def test_the_class(
    wbc: str, rbc: str, blasts: Answer, blood: str, expected: str, traumatic: Answer, ratio: Answer
) -> None:
    counts = [[sample(number)] for number in blood.split()] or [[], []]
    found = read_tap(draw(wbc, rbc, blasts), counts[0], counts[1], RULE)
    assert (found.cns_class, found.traumatic, found.steinherz_bleyer) == (expected, traumatic, ratio)


@pytest.mark.parametrize(("days", "ratio"), [(-2, UNSURE), (-1, YES), (0, YES), (1, YES), (2, UNSURE)])
def test_blood_counts_of_another_day_say_nothing(days: int, ratio: Answer) -> None:
    day = Moment.on(DAY.first + timedelta(days=days))
    blood = [sample("5000", day)], [sample("4000000", day)]
    assert read_tap(draw("50", "1000", YES), *blood, RULE).steinherz_bleyer is ratio


def test_counts_without_erythrocytes_divide_by_nothing() -> None:
    blood = [sample("5000")], [sample("0")]
    assert read_tap(draw("50", "1000", YES), *blood, RULE).steinherz_bleyer is UNSURE


def cytology(value: Presence, day: Moment = DAY) -> Result:
    return Result(f"Observation/{value.value}", "csf-cytology", value, day)


def test_one_day_is_one_puncture_and_its_highest_count_and_clearest_tube_are_taken() -> None:
    counts = [sample("3", name="a"), sample("7", name="b")]
    red = [sample("900", name="c"), sample("12", name="d")]
    (found,) = group_csf(counts, red, [cytology(Presence.ABSENT), cytology(Presence.PRESENT)])
    assert found.wbc is not None
    assert found.wbc.value.exact == 7
    assert found.rbc is not None
    assert found.rbc.value.exact == 12
    assert found.blasts is YES


def test_two_days_are_two_punctures_in_their_order() -> None:
    earlier = Moment.on(date(2024, 5, 1))
    found = group_csf([sample("3"), sample("4", earlier)], [], [cytology(Presence.ABSENT, earlier)])
    assert [one.day for one in found] == [earlier, DAY]
    assert [one.blasts for one in found] == [NO, UNSURE]


def test_a_count_known_only_as_an_interval_around_the_bound_has_no_class() -> None:
    value = Measured(Decimal(3), Decimal(8), "/uL", "3-8")
    counted = Sample(Result("Observation/x", "csf-wbc", value, DAY), value, DAY, "a count")
    assert read_tap(CsfDraw(DAY, counted, None, YES), [], [], RULE).cns_class == ""


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (Presence.PRESENT, YES),
        (Presence.ABSENT, NO),
        (Presence.WEAK, UNSURE),
        (Presence.INDETERMINATE, UNSURE),
        (Narrative("see report"), UNSURE),
        (Measured(Decimal(0), Decimal(0), "%", "0"), NO),
        (Measured(Decimal(2), Decimal(2), "%", "2"), YES),
        (Measured(None, Decimal(1), "%", "<1", high_open=True), UNSURE),
        (Measured(Decimal(0), None, "%", ">0", low_open=True), YES),
    ],
)
def test_whether_blasts_were_seen(value: Value, seen: Answer) -> None:
    result = Result("Observation/c", "csf-cytology", value, DAY)
    assert cytology_answer([result]) == (seen, result)
