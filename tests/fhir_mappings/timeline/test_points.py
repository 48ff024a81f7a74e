"""The samples of the picture: where they stand, what they say, which criteria they met."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fhir_mappings.timeline.values import Fired, SetAside, TimelinePoint
from tests.fhir_mappings.assessing.pictures import day, picture

REMISSION = "2021-03-10 | diagnosis B-ALL\n2021-04-12 | remission\n"
JUNE = day("2024-06-03")
TAP_MET = tuple(Fired(name, letter, True) for name in ("seed-000", "protocol-m3") for letter in "DE")


def points(rows: str) -> list[TimelinePoint]:
    return list(picture(REMISSION + rows).points)


def test_a_marrow_that_met_criteria_carries_them_in_the_order_of_the_sets() -> None:
    assert points("2024-06-03 | marrow lymphoblasts | 78 | %\n2024-06-03 | blood blasts | 3 | %\n") == [
        TimelinePoint(
            "blood", "Observation/blood-blasts-2024-06-03", "blood blasts", JUNE, "3", "%",
            Decimal(3), Decimal(3), fired=(Fired("seed-000", "C", True),),
        ),
        TimelinePoint(
            "marrow", "Observation/marrow-lymphoblasts-2024-06-03", "marrow lymphoblasts", JUNE, "78", "%",
            Decimal(78), Decimal(78),
            fired=(
                Fired("seed-000", "A", True), Fired("seed-000", "C", True),
                Fired("protocol-m3", "A", True), Fired("nih-2010", "A", True),
            ),
        ),
    ]  # fmt: skip


def test_a_sample_that_met_nothing_carries_nothing() -> None:
    [point] = points("2024-06-03 | blood lymphoblasts | 1 | %\n")
    assert (point.panel, point.what, point.fired) == ("blood", "blood lymphoblasts", ())


def test_mrd_is_drawn_as_measured_and_as_recorded() -> None:
    assert points("2024-06-03 | MRD | 1:1000\n") == [
        TimelinePoint(
            "mrd", "Observation/mrd-2024-06-03", "minimal residual disease", JUNE, "0.1", "%",
            Decimal("0.1"), Decimal("0.1"), original="1:1000",
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("concept", "written", "shown", "low", "high"),
    [
        ("MRD", "<0.01", "<0.01", "0", "0.01"),
        ("MRD", "<=0.01", "≤0.01", "0", "0.01"),
        ("MRD", "not detected", "absent", "0", "1"),
        ("marrow lymphoblasts", ">90", "90–100", "90", "100"),
        ("marrow lymphoblasts", "5-10", "5–10", "5", "10"),
        ("marrow lymphoblasts", "0-5", "≤5", "0", "5"),
        ("marrow lymphoblasts", "0", "0", "0", "0"),
    ],
)
def test_an_interval_stays_one(concept: str, written: str, shown: str, low: str, high: str) -> None:
    unit = "" if written == "not detected" else "%"
    [point] = points(f"2024-06-03 | {concept} | {written} | {unit}\n")
    assert (point.value, point.low, point.high) == (shown, Decimal(low), Decimal(high))


def test_a_worded_marrow_is_shown_as_the_word_over_the_interval_it_stands_for() -> None:
    assert points("2024-06-03 | marrow lymphoblasts | absent\n2024-06-04 | marrow blasts | present\n") == [
        TimelinePoint(
            "marrow", "Observation/marrow-lymphoblasts-2024-06-03", "marrow lymphoblasts", JUNE,
            "absent", "", Decimal(0), Decimal(5),
        ),
        TimelinePoint(
            "marrow", "Observation/marrow-blasts-2024-06-04", "marrow blasts (lineage not stated)",
            day("2024-06-04"), "present", "", Decimal(0), Decimal(100),
        ),
    ]  # fmt: skip


def test_a_share_of_a_flow_gate_is_drawn_for_information_and_meets_nothing() -> None:
    assert points("2024-06-03 | marrow blasts | 60 | % | | method=flow gate\n") == [
        TimelinePoint(
            "marrow", "Observation/marrow-blasts-2024-06-03", "marrow blasts (lineage not stated)", JUNE,
            "60", "%", Decimal(60), Decimal(60), use="gated",
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("concept", "unit", "panel", "what"),
    [
        ("marrow lymphoblasts", "%", "marrow", "marrow lymphoblasts"),
        ("marrow blasts", "%", "marrow", "marrow blasts (lineage not stated)"),
        ("blood lymphoblasts", "%", "blood", "blood lymphoblasts"),
        ("blood blasts", "%", "blood", "blood blasts"),
        ("CSF WBC", "/uL", "csf", "CSF leukocytes"),
        ("MRD", "%", "mrd", "minimal residual disease"),
    ],
)
def test_a_preliminary_number_is_drawn_as_such_and_meets_nothing(
    concept: str, unit: str, panel: str, what: str
) -> None:
    [point] = points(f"2024-06-03 | {concept} | 80 | {unit} | preliminary\n")
    assert point == TimelinePoint(
        panel, point.resource, what, JUNE, "80", unit, Decimal(80), Decimal(80), use="preliminary"
    )


def test_what_is_preliminary_and_has_no_place_does_not_hide_what_comes_after_it() -> None:
    found = points(
        "| marrow lymphoblasts | 80 | % | preliminary\n"
        "2024-06-01 | CD19 on blasts | 80 | % | preliminary\n"
        "2024-06-02 | marrow blasts | absent | | preliminary\n"
        "2024-06-03 | blood blasts | 7 | % | preliminary\n"
    )
    assert [(one.panel, one.value, one.use) for one in found] == [("blood", "7", "preliminary")]


def test_points_stand_in_order_of_time_then_panel_then_resource() -> None:
    found = points(
        "2024-06-03 | MRD | 0.5 | %\n2024-06-03 | CSF WBC | 1 | /uL\n2024-06-03 | marrow lymphoblasts | 7 | %"
        " | | id=b\n2024-06-03 | marrow blasts | 8 | % | | id=a\n2024-06-03 | blood blasts | 0 | %\n"
        "2024-06-02 | MRD | 0.4 | %\n2024-06 | MRD | 0.3 | %\n"
    )
    assert [(one.day.text, one.panel, one.value) for one in found] == [
        ("2024-06", "mrd", "0.3"),
        ("2024-06-02", "mrd", "0.4"),
        ("2024-06-03", "blood", "0"),
        ("2024-06-03", "csf", "1"),
        ("2024-06-03", "marrow", "8"),
        ("2024-06-03", "marrow", "7"),
        ("2024-06-03", "mrd", "0.5"),
    ]


def test_samples_of_a_donor_and_later_ones_are_not_in_the_picture() -> None:
    assert points("2024-05-02 | donor marrow lymphoblasts | 90 | %\n2024-06-05 | MRD | 1 | %\n") == []


def test_a_relapse_that_is_over_is_not_the_current_one() -> None:
    found = points(
        "2022-09-01 | marrow lymphoblasts | 60 | %\n2022-11-01 | remission\n"
        "2024-06-03 | marrow lymphoblasts | 70 | %\n"
    )
    sets = ("seed-000", "protocol-m3", "nih-2010")
    assert [one.fired for one in found] == [
        tuple(Fired(name, "A", False) for name in sets),
        tuple(Fired(name, "A", True) for name in sets),
    ]


def test_a_tap_with_everything_carries_class_trauma_and_criteria() -> None:
    found = points(
        "2024-06-03 | CSF WBC | 6 | /uL\n2024-06-03 | CSF RBC | 40 | /uL\n2024-06-03 | CSF blasts | present\n"
        "2024-06-03 | blood WBC | 5000 | /uL\n2024-06-03 | blood RBC | 4000000 | /uL\n"
    )
    assert found == [
        TimelinePoint(
            "csf", "Observation/csf-wbc-2024-06-03", "CSF leukocytes", JUNE, "6", "/uL",
            Decimal(6), Decimal(6), remarks=("blasts-present", "CNS3b", "traumatic-tap"),
            fired=TAP_MET,
        )
    ]  # fmt: skip


def test_a_tap_that_met_a_criterion_carries_it_once() -> None:
    [point] = points("2024-06-03 | CSF WBC | 12 | 10*6/L\n2024-06-03 | CSF blasts | present\n")
    assert point == TimelinePoint(
        "csf", "Observation/csf-wbc-2024-06-03", "CSF leukocytes", JUNE, "12", "/uL",
        Decimal(12), Decimal(12), original="12 10*6/L", remarks=("blasts-present", "CNS3a"),
        fired=TAP_MET,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "resource", "remarks"),
    [
        ("2024-06-03 | CSF blasts | absent\n", "csf-blasts", ("blasts-absent", "CNS1")),
        ("2024-06-03 | CSF blasts | present\n", "csf-blasts", ("blasts-present",)),
        ("2024-06-03 | CSF RBC | 9 | /uL\n", "csf-rbc", ("blasts-undetermined",)),
        ("2024-06-03 | CSF RBC | 10 | /uL\n", "csf-rbc", ("blasts-undetermined", "traumatic-tap")),
        # The cytology is what such a tap stands on, not the erythrocytes beside it.
        (
            "2024-06-03 | CSF RBC | 2 | /uL\n2024-06-03 | CSF blasts | absent\n",
            "csf-blasts",
            ("blasts-absent", "CNS1"),
        ),
    ],
)
def test_a_tap_without_a_count_of_leukocytes_has_no_value(
    rows: str, resource: str, remarks: tuple[str, ...]
) -> None:
    assert points(rows) == [
        TimelinePoint(
            "csf", f"Observation/{resource}-2024-06-03", "CSF leukocytes", JUNE, "", "", None, None,
            remarks=remarks,
        )
    ]  # fmt: skip


def test_a_count_below_a_bound_is_an_interval_and_its_tap_undetermined() -> None:
    assert points("2024-06-03 | CSF WBC | <5 | /uL\n") == [
        TimelinePoint(
            "csf", "Observation/csf-wbc-2024-06-03", "CSF leukocytes", JUNE, "<5", "/uL",
            Decimal(0), Decimal(5), original="<5 /uL", remarks=("blasts-undetermined",),
        )
    ]  # fmt: skip


def test_results_without_a_place_are_named_with_their_reason() -> None:
    found = picture(
        REMISSION + "2024-05-01 | marrow lymphoblasts | 0.5 | {percent}\n"
        "2024-05-02 | marrow blasts | see report\n"
        "| marrow lymphoblasts | 33 | %\n| marrow blasts | absent\n| CD19 on blasts | 90 | %\n"
    )
    assert found.points == ()
    plain, unstated = "marrow lymphoblasts", "marrow blasts (lineage not stated)"
    assert sorted(found.set_aside, key=lambda one: one.resource) == [
        SetAside("Observation/marrow-blasts", unstated, "", "", "no-date"),
        SetAside("Observation/marrow-blasts-2024-05-02", unstated, "2024-05-02", "", "text-unread"),
        SetAside("Observation/marrow-lymphoblasts", plain, "", "33 %", "no-date"),
        SetAside(
            "Observation/marrow-lymphoblasts-2024-05-01", plain, "2024-05-01", "0.5 {percent}",
            "unit-percent-trap",
        ),
    ]  # fmt: skip


def test_without_leukaemia_samples_are_drawn_and_nothing_is_concluded() -> None:
    found = picture("2024-06-03 | marrow lymphoblasts | 78 | %\n2024-01-01 | HSCT\n")
    assert [(one.value, one.fired) for one in found.points] == [("78", ())]
    assert (found.phases, found.marks) == ((), ())


def test_after_death_nothing_is_concluded() -> None:
    found = picture(REMISSION + "2024-05-03 | marrow lymphoblasts | 78 | %\n2024-05-20 | deceased\n")
    assert [(one.value, one.fired) for one in found.points] == [("78", ())]
    assert (found.phases, found.marks) == ((), ())
