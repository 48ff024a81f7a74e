"""Results grouped into samples and lumbar punctures, and what they are as evidence."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from fhir_mappings.clinical.answers import Answer, either
from fhir_mappings.clinical.facts import Result
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.quantities import Measured, Narrative, Presence, Unusable, Value, as_conflict
from fhir_mappings.clinical.samples import (
    CsfDraw,
    Sample,
    cytology_answer,
    group_csf,
    numeric,
    same_specimen,
)
from fhir_mappings.clinical.verdict import Evidence

DAY = Moment.on(date(2024, 6, 3))
MONTH = Moment(date(2024, 6, 1), date(2024, 6, 30))


def exact(value: str, unit: str = "%", original: str = "") -> Measured:
    number = Decimal(value)
    return Measured(number, number, unit, original or f"{value} {unit}")


def result(value: Value, day: Moment | None = DAY, name: str = "x", **more: str) -> Result:
    return Result(f"Observation/{name}", "marrow-lymphoblasts", value, day, **more)  # type: ignore[arg-type]


def sample(value: Measured, day: Moment = DAY, name: str = "x") -> Sample:
    return Sample(result(value, day, name), value, day, "marrow lymphoblasts")


def test_a_sample_as_evidence_has_its_value_date_and_threshold() -> None:
    assert sample(exact("78")).evidence(">", "50") == Evidence(
        "Observation/x", "marrow lymphoblasts", "78", "%", "", "2024-06-03", ">", "50"
    )
    assert sample(exact("78")).evidence() == Evidence(
        "Observation/x", "marrow lymphoblasts", "78", "%", "", "2024-06-03", "", ""
    )


def test_a_converted_value_keeps_its_original() -> None:
    assert sample(exact("62", original="0.62 1")).evidence().original == "0.62 1"
    bare = Measured(Decimal(3), Decimal(3), "", "3")
    assert sample(bare).evidence().original == ""


def test_a_lumbar_puncture_as_evidence_names_count_cytology_and_erythrocytes() -> None:
    count, red = sample(exact("22", "/uL"), name="wbc"), sample(exact("9", "/uL"), name="rbc")
    words = {Answer.YES: "present", Answer.NO: "absent", Answer.UNSURE: "undetermined"}
    for blasts, word in words.items():
        draw = CsfDraw(DAY, count, red, blasts, result(Presence.PRESENT, name="cytology"))
        assert draw.evidence(">", "5") == (
            Evidence("Observation/wbc", "marrow lymphoblasts", "22", "/uL", "", "2024-06-03", ">", "5"),
            Evidence("Observation/cytology", "CSF blasts", word, date="2024-06-03"),
            Evidence("Observation/rbc", "marrow lymphoblasts", "9", "/uL", "", "2024-06-03"),
        )
    assert CsfDraw(DAY, count, None, Answer.UNSURE).evidence() == (count.evidence(),)
    assert CsfDraw(DAY, None, None, Answer.UNSURE).evidence() == ()


def test_numbers_keep_their_order_and_get_their_titles() -> None:
    later = Moment.on(date(2024, 6, 4))
    found = numeric(
        [
            result(exact("3"), DAY, "a"),
            result(Narrative("few"), DAY, "text"),
            result(exact("1"), DAY, "c"),
            result(exact("4"), None, "undated"),
            result(Presence.ABSENT, DAY, "word"),
            result(exact("2"), later, "b"),
        ],
        {"marrow-lymphoblasts": "marrow lymphoblasts"},
    )
    assert [one.result.resource for one in found] == ["Observation/a", "Observation/c", "Observation/b"]
    assert {one.title for one in found} == {"marrow lymphoblasts"}
    assert numeric([result(exact("1"))], {})[0].title == "marrow-lymphoblasts"


def test_a_word_is_evidence_as_far_as_it_reaches() -> None:
    absent, present = numeric(
        [result(Presence.ABSENT, name="a"), result(Presence.PRESENT, name="b")], {}, none_below=Decimal(5)
    )
    assert absent.value == Measured(Decimal(0), Decimal(5), "%", "absent", high_open=True)
    assert present.value == Measured(Decimal(0), Decimal(100), "%", "present")


def test_tubes_of_one_day_give_the_highest_count_the_clearest_red_and_any_blasts() -> None:
    (draw,) = group_csf(
        [sample(exact("3", "/uL"), name="a"), sample(exact("7", "/uL"), name="b")],
        [sample(exact("90", "/uL"), name="c"), sample(exact("4", "/uL"), name="d")],
        [
            result(Presence.ABSENT, name="e"),
            result(Presence.PRESENT, name="f"),
            result(Presence.PRESENT, None),
        ],
    )
    assert draw.wbc is not None
    assert draw.rbc is not None
    assert draw.blasts_from is not None
    assert (draw.wbc.result.resource, draw.rbc.result.resource) == ("Observation/b", "Observation/d")
    assert (draw.blasts, draw.blasts_from.resource, draw.day) == (Answer.YES, "Observation/f", DAY)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Measured(Decimal(3), None, "/uL", ">3"), exact("2", "/uL")),
        (Measured(None, Decimal(8), "/uL", "<8"), exact("7", "/uL")),
        (exact("1", "/uL"), Measured(None, None, "/uL", "?")),
    ],
)
def test_an_interval_counts_by_its_upper_end_else_by_its_lower(one: Measured, other: Measured) -> None:
    (draw,) = group_csf([sample(one, name="a"), sample(other, name="b")], [], [])
    assert draw.wbc is not None
    assert draw.wbc.result.resource == "Observation/a"


def test_equal_counts_are_told_apart_by_their_name() -> None:
    same = [sample(exact("3", "/uL"), name="a"), sample(exact("3", "/uL"), name="b")]
    (draw,) = group_csf(same, same, [])
    assert draw.wbc is not None
    assert draw.rbc is not None
    assert (draw.wbc.result.resource, draw.rbc.result.resource) == ("Observation/b", "Observation/a")


@pytest.mark.parametrize(
    ("values", "answer", "source"),
    [
        ([Presence.ABSENT], Answer.NO, "0"),
        ([Presence.PRESENT], Answer.YES, "0"),
        ([Presence.WEAK], Answer.UNSURE, "0"),
        ([Presence.INDETERMINATE], Answer.UNSURE, "0"),
        ([Narrative("see text")], Answer.UNSURE, "0"),
        ([Unusable("unit-missing")], Answer.UNSURE, "0"),
        ([exact("0")], Answer.NO, "0"),
        ([exact("0.5")], Answer.YES, "0"),
        ([Measured(None, Decimal(1), "%", "<1", high_open=True)], Answer.UNSURE, "0"),
        ([Measured(Decimal(0), None, "%", ">0", low_open=True)], Answer.YES, "0"),
        ([Presence.ABSENT, Narrative("?")], Answer.UNSURE, "1"),
        ([Narrative("?"), Presence.ABSENT, Presence.PRESENT], Answer.YES, "2"),
        ([], Answer.UNSURE, ""),
    ],
)
def test_blasts_seen_once_are_seen(values: list[Value], answer: Answer, source: str) -> None:
    found, by = cytology_answer([result(value, name=str(index)) for index, value in enumerate(values)])
    assert found is answer
    assert (by.resource if by else "") == (f"Observation/{source}" if source else "")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (result(exact("1"), specimen_ref="S/1"), result(exact("2"), specimen_ref="S/1"), True),
        (result(exact("1"), specimen_ref="S/1"), result(exact("2"), specimen_ref="S/2"), False),
        (result(exact("1"), specimen_ref="S/1"), result(exact("2")), True),
        (result(exact("1")), result(exact("2"), specimen_ref="S/2"), True),
        (result(exact("1")), result(exact("2")), True),
        (result(exact("1")), result(exact("2"), Moment.on(date(2024, 6, 4))), False),
        (result(exact("1"), MONTH), result(exact("2"), MONTH), False),
        (result(exact("1")), result(exact("2"), Moment(date(2024, 6, 3), date(2024, 6, 4))), False),
        (result(exact("1"), Moment(date(2024, 6, 3), date(2024, 6, 4))), result(exact("2")), False),
        (result(exact("1"), None), result(exact("2")), False),
        (result(exact("1")), result(exact("2"), None), False),
    ],
)
def test_results_of_one_specimen(one: Result, other: Result, same: bool) -> None:
    assert same_specimen(one, other) is same


def test_a_value_from_the_wrong_specimen_is_not_used_and_keeps_its_text() -> None:
    assert as_conflict(exact("78", original="78 %")) == Unusable("specimen-conflict", "78 %")
    assert as_conflict(Unusable("unit-missing", "78")) == Unusable("specimen-conflict", "78")
    assert as_conflict(Presence.PRESENT) == Unusable("specimen-conflict", "")


@pytest.mark.parametrize("one", Answer)
@pytest.mark.parametrize("other", Answer)
def test_either(one: Answer, other: Answer) -> None:
    found = either(one, other)
    if Answer.YES in (one, other):
        assert found is Answer.YES
    elif Answer.UNSURE in (one, other):
        assert found is Answer.UNSURE
    else:
        assert found is Answer.NO
