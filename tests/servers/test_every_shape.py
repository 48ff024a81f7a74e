"""A reader and its query are one: what ``assess`` finds in a file, ``call`` finds on a server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.settings.model import Habits
from fhir_mappings.assess import Knowledge, Subject, as_json, assess, decode
from tests.faults.fronted_clinic import Upstream, answers_through
from tests.faults.lossy_fronts import unchanged
from tests.servers.charts import Chart, put
from tests.servers.opening import running_sandbox
from tests.servers.shapes import SHAPES, shape_charts


def assessed(chart: Chart, knowledge: Knowledge) -> dict[str, Any]:
    """The assessment of the chart as a file."""
    bundle = {"resourceType": "Bundle", "entry": [{"resource": each} for each in chart.resources]}
    entries = decode(json.dumps(bundle).encode()).resource.entry or []
    return as_json(assess(entries, chart.at, knowledge, subject=Subject(chart.patient_id)))


def said(assessment: dict[str, Any]) -> tuple[Any, ...]:
    """Status, verdicts and sections."""
    verdicts = [(one["set"], one["id"], one["verdict"]) for one in assessment.get("criteria", ())]
    return assessment["status"], verdicts, assessment.get("sections")


def differences(upstream: Upstream, charts: list[Chart], knowledge: Knowledge) -> list[str]:
    """The shapes that a way of reading does not bring."""
    found = []
    told = answers_through(unchanged, upstream, charts, knowledge)
    for chart, shape in zip(charts, SHAPES, strict=True):
        expected = said(assessed(chart, knowledge))
        for way in ("hook, prefetched", "hook, read"):
            status, body = told[chart.patient_id][way]
            got = said(body["extension"]["org.relapse-cds.assessment"]) if status == 200 else (status, body)
            if got != expected:
                found.append(f"{shape}, {way}: {got[0]} for {expected[0]}")
    return found


def test_the_shapes_are_worth_asking_for(knowledge: Knowledge) -> None:
    statuses = {
        shape: said(assessed(chart, knowledge))[0]
        for shape, chart in zip(SHAPES, shape_charts(), strict=True)
    }
    assert statuses.pop("nothing since the remission") == "none"
    # An examination in words is read, and is no finding by itself.
    statuses.pop("a testicular examination in words")
    assert "none" not in statuses.values(), statuses


def test_the_sandbox_brings_every_shape(knowledge: Knowledge) -> None:
    with running_sandbox() as sandbox:
        put(sandbox.base, shape_charts(), sandbox.tokens.issue())
        upstream = Upstream(sandbox.base, sandbox.tokens.issue)
        assert differences(upstream, shape_charts(), knowledge) == []


@pytest.mark.parametrize("habits", ["hapi", "none"])
def test_hapi_brings_every_shape(knowledge: Knowledge, hapi: str, habits: Habits) -> None:
    put(hapi, shape_charts())
    assert differences(Upstream(hapi, habits=habits), shape_charts(), knowledge) == []
