"""The phases of the picture: disease, remission, relapse, one after another."""

from __future__ import annotations

import pytest

from fhir_mappings.timeline.values import TimelinePhase
from tests.fhir_mappings.assessing.pictures import day, picture

DIAGNOSIS = "2021-03-10 | diagnosis B-ALL\n"
REMISSION = DIAGNOSIS + "2021-04-12 | remission\n"


def phase(kind: str, start: str, end: str | None, basis: str, number: int = 0) -> TimelinePhase:
    return TimelinePhase(kind, day(start), None if end is None else day(end), basis, number)


DISEASE = phase("disease", "2021-03-10", "2021-04-12", "diagnosis")


def phases(record: str) -> list[TimelinePhase]:
    return list(picture(record).phases)


def test_disease_lasts_until_a_remission_is_on_record() -> None:
    assert phases(DIAGNOSIS) == [phase("disease", "2021-03-10", None, "diagnosis")]


def test_a_remission_lasts_until_a_relapse() -> None:
    assert phases(REMISSION) == [DISEASE, phase("remission", "2021-04-12", None, "documented")]
    assert phases(REMISSION + "2024-06-03 | marrow lymphoblasts | 78 | %\n") == [
        DISEASE,
        phase("remission", "2021-04-12", "2024-06-03", "documented"),
        phase("relapse", "2024-06-03", None, "default", 1),
    ]


def test_a_remission_derived_from_a_marrow_says_so() -> None:
    assert phases(DIAGNOSIS + "2021-04-20 | marrow lymphoblasts | 1 | %\n") == [
        phase("disease", "2021-03-10", "2021-04-20", "diagnosis"),
        phase("remission", "2021-04-20", None, "derived"),
    ]


def test_relapses_are_counted_and_closed_by_the_next_remission() -> None:
    record = (
        REMISSION + "2022-09-01 | marrow lymphoblasts | 60 | %\n2022-11-01 | remission\n"
        "2024-06-03 | marrow lymphoblasts | 70 | %\n"
    )
    assert phases(record) == [
        DISEASE,
        phase("remission", "2021-04-12", "2022-09-01", "documented"),
        phase("relapse", "2022-09-01", "2022-11-01", "default", 1),
        phase("remission", "2022-11-01", "2024-06-03", "documented"),
        phase("relapse", "2024-06-03", None, "default", 2),
    ]


def test_after_the_last_relapse_the_remission_goes_on() -> None:
    record = REMISSION + "2022-09-01 | marrow lymphoblasts | 60 | %\n2022-11-01 | remission\n"
    assert phases(record)[-1] == phase("remission", "2022-11-01", None, "documented")


def test_what_only_another_set_calls_a_relapse_is_a_possible_one() -> None:
    assert phases(REMISSION + "2024-06-03 | marrow lymphoblasts | 30 | %\n")[-1] == phase(
        "possible-relapse", "2024-06-03", None, "consensus"
    )


def test_a_marrow_that_mrd_of_the_same_day_contradicts_is_a_possible_relapse() -> None:
    record = REMISSION + "2024-06-03 | marrow lymphoblasts | 60 | %\n2024-06-03 | MRD | <0.01 | %\n"
    assert phases(record)[-1] == phase("possible-relapse", "2024-06-03", None, "default", 1)


def test_a_contradicted_relapse_of_long_ago_stays_a_possible_one() -> None:
    record = (
        REMISSION + "2022-09-01 | marrow lymphoblasts | 60 | %\n2022-09-01 | MRD | <0.01 | %\n"
        "2022-11-01 | remission\n2024-06-03 | marrow lymphoblasts | 70 | %\n"
    )
    assert [one.kind for one in phases(record)] == [
        "disease", "remission", "possible-relapse", "remission", "relapse",
    ]  # fmt: skip


def test_a_coded_relapse_that_newer_results_do_not_show_is_a_possible_one() -> None:
    record = (
        REMISSION + "2024-05-20 | coded relapse\n2024-05-21 | marrow lymphoblasts | 1 | %\n"
        "2024-05-21 | CSF WBC | 1 | /uL\n2024-05-21 | CSF blasts | absent\n"
    )
    assert phases(record)[2] == phase("possible-relapse", "2024-05-20", None, "coded", 1)


