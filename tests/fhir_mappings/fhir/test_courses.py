"""CarePlan and EpisodeOfCare to courses of treatment, with the Conditions they are for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fhir_mappings.fhir.charts import PATIENT, facts_of, ignored_of


def course(kind: str = "CarePlan", status: str = "active", **elements: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": kind,
        "id": "k1",
        "status": status,
        "subject" if kind == "CarePlan" else "patient": {"reference": f"Patient/{PATIENT}"},
        "period": {"start": "2021-03-15"},
    }
    return made | elements


@pytest.mark.parametrize(
    ("kind", "elements"),
    [
        ("CarePlan", {"addresses": [{"reference": "Condition/c1"}]}),
        ("CarePlan", {"addresses": [{"reference": "https://ehr.example.org/fhir/Condition/c1/_history/2"}]}),
        ("EpisodeOfCare", {"diagnosis": [{"condition": {"reference": "Condition/c1"}}]}),
    ],
)
def test_the_conditions_it_is_for(kind: str, elements: dict[str, Any]) -> None:
    (found,) = facts_of(course(kind, **elements)).courses
    assert found.conditions == ("Condition/c1",)


@pytest.mark.parametrize(
    ("status", "end", "running"),
    [
        ("active", None, True),
        ("on-hold", None, True),
        ("active", "2023-03-15", False),
        ("completed", "2023-03-15", False),
        ("completed", None, False),
    ],
)
def test_running_or_ended(status: str, end: str | None, running: bool) -> None:
    period = {"start": "2021-03-15"} | ({"end": end} if end else {})
    (found,) = facts_of(course(status=status, period=period)).courses
    assert found.running is running
    assert (found.end.text if found.end else None) == end


@pytest.mark.parametrize("status", ["draft", "entered-in-error", "unknown", ""])
def test_a_plan_that_never_ran_is_none(status: str) -> None:
    facts = facts_of(course(status=status))
    if status:
        assert not facts.courses
        assert ignored_of(facts) == [("CarePlan/k1", "not-performed")]
    else:
        assert not facts.courses[0].running
