"""Invariants 3 and 4: no verdict depends on order, duplicates, units or later results, none on nothing."""

from __future__ import annotations

import copy
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties.charts import (
    AT,
    RESTATED,
    Json,
    answer,
    charts,
    condition,
    decided,
    leukaemia_charts,
    observation,
    person,
    quantity,
    results,
    unrelated,
)

_SEVERITY = {
    "none": 0,
    "out-of-scope": 0,
    "not-evaluable": 0,
    "suspect": 1,
    "probable": 2,
    "relapse": 3,
    "refractory": 3,
    "persistent": 3,
}
tried = settings(max_examples=60, deadline=None, derandomize=True)


@tried
@given(charts, st.data())
def test_the_order_of_resources_changes_nothing(chart: list[Json], data: st.DataObject) -> None:
    assert answer(data.draw(st.permutations(chart))) == answer(chart)


@tried
@given(charts, st.data())
def test_duplicates_change_nothing(chart: list[Json], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(chart), max_size=4))
    assert answer([*chart, *again]) == answer(chart)


def restated(resource: Json, choose: int) -> Json:
    """The same result in another unit."""
    found = copy.deepcopy(resource)
    value = found.get("valueQuantity", {})
    spellings = RESTATED.get(value.get("code", ""), ())
    if spellings:
        unit, divisor = spellings[choose % len(spellings)]
        value["value"] = float(Decimal(str(value["value"])) / divisor)
        value["code"] = value["unit"] = unit
    return found


@tried
@given(leukaemia_charts, st.integers(0, 3))
def test_the_unit_in_which_a_value_is_written_changes_nothing(chart: list[Json], choose: int) -> None:
    assert decided(answer([restated(one, choose) for one in chart])) == decided(answer(chart))


@tried
@given(leukaemia_charts, st.lists(results, min_size=1, max_size=3), st.integers(1, 400))
def test_results_after_the_evaluation_change_nothing(chart: list[Json], later: list[Json], days: int) -> None:
    day = (AT.date() + timedelta(days=days)).isoformat()
    added = [{**one, "id": f"later{at}", "effectiveDateTime": day} for at, one in enumerate(later)]
    assert decided(answer([*chart, *added])) == decided(answer(chart))


@tried
@given(charts, st.lists(unrelated, min_size=1, max_size=3))
def test_what_no_rule_reads_changes_nothing(chart: list[Json], added: list[Json]) -> None:
    named = [{**one, "id": f"unrelated{at}"} for at, one in enumerate(added)]
    assert answer([*chart, *named]) == answer(chart)


@tried
@given(leukaemia_charts)
def test_a_worse_marrow_never_makes_the_answer_less_severe(chart: list[Json]) -> None:
    worse = observation("11150-0", AT.date(), quantity(97, "%"), number=99)
    before, after = (answer(found)["status"] for found in (chart, [*chart, worse]))
    assert _SEVERITY[after] >= _SEVERITY[before], f"{before}, then {after}"


@tried
@given(leukaemia_charts)
def test_a_worse_puncture_never_makes_the_answer_less_severe(chart: list[Json]) -> None:
    day = AT.date()
    worse = [
        observation("26465-5", day, quantity(300, "/uL"), number=97),
        observation("26454-9", day, quantity(0, "/uL"), number=98),
        observation("42209-7", day, {"valueBoolean": True}, number=99),
    ]
    before, after = (answer(found)["status"] for found in (chart, [*chart, *worse]))
    assert _SEVERITY[after] >= _SEVERITY[before], f"{before}, then {after}"


def verdicts(found: dict[str, Any]) -> set[str]:
    return {one["verdict"] for one in found.get("criteria", [])}


@tried
@given(st.lists(unrelated, max_size=4))
def test_an_empty_record_meets_no_criterion(added: list[Json]) -> None:
    named = [{**one, "id": f"unrelated{at}"} for at, one in enumerate(added)]
    found = answer([person(), *named])
    assert found["status"] == "none"
    assert not verdicts(found)


@tried
@given(st.sampled_from(["277571004", "277575008", "91857003"]), st.lists(unrelated, max_size=2))
def test_a_diagnosis_without_results_decides_no_criterion(code: str, added: list[Json]) -> None:
    named = [{**one, "id": f"unrelated{at}"} for at, one in enumerate(added)]
    found = answer([person(), condition(code, "active", AT.date() - timedelta(days=900)), *named])
    assert verdicts(found) <= {"unknown"}
