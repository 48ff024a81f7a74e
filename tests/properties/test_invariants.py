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
    diseased_charts,
    leukaemia_charts,
    observation,
    person,
    quantity,
    residual,
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


def severity(found: dict[str, Any]) -> int:
    """How grave the answer is. A treated relapse in remission again ranks with a suspicion."""
    return 1 if found.get("phase") == "in-remission" else _SEVERITY[found["status"]]


tried = settings(max_examples=100, deadline=None, derandomize=True)


@tried
@given(charts | diseased_charts, st.data())
def test_the_order_of_resources_changes_nothing(chart: list[Json], data: st.DataObject) -> None:
    assert answer(data.draw(st.permutations(chart))) == answer(chart)


@tried
@given(charts | diseased_charts, st.data())
def test_duplicates_change_nothing(chart: list[Json], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(chart), max_size=4))
    assert answer([*chart, *again]) == answer(chart)


def restated(resource: Json, choose: int) -> Json:
    """The same result in another unit."""
    found = copy.deepcopy(resource)
    value = found.get("valueQuantity", {})
    is_residual = "text" in found.get("code", {})
    spellings = RESTATED.get("MRD" if is_residual else value.get("code", ""), ())
    if spellings:
        unit, divisor = spellings[choose % len(spellings)]
        value["value"] = float(Decimal(str(value["value"])) / divisor)
        value["code"] = value["unit"] = unit
    return found


@tried
@given(leukaemia_charts | diseased_charts, st.integers(0, 3))
def test_the_unit_in_which_a_value_is_written_changes_nothing(chart: list[Json], choose: int) -> None:
    assert decided(answer([restated(one, choose) for one in chart])) == decided(answer(chart))


@tried
@given(leukaemia_charts | diseased_charts, st.lists(results, min_size=1, max_size=3), st.integers(1, 400))
def test_results_after_the_evaluation_change_nothing(chart: list[Json], later: list[Json], days: int) -> None:
    day = (AT.date() + timedelta(days=days)).isoformat()
    added = [{**one, "id": f"later{at}", "effectiveDateTime": day} for at, one in enumerate(later)]
    assert decided(answer([*chart, *added])) == decided(answer(chart))


@tried
@given(charts | diseased_charts, st.lists(unrelated, min_size=1, max_size=3))
def test_what_no_rule_reads_changes_nothing(chart: list[Json], added: list[Json]) -> None:
    named = [{**one, "id": f"unrelated{at}"} for at, one in enumerate(added)]
    assert answer([*chart, *named]) == answer(chart)


@tried
@given(leukaemia_charts | diseased_charts)
def test_a_worse_marrow_never_makes_the_answer_less_severe(chart: list[Json]) -> None:
    worse = observation("11150-0", AT.date(), quantity(97, "%"), number=99)
    before, after = (answer(found) for found in (chart, [*chart, worse]))
    assert severity(after) >= severity(before), f"{before['status']}, then {after['status']}"


@tried
@given(leukaemia_charts | diseased_charts)
def test_a_worse_puncture_never_makes_the_answer_less_severe(chart: list[Json]) -> None:
    day = AT.date()
    worse = [
        observation("26465-5", day, quantity(300, "/uL"), number=97),
        observation("26454-9", day, quantity(0, "/uL"), number=98),
        observation("42209-7", day, {"valueBoolean": True}, number=99),
    ]
    before, after = (answer(found) for found in (chart, [*chart, *worse]))
    assert severity(after) >= severity(before), f"{before['status']}, then {after['status']}"


_WORSE = {
    "marrow": ("11150-0", (5, 6, 20, 25, 26, 50, 51, 100)),
    "lymphoblasts in marrow": ("50724-4", (5, 20, 26, 51, 100)),
    "blood": ("26446-5", (2, 10, 90)),
    "lymphoblasts in blood": ("34922-5", (2, 10, 90)),
}
_SAME_MATERIAL = {"11150-0": "50724-4", "50724-4": "11150-0", "26446-5": "34922-5", "34922-5": "26446-5"}


def highest(chart: list[Json], code: str) -> float:
    """The highest share of blasts that the chart states for a material; an open end counts as 100 %."""
    found = [0.0]
    for one in chart:
        codes = {each["code"] for each in one.get("code", {}).get("coding", ())}
        if codes & {code, _SAME_MATERIAL[code]}:
            value = one["valueQuantity"]
            found.append(100.0 if ">" in value.get("comparator", "") else float(value["value"]))
    return max(found)


@tried
@given(leukaemia_charts | diseased_charts, st.data())
def test_no_sequence_of_worse_results_makes_the_answer_less_severe(
    chart: list[Json], data: st.DataObject
) -> None:
    """Any material, at any step, at least as bad as what is on record and newer than all of it."""
    before, growing = answer(chart), list(chart)
    for step in range(data.draw(st.integers(1, 3))):
        code, shares = _WORSE[data.draw(st.sampled_from(sorted(_WORSE)))]
        worse = [share for share in shares if share >= highest(growing, code)]
        if worse:
            value = quantity(data.draw(st.sampled_from(worse)), "%")
            growing.append(observation(code, AT.date(), value, number=90 + step))
            after = answer(growing)
            assert severity(after) >= severity(before), f"{before['status']}, then {after['status']}"
            before = after


@tried
@given(leukaemia_charts | diseased_charts, st.sampled_from(["1", "6", "25", "90"]))
def test_a_worse_residual_disease_never_makes_the_answer_less_severe(chart: list[Json], share: str) -> None:
    worse = residual(AT.date(), share, number=99)
    before, after = (answer(found) for found in (chart, [*chart, worse]))
    assert severity(after) >= severity(before), f"{before['status']}, then {after['status']}"


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
