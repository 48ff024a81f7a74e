"""Remission, relapse, remission: how episodes are counted, closed, and told from one another (F-26, F-28)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fhir_mappings.fhir.charts import (
    PATIENT,
    SNOMED,
    clinical,
    concept,
    condition,
    observation,
    quantity,
)
from tests.properties.charts import Json, answer

DIAGNOSED = "2019-01-10"


def leukaemia(status: str = "active", **elements: Any) -> Json:
    return condition(clinicalStatus=clinical(status), **{"onsetDateTime": DIAGNOSED, **elements})


def marrow(day: str, percent: float) -> Json:
    made = observation(effectiveDateTime=day, valueQuantity=quantity(percent))
    return made | {"id": f"marrow-{day}"}


def puncture(day: str, count: int, blasts: bool) -> list[Json]:
    found = [
        observation("26465-5", effectiveDateTime=day, valueQuantity=quantity(count, "/uL")),
        observation("42209-7", effectiveDateTime=day, valueQuantity=None, valueBoolean=blasts),
    ]
    return [{**one, "id": f"csf-{day}-{place}"} for place, one in enumerate(found)]


def transplant(day: str) -> Json:
    return {
        "resourceType": "Procedure",
        "id": f"hsct-{day}",
        "status": "completed",
        "code": concept(SNOMED, "23719005"),
        "subject": {"reference": f"Patient/{PATIENT}"},
        "performedDateTime": day,
    }


def status_of(*resources: Json) -> tuple[str, int | None]:
    found = answer([leukaemia(), *resources])
    return found["status"], found.get("relapseNumber")


@pytest.mark.parametrize(
    ("marrows", "status", "number"),
    [
        # percentages by day; the first is that of diagnosis
        ("2019-01-10=90 2019-02-20=1 2024-06-01=78", "relapse", 1),
        ("2019-01-10=90 2019-02-20=1 2024-06-01=50.1", "relapse", 1),
        ("2019-01-10=90 2019-02-20=4.9 2024-06-01=78", "relapse", 1),
        # blasts of 5 % are no remission; no criterion is met before one
        ("2019-01-10=90 2019-02-20=5 2024-06-01=78", "refractory", None),
        # a marrow too soon after diagnosis shows no remission
        ("2019-01-10=90 2019-01-20=1 2024-06-01=78", "probable", 1),
        # nor does the marrow of the diagnosis stand in for one after a remission
        ("2019-01-10=90 2024-06-01=78", "probable", 1),
        ("2024-06-01=78", "probable", 1),
        # relapse, second remission, second relapse
        ("2019-02-20=1 2022-01-10=60 2022-03-10=1 2024-06-01=78", "relapse", 2),
        # the first relapse never went into remission: still the same one
        ("2019-02-20=1 2024-05-10=60 2024-05-20=40 2024-06-01=78", "relapse", 1),
        # a relapse long ago, in remission since
        ("2019-02-20=1 2020-01-10=60 2020-03-10=1 2024-06-01=1", "none", None),
        ("2019-02-20=1 2024-06-01=1", "none", None),
    ],
)
def test_relapses_are_counted_by_the_remissions_between_them(
    marrows: str, status: str, number: int | None
) -> None:
    results = [
        marrow(day, float(percent)) for day, _, percent in (one.partition("=") for one in marrows.split())
    ]
    assert status_of(*results) == (status, number)


def test_a_transplant_closes_a_relapse_for_counting() -> None:
    results = [marrow("2019-02-20", 1), marrow("2022-01-10", 60), marrow("2024-06-01", 78)]
    assert status_of(*results)[1] == 1
    assert status_of(*results, transplant("2022-06-01"))[1] == 2


def test_a_transplant_before_the_first_relapse_closes_nothing() -> None:
    results = [marrow("2019-02-20", 1), transplant("2019-08-01"), marrow("2024-06-01", 78)]
    assert status_of(*results) == ("relapse", 1)


@pytest.mark.parametrize("measured", [False, True])
def test_a_coded_relapse_is_one_also_without_a_remission_on_record(measured: bool) -> None:
    relapsed = leukaemia("relapse", onsetDateTime="2024-03-06")
    found = answer([relapsed, *(puncture("2024-06-03", 300, True) if measured else [])])
    assert found["status"] == "relapse"


def test_a_coded_relapse_long_before_a_measured_one_is_another() -> None:
    coded = leukaemia("relapse", recordedDate="2021-01-10", onsetDateTime="2021-01-10") | {"id": "c2"}
    found = answer([leukaemia(), marrow("2019-02-20", 1), coded, marrow("2024-06-01", 78)])
    assert (found["status"], found["relapseNumber"]) == ("relapse", 2)


def test_a_coded_relapse_confirmed_by_the_marrow_is_one_relapse() -> None:
    coded = leukaemia("relapse", onsetDateTime="2024-05-30") | {"id": "c2"}
    found = answer([leukaemia(), marrow("2019-02-20", 1), coded, marrow("2024-06-01", 78)])
    assert (found["status"], found["relapseNumber"], found["eventDate"]) == ("relapse", 1, "2024-06-01")


def test_a_relapse_in_the_fluid_needs_a_clear_fluid_to_be_over() -> None:
    chart = [marrow("2019-02-20", 1), *puncture("2024-04-10", 40, True), marrow("2024-05-10", 1)]
    assert answer([leukaemia(), *chart])["phase"] == "active"
    cleared = answer([leukaemia(), *chart, *puncture("2024-05-20", 1, False)])
    assert cleared.get("phase") != "active"
