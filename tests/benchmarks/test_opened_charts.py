"""The measure of opened charts counts what it says, on charts made for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import opened_charts
from fhir_mappings.assess import load_knowledge

WORDS = ("B-ALL", "Leukaemia", "Asthma", "family history of ALL", "all tests normal")


def test_charts_with_and_without_all_are_told_apart(tmp_path: Path) -> None:
    for number, words in enumerate(WORDS):
        resources = [
            {"resourceType": "Patient", "id": f"p{number}"},
            {
                "resourceType": "Condition",
                "subject": {"reference": f"https://h.example.org/fhir/Patient/p{number}"},
                "code": {"text": words},
            },
        ]
        entries = [{"resource": one} for one in resources]
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
        (tmp_path / f"{number}.json").write_text(json.dumps(bundle), "utf-8")
    found = opened_charts.measure(opened_charts.charts_below(tmp_path), load_knowledge())
    assert (found.with_all, found.without, found.opened) == (1, 4, 1)
    assert dict(found.labels) == {"Leukaemia": 1}
    assert "25.00%, ABOVE" in opened_charts.report("made", found)


def test_the_generated_export_is_within_the_goal(capsys: pytest.CaptureFixture[str]) -> None:
    assert opened_charts.main(["--patients", "60"]) == 0
    assert "within the goal" in capsys.readouterr().out
