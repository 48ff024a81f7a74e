"""Samples of several concepts stand in one order, that of their collection."""

from __future__ import annotations

from datetime import UTC, datetime

from fhir_mappings.fhir.merging import merge_facts
from fhir_mappings.relapse.usable_results import View, view_of
from tests.fhir_mappings.fhir.charts import CSF_WBC, MARROW, facts_of, knowledge, observation, quantity

AT = datetime(2024, 7, 1, tzinfo=UTC)
LYMPHOBLASTS = "50724-4"
FLOW = {"text": "flow cytometry"}


def seen(*results: tuple[str, str]) -> View:
    """Marrow blasts (``b``), marrow lymphoblasts (``l``) and gated blasts (``g``), each on its day."""
    made = []
    for number, (kind, day) in enumerate(results):
        code = LYMPHOBLASTS if kind == "l" else MARROW
        one = observation(code, id=f"o{number}", effectiveDateTime=day)
        if kind == "g":
            one["method"] = FLOW
        made.append(one)
    return view_of(merge_facts((facts_of(*made),)), AT, knowledge())


def test_marrows_of_two_concepts_come_in_order_of_collection() -> None:
    view = seen(("b", "2024-06-05"), ("l", "2024-06-03"), ("b", "2024-06-01"), ("l", "2024-06-07"))
    assert len({sample.result.concept for sample in view.marrow}) == 2
    assert [sample.day.text for sample in view.marrow] == [
        "2024-06-01",
        "2024-06-03",
        "2024-06-05",
        "2024-06-07",
    ]
    concepts = [sample.result.concept for sample in view.marrow]
    assert [result.concept for result in view.results(*dict.fromkeys(concepts))] == concepts


def test_gated_marrows_come_in_order_of_collection() -> None:
    view = seen(("g", "2024-06-05"), ("b", "2024-06-04"), ("g", "2024-06-03"))
    assert [sample.day.text for sample in view.gated] == ["2024-06-03", "2024-06-05"]
    assert [sample.day.text for sample in view.marrow] == ["2024-06-04"]


def test_counts_of_one_concept_come_in_order_of_collection() -> None:
    taps = [
        observation(CSF_WBC, id=f"t{number}", effectiveDateTime=day, valueQuantity=quantity(3, "/uL"))
        for number, day in enumerate(("2024-06-05", "2024-06-03"))
    ]
    view = view_of(merge_facts((facts_of(*taps),)), AT, knowledge())
    assert [tap.draw.day.text for tap in view.taps] == ["2024-06-03", "2024-06-05"]
