"""No answer depends on the order of resources, on duplicates, on the unit, or on what came later."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fhir_mappings.assess import Knowledge, as_json, assess, load_knowledge
from fhir_mappings.fhir.decoding import decode
from tests.clinical.case_files import Case, read_cases

CASES = tuple(read_cases(Path(__file__).parent / "relapsed_all"))
DECIDED = ("status", "phase", "relapseNumber", "site", "eventDate", "timing", "sections", "cd19", "cd22")
each_case = pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


def answer(case: Case, resources: Sequence[dict[str, Any]], knowledge: Knowledge) -> dict[str, Any]:
    read = [decode(json.dumps(each).encode()).resource for each in resources]
    return as_json(assess(read, case.at, knowledge))


def decided(found: dict[str, Any]) -> dict[str, Any]:
    verdicts = [(each["set"], each["id"], each["verdict"]) for each in found.get("criteria", [])]
    return {"criteria": verdicts} | {name: found.get(name) for name in DECIDED}


@each_case
def test_order_and_duplicates_change_nothing(case: Case, knowledge: Knowledge) -> None:
    resources = case.resources
    mixed = [*resources[::-2], *resources[::2], *reversed(resources)]
    assert answer(case, mixed, knowledge) == answer(case, resources, knowledge)


@each_case
def test_percentages_may_be_written_as_fractions(case: Case, knowledge: Knowledge) -> None:
    restated = copy.deepcopy(case.resources)
    for each in restated:
        quantity = each.get("valueQuantity", {})
        if quantity.get("code") == "%" and quantity["value"] <= 100:
            quantity["value"] = float(Decimal(str(quantity["value"])) / 100)
            quantity["code"] = quantity["unit"] = "1"
    assert decided(answer(case, restated, knowledge)) == decided(answer(case, case.resources, knowledge))


@each_case
def test_later_results_change_nothing(case: Case, knowledge: Knowledge) -> None:
    later: list[dict[str, Any]] = []
    for each in case.resources:
        if each["resourceType"] == "Observation":
            day = case.at.date() + timedelta(days=20)
            later.append(each | {"id": f"later-{len(later)}", "effectiveDateTime": day.isoformat()})
            later[-1].pop("specimen", None)
    answers = [decided(answer(case, found, knowledge)) for found in (case.resources, case.resources + later)]
    assert answers[0] == answers[1]
