"""The Steinherz-Bleyer test needs all four counts, and the blood of the nearest day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.cns import TraumaticTapRule, steinherz_bleyer
from fhir_mappings.clinical.facts import Result
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.quantities import Measured
from fhir_mappings.clinical.samples import CsfDraw, Sample

DAY = date(2024, 6, 3)
RULE = TraumaticTapRule(Decimal(10), Decimal(2), 1, Decimal(5))


def count(number: str, days: int = 0, name: str = "x") -> Sample:
    exact = not number.startswith("<")
    value = Decimal(number.lstrip("<"))
    measured = Measured(value if exact else None, value, "/uL", number)
    on = Moment.on(DAY + timedelta(days=days))
    return Sample(Result(f"Observation/{name}", "count", measured, on), measured, on, "a count")


def ratio(white: str, red: str, blood_white: str, blood_red: str) -> Answer:
    draw = CsfDraw(Moment.on(DAY), count(white) if white else None, count(red) if red else None, Answer.YES)
    found = [[count(number)] if number else [] for number in (blood_white, blood_red)]
    return steinherz_bleyer(draw, found[0], found[1], RULE)


@pytest.mark.parametrize(
    ("white", "red", "blood_white", "blood_red", "answer"),
    [
        ("50", "1000", "5000", "4000000", Answer.YES),
        ("8", "1000", "20000", "4000000", Answer.NO),
        ("", "1000", "5000", "4000000", Answer.UNSURE),
        ("50", "", "5000", "4000000", Answer.UNSURE),
        ("50", "1000", "", "4000000", Answer.UNSURE),
        ("50", "1000", "5000", "", Answer.UNSURE),
        ("", "", "5000", "4000000", Answer.UNSURE),
        ("50", "1000", "", "", Answer.UNSURE),
        ("<50", "1000", "5000", "4000000", Answer.UNSURE),
        ("50", "<1000", "5000", "4000000", Answer.UNSURE),
        ("50", "1000", "<5000", "4000000", Answer.UNSURE),
        ("50", "0", "5000", "4000000", Answer.UNSURE),
        ("50", "1000", "5000", "0", Answer.UNSURE),
        ("50", "1", "5000", "4000000", Answer.YES),
        ("50", "1000", "1", "1", Answer.NO),
        ("50", "1", "1", "1", Answer.YES),
    ],
)
def test_all_four_counts(white: str, red: str, blood_white: str, blood_red: str, answer: Answer) -> None:
    assert ratio(white, red, blood_white, blood_red) is answer


def test_the_nearest_blood_counts_and_of_equally_near_the_first_by_name() -> None:
    draw = CsfDraw(Moment.on(DAY), count("50"), count("1000"), Answer.YES)
    red = [count("4000000")]
    near_low, far_high = count("5000", 0, "z"), count("200000", -1, "a")
    assert steinherz_bleyer(draw, [far_high, near_low], red, RULE) is Answer.YES
    assert steinherz_bleyer(draw, [near_low, far_high], red, RULE) is Answer.YES
    low, high = count("5000", 1, "a"), count("200000", -1, "b")
    assert steinherz_bleyer(draw, [high, low], red, RULE) is Answer.YES
    low, high = count("5000", 1, "b"), count("200000", -1, "a")
    assert steinherz_bleyer(draw, [low, high], red, RULE) is Answer.NO
