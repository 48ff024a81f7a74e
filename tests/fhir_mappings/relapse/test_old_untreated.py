"""An old marrow without treatment since, where treatment was not looked for (D-12)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fhir_mappings.assess import (
    Assessment,
    Availability,
    Entry,
    Knowledge,
    NeedState,
    Subject,
    assess_facts,
    decode,
    named_patient,
    read_facts,
)
from tests.clinical.case_files import Case, read_cases

CASES = Path(__file__).parents[2] / "clinical" / "relapsed_all"
UNTREATED = next(case for case in read_cases(CASES) if case.id == "D-12-untreated")


def assessed(case: Case, knowledge: Knowledge, unseen: str) -> Assessment:
    """The answer to a case while one need was not seen."""
    entries = [Entry(resource=decode(json.dumps(each).encode()).resource) for each in case.resources]
    subject = named_patient(entries)
    facts = read_facts(entries, Subject(subject.patient_id), knowledge)
    unknown = NeedState(Availability.UNKNOWN, "timed-out")
    needs = {need.key: NeedState(Availability.PRESENT) for need in knowledge.needs} | {unseen: unknown}
    return assess_facts(facts, needs, case.at, knowledge, subject)


def said(assessment: Assessment) -> set[str]:
    """The keys of what is said."""
    return {one.words for section in assessment.sections for one in section.statements}


@pytest.mark.parametrize("need", ["medications", "administrations", "procedures", "careplans"])
def test_treatment_that_was_not_looked_for_is_not_called_missing(need: str, knowledge: Knowledge) -> None:
    words = said(assessed(UNTREATED, knowledge, need))
    assert "probable.old.not-looked" in words
    assert "probable.old.untreated" not in words


def test_an_unseen_need_that_holds_no_treatment_changes_nothing(knowledge: Knowledge) -> None:
    assert "probable.old.untreated" in said(assessed(UNTREATED, knowledge, "studies"))
