"""The assessment as JSON: stable names, and absent facts left out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from fhir_mappings.assess import as_json
from fhir_mappings.assessment import (
    Assessment,
    CriterionResult,
    Indicator,
    KnowledgeStamp,
    Marker,
    NotEvaluated,
    Option,
    OptionState,
    Section,
    Statement,
    Status,
    Timing,
    TimingClass,
)
from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import Ignored, Lineage
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.verdict import Evidence, Met, Missing, NotMet, Unknown

STAMP = KnowledgeStamp("ALL", "1.2", "abc", "draft")
BARE = Assessment("p", datetime(2024, 6, 4, 12, tzinfo=UTC), STAMP, Status.NONE)
EVENT = Moment.on(date(2024, 6, 3))
FULL = Evidence("Observation/1", "marrow", "78", "%", "0.78", "2024-06-03", ">", "50 %")
UNPLACED = TimingClass("")
ALWAYS = {
    "patient": "p",
    "at": "2024-06-04T12:00:00Z",
    "knowledge": {"disease": "ALL", "version": "1.2", "digest": "abc", "review": "draft"},
    "status": "none",
    "lineage": "unknown",
    "bcrAbl1": "unknown",
    "cd19": "unknown",
    "cd22": "unknown",
    "kmt2a": "unknown",
}


def test_a_bare_assessment_names_who_when_by_what_and_nothing_else() -> None:
    assert as_json(BARE) == ALWAYS


def test_a_full_assessment_names_everything() -> None:
    found = Assessment(
        "p", datetime(2024, 6, 4, 14, tzinfo=timezone(timedelta(hours=2))), STAMP, Status.RELAPSE,
        phase="active", relapse_number=2, event=EVENT, event_source="default", site="marrow",
        cns=Answer.NO, lineage=Lineage.B, bcr_abl1=Marker.NEGATIVE, cd19=Marker.POSITIVE,
        cd22=Marker.NEGATIVE, kmt2a=Marker.POSITIVE,
        criteria=(CriterionResult("s", "A", Met((FULL,), EVENT), ("c1", "c2")),),
        timing=Timing(UNPLACED, UNPLACED, UNPLACED, UNPLACED),
        options=(Option("a", "Agent", OptionState.CONFIRM, (Statement("why", {"age": "7"}),), ("c3",)),),
        sections=(Section("relapse", Indicator.INFO, ()), Section("timing", Indicator.INFO, ())),
        not_evaluated=(NotEvaluated("CSF", "not supplied"),),
        ignored=(Ignored("Observation/2", "no-date", "mrd"), Ignored("Condition/3", "refuted")),
        missing_needs=("csf", "marrow"),
    )  # fmt: skip
    assert as_json(found) == {
        **ALWAYS,
        "at": "2024-06-04T14:00:00+02:00",
        "status": "relapse",
        "phase": "active",
        "relapseNumber": 2,
        "eventDate": "2024-06-03",
        "source": "default",
        "site": "marrow",
        "cns": "not-involved",
        "criteria": [
            {
                "set": "s",
                "id": "A",
                "verdict": "met",
                "because": [
                    {
                        "resource": "Observation/1",
                        "what": "marrow",
                        "value": "78",
                        "unit": "%",
                        "original": "0.78",
                        "date": "2024-06-03",
                        "comparator": ">",
                        "threshold": "50 %",
                    }
                ],
                "cites": ["c1", "c2"],
                "date": "2024-06-03",
            }
        ],
        "timing": {"seed-003": {}, "seed-000": {}, "bfm": {}, "cog": {}},
        "lineage": "B",
        "bcrAbl1": "negative",
        "cd19": "positive",
        "cd22": "negative",
        "kmt2a": "positive",
        "options": [
            {
                "agent": "a",
                "title": "Agent",
                "state": "confirm",
                "because": [{"reason": "why", "age": "7"}],
                "cites": ["c3"],
            }
        ],
        "sections": ["relapse", "timing"],
        "notEvaluated": [{"what": "CSF", "why": "not supplied"}],
        "ignored": [
            {"resource": "Observation/2", "why": "no-date", "what": "mrd"},
            {"resource": "Condition/3", "why": "refuted"},
        ],
        "missing": ["csf", "marrow"],
    }


def with_verdict(verdict: Met | NotMet | Unknown) -> dict[str, object]:
    found = Assessment("p", BARE.at, STAMP, Status.NONE, (CriterionResult("s", "A", verdict, ()),))
    [one] = as_json(found)["criteria"]
    assert isinstance(one, dict)
    return one


def test_a_criterion_that_was_not_met_has_evidence_and_no_date() -> None:
    assert with_verdict(NotMet((Evidence("Observation/1", "marrow"),))) == {
        "set": "s",
        "id": "A",
        "verdict": "not-met",
        "because": [{"resource": "Observation/1", "what": "marrow"}],
    }


def test_a_criterion_that_is_open_names_what_is_missing() -> None:
    assert with_verdict(Unknown((Missing("csf", "a lumbar puncture", "none on record"),))) == {
        "set": "s",
        "id": "A",
        "verdict": "unknown",
        "missing": [{"key": "csf", "what": "a lumbar puncture", "why": "none on record"}],
    }


@pytest.mark.parametrize(("cns", "word"), [(Answer.YES, "involved"), (Answer.NO, "not-involved")])
def test_the_central_nervous_system_is_spoken_of_when_it_is_decided(cns: Answer, word: str) -> None:
    found = Assessment("p", BARE.at, STAMP, Status.NONE, cns=cns)
    assert as_json(found) == {**ALWAYS, "cns": word}


@pytest.mark.parametrize(
    ("over", "said"),
    [
        (None, {}),
        (Answer.YES, {"cr1Over18Months": True}),
        (Answer.NO, {"cr1Over18Months": False}),
        (Answer.UNSURE, {"cr1Over18Months": "unknown"}),
    ],
)
def test_every_timing_system_stands_beside_the_others(over: Answer | None, said: dict[str, object]) -> None:
    timing = Timing(
        TimingClass("early", 12.5, "a - b"), TimingClass("late"), TimingClass("very-early", 3.0),
        TimingClass("", None, "c"), over, 11.0, 4.5,
    )  # fmt: skip
    assert as_json(Assessment("p", BARE.at, STAMP, Status.NONE, timing=timing))["timing"] == {
        "seed-003": {"class": "early", "months": 12.5, "arithmetic": "a - b"},
        "seed-000": {"class": "late"},
        "bfm": {"class": "very-early", "months": 3.0},
        "cog": {"arithmetic": "c"},
        "cr1Months": 11.0,
        "monthsSinceTransplant": 4.5,
        **said,
    }


def test_zero_is_a_value_and_is_not_left_out() -> None:
    timing = Timing(TimingClass("early", 0.0), UNPLACED, UNPLACED, UNPLACED, cr1_months=0.0)
    found = as_json(Assessment("p", BARE.at, STAMP, Status.NONE, relapse_number=0, timing=timing))
    assert found["relapseNumber"] == 0
    assert found["timing"]["cr1Months"] == 0.0
    assert found["timing"]["seed-003"] == {"class": "early", "months": 0.0}