def test_a_relapse_without_a_remission_on_record_is_drawn_when_the_status_speaks_of_it() -> None:
    record = DIAGNOSIS + "2024-06-03 | marrow lymphoblasts | 78 | %\n"
    assert phases(record) == [
        phase("disease", "2021-03-10", "2024-06-03", "diagnosis"),
        phase("possible-relapse", "2024-06-03", None, "default", 1),
    ]


def test_a_coded_relapse_of_long_ago_is_drawn_without_a_remission_on_record() -> None:
    assert phases(DIAGNOSIS + "2022-05-10 | coded relapse\n") == [
        phase("disease", "2021-03-10", "2022-05-10", "diagnosis"),
        phase("relapse", "2022-05-10", None, "coded", 1),
    ]


def test_a_coded_relapse_before_a_transplant_is_drawn_before_the_second_one() -> None:
    record = (
        DIAGNOSIS + "2022-05-10 | coded relapse\n2022-09-10 | HSCT\n"
        "2024-05-20 | marrow lymphoblasts | 70 | %\n"
    )
    assert phases(record) == [
        phase("disease", "2021-03-10", "2022-05-10", "diagnosis"),
        phase("relapse", "2022-05-10", "2022-09-10", "coded", 1),
        phase("remission", "2022-09-10", "2024-05-20", "transplant"),
        phase("relapse", "2024-05-20", None, "default", 2),
    ]


def test_a_transplant_after_disease_that_never_left_is_the_first_remission() -> None:
    record = DIAGNOSIS + "2021-07-10 | marrow lymphoblasts | 60 | %\n2021-09-10 | HSCT\n"
    disease = phase("disease", "2021-03-10", "2021-09-10", "diagnosis")
    assert phases(record) == [disease, phase("remission", "2021-09-10", None, "transplant")]
    assert phases(record + "2024-05-20 | marrow lymphoblasts | 70 | %\n") == [
        disease,
        phase("remission", "2021-09-10", "2024-05-20", "transplant"),
        phase("relapse", "2024-05-20", None, "default", 2),
    ]


def test_the_marrow_of_an_undated_diagnosis_is_no_relapse_and_its_remission_is_drawn() -> None:
    record = (
        "| diagnosis B-ALL\n2021-03-10 | marrow lymphoblasts | 80 | %\n"
        "2021-05-10 | marrow lymphoblasts | 2 | %\n2024-05-20 | marrow lymphoblasts | 70 | %\n"
    )
    assert phases(record) == [
        phase("remission", "2021-05-10", "2024-05-20", "derived"),
        phase("relapse", "2024-05-20", None, "default", 2),
    ]


def test_a_remission_whose_date_is_not_recorded_takes_the_place_of_the_disease() -> None:
    record = "2021-03-10 | diagnosis B-ALL\n2023-03-10 | condition in remission\n"
    assert [(one.kind, one.basis) for one in phases(record)] == [("remission", "undated")]


@pytest.mark.parametrize(
    ("remission", "kinds"),
    [("2021-03-09", ["remission"]), ("2021-03-10", ["disease", "remission"])],
)
def test_disease_does_not_end_before_it_begins(remission: str, kinds: list[str]) -> None:
    assert [one.kind for one in phases(f"{DIAGNOSIS}{remission} | remission\n")] == kinds


@pytest.mark.parametrize(
    ("event", "kinds"),
    [
        # The year may have begun before the remission: it does not end before it begins.
        ("2024", ["disease", "relapse"]),
        # More than 90 days ago and untreated since: possible (D-12).
        ("2024-03-01", ["disease", "remission", "possible-relapse"]),
        ("2024-03-02", ["disease", "remission", "possible-relapse"]),
    ],
)
def test_a_remission_does_not_end_before_it_begins(event: str, kinds: list[str]) -> None:
    record = f"2023-12-01 | diagnosis B-ALL\n2024-03-01 | remission\n{event} | marrow lymphoblasts | 78 | %\n"
    assert [one.kind for one in phases(record)] == kinds
