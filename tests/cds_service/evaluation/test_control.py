"""What the newest results of a chart say about the searches by code."""

from __future__ import annotations

import pytest

from cds_service.evaluation.control import (
    LOOKED_PARTLY,
    MISSED,
    NOT_CONTROLLED,
    NOT_LOOKED_FOR,
    Control,
    after_second_question,
    believed,
    held_against,
    unasked,
)
from fhir_mappings.assess import DATA_EMPTY, DATA_PRESENT, Availability, Entry, NeedData, NeedState, decode

BY_CODE = {
    ("Observation", "http://loinc.org|11150-0"): ("marrow",),
    ("Observation", "http://loinc.org|26446-5"): ("blood",),
}
PART = NeedState(Availability.UNKNOWN, "truncated")
CHANGED = NeedState(Availability.UNKNOWN, "query-changed")
FAILED = NeedState(Availability.UNKNOWN, "server-error")


def entry(name: str, code: str) -> Entry:
    coding = f'[{{"system":"http://loinc.org","code":"{code}"}}]'
    text = f'{{"resourceType":"Observation","id":"{name}","code":{{"coding":{coding}}}}}'
    return Entry(resource=decode(text.encode()).resource)


MARROW, BLOOD, OTHER = entry("m", "11150-0"), entry("b", "26446-5"), entry("h", "8867-4")


@pytest.mark.parametrize(
    ("survey", "came", "missed", "agreed", "added"),
    [
        ([], [MARROW], set(), set(), 0),
        ([MARROW], [MARROW], set(), {"marrow"}, 0),
        ([MARROW], [], {"marrow"}, set(), 1),
        ([MARROW, BLOOD, OTHER], [BLOOD], {"marrow"}, {"blood"}, 2),
        ([MARROW, MARROW], [], {"marrow"}, set(), 1),
        ([OTHER], [], set(), set(), 1),
    ],
)
def test_what_came_both_ways_and_what_did_not(
    survey: list[Entry], came: list[Entry], missed: set[str], agreed: set[str], added: int
) -> None:
    control = held_against(NeedData(DATA_PRESENT, survey), came, BY_CODE)
    assert (set(control.missed), set(control.agreed), len(control.added)) == (missed, agreed, added)


@pytest.mark.parametrize(
    ("state", "whole", "read"), [(DATA_EMPTY, True, True), (PART, False, True), (FAILED, False, False)]
)
def test_how_much_of_the_chart_was_seen(state: NeedState, whole: bool, read: bool) -> None:
    control = held_against(NeedData(state), [], BY_CODE)
    assert (control.is_whole, control.was_read) == (whole, read)


WHOLE = Control(is_whole=True, was_read=True)
SOME = Control(was_read=True)
NONE = Control()
MISSING = frozenset({"marrow"})


@pytest.mark.parametrize(
    ("state", "control", "expected"),
    [
        (DATA_EMPTY, WHOLE, None),
        (DATA_EMPTY, SOME, NOT_CONTROLLED),
        (DATA_EMPTY, NONE, None),
        (DATA_PRESENT, WHOLE, None),
        (DATA_PRESENT, SOME, None),
        (DATA_EMPTY, Control(missed=MISSING, is_whole=True, was_read=True), DATA_PRESENT),
        (DATA_EMPTY, Control(missed=MISSING, was_read=True), MISSED),
        (DATA_PRESENT, Control(missed=MISSING, was_read=True), MISSED),
        (CHANGED, WHOLE, DATA_PRESENT),
        (CHANGED, SOME, CHANGED),
        (FAILED, WHOLE, None),
    ],
)
def test_which_answers_are_believed(state: NeedState, control: Control, expected: NeedState | None) -> None:
    assert believed({"marrow": state}, control, ["marrow"]).get("marrow") == expected


def test_an_empty_need_that_shows_no_disease_is_believed() -> None:
    assert believed({"organs": DATA_EMPTY}, SOME, ["organs"]) == {}


WORKS = Control(agreed=frozenset({"blood"}), was_read=True)


@pytest.mark.parametrize(
    ("state", "answer", "control", "expected"),
    [
        (NOT_CONTROLLED, DATA_EMPTY, WORKS, DATA_EMPTY),
        (NOT_CONTROLLED, DATA_EMPTY, SOME, NOT_CONTROLLED),
        (NOT_CONTROLLED, DATA_PRESENT, SOME, DATA_PRESENT),
        (NOT_CONTROLLED, FAILED, WORKS, NOT_CONTROLLED),
        (CHANGED, DATA_EMPTY, WORKS, DATA_EMPTY),
        (CHANGED, CHANGED, WORKS, CHANGED),
        (MISSED, DATA_PRESENT, SOME, DATA_PRESENT),
        (MISSED, DATA_EMPTY, WORKS, MISSED),
    ],
)
def test_after_the_second_question(
    state: NeedState, answer: NeedState, control: Control, expected: NeedState
) -> None:
    assert after_second_question(state, NeedData(answer), control) == expected


def test_a_need_without_codes_is_looked_for_or_named() -> None:
    assert unasked(None) == unasked(NONE) == NOT_LOOKED_FOR
    assert unasked(SOME) == LOOKED_PARTLY
    assert unasked(WHOLE) == DATA_PRESENT
