"""Each criterion with its evidence, its event and what it asks for where it cannot decide."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.cns import TapReading
from fhir_mappings.clinical.criteria_sets import (
    CriteriaSet,
)
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.quantities import Measured
from fhir_mappings.clinical.samples import Sample
from fhir_mappings.clinical.verdict import Evidence, Met, NotMet, Unknown, Verdict
from fhir_mappings.clinical.window import SiteFinding
from fhir_mappings.knowledge.relapsed_all.criteria import evaluate
from fhir_mappings.knowledge.relapsed_all.criteria.cerebrospinal_fluid import cerebrospinal_fluid
from fhir_mappings.knowledge.relapsed_all.criteria.extramedullary import extramedullary
from fhir_mappings.knowledge.relapsed_all.criteria.marrow_single import marrow_single
from fhir_mappings.knowledge.relapsed_all.criteria.marrow_with_blood import marrow_with_blood
from fhir_mappings.knowledge.relapsed_all.criteria.repopulation import REPOPULATION, repopulation
from tests.fhir_mappings.knowledge.criteria_samples import (
    BARE,
    EMPTY,
    SET,
    asks,
    between,
    gap,
    marrow,
    on,
    tap,
    window,
)


def read_as(reading: str) -> CriteriaSet:
    """The set with another reading of criterion B."""
    chosen = REPOPULATION.of(SET)
    assert chosen is not None
    return SET.with_part(REPOPULATION.key, chosen.model_copy(update={"mode": reading}))


# --- A ---------------------------------------------------------------------------------------------


def test_a_is_met_by_the_first_marrow_beyond_the_bound() -> None:
    low, first, second = marrow(0, "3"), marrow(10, "51"), marrow(20, "90")
    found = marrow_single(window(low, first, second), SET, gap)
    assert found == Met((first.evidence(">", "50"),), on(10))


def test_a_not_met_shows_the_highest_marrow() -> None:
    low, high, last = marrow(0, "3"), marrow(10, "50"), marrow(20, "4")
    assert marrow_single(window(low, high, last), SET, gap) == NotMet((high.evidence(">", "50"),))


def test_a_open_shows_the_latest_open_marrow() -> None:
    one, other = marrow(0, between("40", "60")), marrow(10, between("45", "70"))
    found = marrow_single(window(one, other, marrow(20, "4")), SET, gap)
    assert found == asks("marrow-exact", other.evidence(">", "50"))


@pytest.mark.parametrize("criteria", [SET, BARE])
def test_without_marrow_or_bound_a_asks_for_a_marrow(criteria: CriteriaSet) -> None:
    samples = (marrow(0, "90"),) if criteria is BARE else ()
    assert marrow_single(window(*samples), criteria, gap) == asks("marrow")


def test_the_highest_of_intervals_is_taken_by_their_upper_end() -> None:
    open_below = marrow(0, between(None, "30"))
    exact = marrow(10, "20")
    assert marrow_single(window(open_below, exact), SET, gap) == NotMet((open_below.evidence(">", "50"),))


# --- B ---------------------------------------------------------------------------------------------


def test_b_is_met_on_the_day_of_the_second_marrow() -> None:
    first, second = marrow(0, "8"), marrow(7, "31")
    found = repopulation(window(first, second), SET, gap)
    assert found == Met((first.evidence(), second.evidence(">", "25")), on(7))


@pytest.mark.parametrize(
    ("mode", "first", "second", "met"),
    [
        ("rise", "20", "26", True),
        ("rise", "21", "26", False),
        ("above-five", "5.1", "26", True),
        ("above-five", "5", "26", False),
        ("above-five", "26", "26", False),
        ("above-five", "22", "26", True),
        ("two-above-25", "25", "30", False),
        ("two-above-25", "25.1", "26", True),
        ("two-above-25", "40", "26", True),
    ],
)
def test_b_by_every_reading(mode: str, first: str, second: str, met: bool) -> None:
    criteria = read_as(mode)
    found = repopulation(window(marrow(0, first), marrow(10, second)), criteria, gap)
    assert isinstance(found, Met) is met


@pytest.mark.parametrize(("days", "met"), [(6, False), (7, True), (90, True), (91, False)])
def test_b_needs_a_week_and_no_more_than_ninety_days(days: int, met: bool) -> None:
    found = repopulation(window(marrow(0, "8"), marrow(days, "31")), SET, gap)
    assert isinstance(found, Met) is met


def test_b_without_a_second_marrow_asks_for_it() -> None:
    only = marrow(0, "31")
    assert repopulation(window(only), SET, gap) == asks("second-marrow", only.evidence())


def test_b_not_met_shows_the_last_two_or_the_highest() -> None:
    one, two, three = marrow(0, "30"), marrow(10, "28"), marrow(20, "26")
    assert repopulation(window(one, two, three), SET, gap) == NotMet((two.evidence(), three.evidence()))
    low, high = marrow(0, "3"), marrow(10, "25")
    assert repopulation(window(low, high), SET, gap) == NotMet((high.evidence(">", "25"),))


def test_b_open_asks_for_the_exact_value() -> None:
    doubtful, second = marrow(0, between("1", "28")), marrow(10, "31")
    assert repopulation(window(doubtful, second), SET, gap) == asks("marrow-exact", second.evidence())


@pytest.mark.parametrize(
    ("first", "met"), [(between(None, "10"), True), (between("29", None), False), (between("20", None), None)]
)
def test_b_rises_over_whole_intervals(first: Measured, met: bool | None) -> None:
    found = repopulation(window(marrow(0, first), marrow(10, "31")), SET, gap)
    assert (True if isinstance(found, Met) else None if isinstance(found, Unknown) else False) is met


def test_b_above_five_with_an_open_first_value_is_open() -> None:
    criteria = read_as("above-five")
    last = marrow(10, "31")
    found = repopulation(window(marrow(0, between("6", None)), last), criteria, gap)
    assert found == asks("marrow-exact", last.evidence())


def test_b_with_an_open_final_value_is_open() -> None:
    last = marrow(10, between("20", "40"))
    assert repopulation(window(marrow(0, "3"), last), SET, gap) == asks("marrow-exact", last.evidence())


def test_b_asks_for_a_marrow_without_one_or_without_the_rule() -> None:
    assert repopulation(EMPTY, SET, gap) == asks("marrow")
    assert repopulation(window(marrow(0, "8"), marrow(10, "31")), BARE, gap) == asks("marrow")


# --- C ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("blood_day", "event"), [(5, 10), (10, 10), (17, 17)])
def test_c_is_met_by_the_later_of_both(blood_day: int, event: int) -> None:
    sample, smear = marrow(10, "26"), marrow(blood_day, "2")
    found = marrow_with_blood(window(sample, blood=[smear]), SET, gap)
    assert found == Met((sample.evidence(">", "25"), smear.evidence(">=", "2")), on(event))


@pytest.mark.parametrize("blood_day", [2, 18])
def test_c_blood_out_of_the_window_is_as_good_as_none(blood_day: int) -> None:
    sample = marrow(10, "26")
    found = marrow_with_blood(window(sample, blood=[marrow(blood_day, "40")]), SET, gap)
    assert found == asks("blood", sample.evidence(">", "25"))


def test_c_not_met_by_too_little_blood_or_marrow() -> None:
    sample, smear = marrow(10, "26"), marrow(10, "1.9")
    found = marrow_with_blood(window(sample, blood=[smear]), SET, gap)
    assert found == NotMet((sample.evidence(), smear.evidence(">=", "2")))
    low, lower = marrow(10, "25"), marrow(12, "3")
    found = marrow_with_blood(window(low, lower, blood=[marrow(10, "40")]), SET, gap)
    assert found == NotMet((low.evidence(">", "25"),))


def test_c_open_names_the_doubtful_blood() -> None:
    sample, smear = marrow(10, "26"), marrow(10, between(None, "5"))
    found = marrow_with_blood(window(sample, blood=[smear]), SET, gap)
    assert found == asks("blood", sample.evidence(">", "25"), smear.evidence(">=", "2"))


def test_c_with_an_open_marrow_is_open() -> None:
    sample, smear = marrow(10, between("20", "40")), marrow(10, "30")
    found = marrow_with_blood(window(sample, blood=[smear]), SET, gap)
    assert found == asks("blood", sample.evidence(">", "25"), smear.evidence(">=", "2"))


def test_c_takes_the_latest_of_several() -> None:
    one, two = marrow(10, "26"), marrow(12, "27")
    first, last = marrow(10, "0"), marrow(12, "1")
    found = marrow_with_blood(window(one, two, blood=[first, last]), SET, gap)
    assert found == NotMet((two.evidence(), last.evidence(">=", "2")))
    assert marrow_with_blood(window(one, two), SET, gap) == asks("blood", two.evidence(">", "25"))


def test_c_asks_for_a_marrow_without_one_or_without_the_rule() -> None:
    assert marrow_with_blood(window(blood=[marrow(0, "40")]), SET, gap) == asks("marrow")
    assert marrow_with_blood(window(marrow(0, "90"), blood=[marrow(0, "40")]), BARE, gap) == asks("marrow")


# --- D and E ---------------------------------------------------------------------------------------


def finding(day: int, proven: Answer) -> SiteFinding:
    return SiteFinding("testis", on(day), proven, (Evidence(f"Condition/{day}", "testis"),))


def test_d_is_met_by_the_first_proven_finding() -> None:
    sites = [finding(0, Answer.UNSURE), finding(5, Answer.YES), finding(9, Answer.YES)]
    assert extramedullary(window(findings=sites), SET, gap) == Met(sites[1].evidence, on(5))


def test_d_suspected_asks_for_proof_and_shows_the_latest() -> None:
    sites = [finding(0, Answer.UNSURE), finding(5, Answer.UNSURE)]
    assert extramedullary(window(findings=sites), SET, gap) == asks("proof", *sites[1].evidence)


def test_d_is_met_by_the_fluid_before_a_suspicion_counts() -> None:
    proof = tap(3, "6", Answer.YES)
    found = extramedullary(window(findings=[finding(0, Answer.UNSURE)], taps=[proof]), SET, gap)
    assert found == Met(proof.draw.evidence(">", "5"), on(3))


def test_d_without_findings_says_what_the_fluid_says() -> None:
    clear = tap(3, "0", Answer.NO)
    assert extramedullary(window(taps=[clear]), SET, gap) == NotMet(clear.draw.evidence(">", "5"))
    assert extramedullary(EMPTY, SET, gap) == asks("csf")
    open_count = tap(3, None, Answer.YES)
    assert extramedullary(window(taps=[open_count]), SET, gap) == asks(
        "csf-count", *open_count.draw.evidence()
    )
    assert extramedullary(window(findings=[finding(0, Answer.YES)]), BARE, gap) == asks("site")


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (tap(3, "6", Answer.YES), "met"),
        (tap(3, "5", Answer.YES), "not-met"),
        (tap(3, "6", Answer.NO), "not-met"),
        (tap(3, "6", Answer.UNSURE), "cytology"),
        (tap(3, None, Answer.YES), "csf-count"),
        (tap(3, None, Answer.UNSURE), "csf-count"),
        (tap(3, None, Answer.NO), "not-met"),
        (tap(3, between("4", "6"), Answer.YES), "csf-count"),
        (tap(3, "6", Answer.YES, Answer.YES, Answer.NO), "traumatic-tap"),
        (tap(3, "6", Answer.YES, Answer.YES, Answer.UNSURE), "traumatic-tap"),
        (tap(3, "6", Answer.YES, Answer.UNSURE, Answer.UNSURE), "traumatic-tap"),
        (tap(3, "6", Answer.YES, Answer.YES, Answer.YES), "met"),
        (tap(3, "6", Answer.YES, Answer.UNSURE, Answer.YES), "met"),
        (tap(3, "5", Answer.YES, Answer.YES, Answer.NO), "not-met"),
    ],
)
def test_e_needs_count_and_blasts_and_no_blood_that_explains_them(reading: TapReading, expected: str) -> None:
    found = cerebrospinal_fluid(window(taps=[reading]), SET, gap)
    evidence = reading.draw.evidence(">", "5")
    kinds: dict[str, Verdict] = {"met": Met(evidence, on(3)), "not-met": NotMet(evidence)}
    assert found == kinds.get(expected, asks(expected, *evidence))


def test_e_a_later_proof_outweighs_a_doubt_and_a_doubt_outweighs_a_clear_tap() -> None:
    doubt, proof, clear = tap(1, "6", Answer.UNSURE), tap(5, "8", Answer.YES), tap(9, "0", Answer.NO)
    met = cerebrospinal_fluid(window(taps=[doubt, proof, clear]), SET, gap)
    assert met == Met(proof.draw.evidence(">", "5"), on(5))
    found = cerebrospinal_fluid(window(taps=[doubt, clear]), SET, gap)
    assert found == asks("cytology", *doubt.draw.evidence(">", "5"))
    second = tap(20, "1", Answer.NO)
    assert cerebrospinal_fluid(window(taps=[clear, second]), SET, gap) == NotMet(
        second.draw.evidence(">", "5")
    )
    assert cerebrospinal_fluid(EMPTY, SET, gap) == asks("csf")
    assert cerebrospinal_fluid(window(taps=[proof]), BARE, gap) == asks("csf")


# --- the set ---------------------------------------------------------------------------------------


def test_a_set_answers_what_it_defines_with_its_citations() -> None:
    found = list(evaluate(EMPTY, SET, gap))
    assert [(name, cites) for name, _verdict, cites in found] == [
        ("A", ("S-000-01",)),
        ("B", ("S-000-02",)),
        ("C", ("S-000-03",)),
        ("D", ("S-000-04",)),
        ("E", ("S-000-06",)),
        ("MRD", ("PDL-T",)),
    ]
    assert all(isinstance(verdict, Unknown) for _name, verdict, _cites in found)
    assert list(evaluate(EMPTY, BARE, gap)) == []


# --- the order of samples --------------------------------------------------------------------------


def test_a_low_marrow_before_the_high_one_does_not_end_the_search_of_c() -> None:
    low, high, smear = marrow(0, "3"), marrow(10, "30"), marrow(10, "5")
    found = marrow_with_blood(window(low, high, blood=[smear]), SET, gap)
    assert found == Met((high.evidence(">", "25"), smear.evidence(">=", "2")), on(10))


def test_a_clear_puncture_before_the_positive_one_does_not_end_the_search_of_e() -> None:
    clear, positive = tap(0, "0", Answer.NO), tap(10, "9", Answer.YES)
    found = cerebrospinal_fluid(window(taps=[clear, positive]), SET, gap)
    assert found == Met(positive.draw.evidence(">", "5"), on(10))


@pytest.mark.parametrize("value", ["30", between("20", "40")])
def test_b_one_marrow_of_an_unknown_day_is_not_repopulation_by_itself(value: str | Measured) -> None:
    only = sometime_in_january(value)
    assert repopulation(window(only), SET, gap) == asks("second-marrow", only.evidence())


def test_b_two_marrows_of_the_same_month_without_days_may_lie_a_week_apart() -> None:
    first, second = sometime_in_january("8"), sometime_in_january("31")
    assert repopulation(window(first, second), SET, gap) == asks("marrow-exact", second.evidence())


def test_b_on_one_day_is_no_repopulation() -> None:
    first, second = marrow(0, "8"), marrow(0, "31")
    assert isinstance(repopulation(window(first, second), SET, gap), NotMet)


def sometime_in_january(value: str | Measured) -> Sample:
    month = Moment(date(2024, 1, 1), date(2024, 1, 31))
    sample = marrow(0, value)
    return replace(sample, day=month, result=replace(sample.result, collected=month))
