"""The demonstration patients against the demonstration list."""

from __future__ import annotations

import pytest

from cds_service.settings.model import Settings
from cds_service.trials.lists import TrialLists, TrialSources
from cds_service.trials.matching import TrialAnswer, answer_for, with_trials
from cds_service.trials.report import match_report, report_as_text
from fhir_mappings.trials import load_trial_knowledge
from tests.cds_service.trials.charts import DAY, AssessedPatient, assessed, patients
from tests.fhir_mappings.trials.people import vocabulary

KEYS = {"id", "title", "status", "phase", "interventions", "criteria", "notChecked", "why"}


def demo_lists() -> TrialLists:
    sources = TrialSources(Settings.embedded(trials={"catalogue": "demo", "cache_file": None}), vocabulary())
    sources.load()
    return sources.view()


def answered(patient_id: str) -> tuple[AssessedPatient, TrialAnswer]:
    one = assessed(patient_id)
    return one, answer_for(one.assessment, one.facts, demo_lists(), vocabulary(), DAY)


def listed(patient_id: str) -> tuple[list[str], list[str]]:
    _, answer = answered(patient_id)
    shown = [match.placed.study.id for match in answer.matches.candidates]
    return shown, [match.placed.study.id for match in answer.matches.not_listed]


def test_a_b_lineage_child_is_offered_no_t_lineage_or_adult_study() -> None:
    shown, refused = listed("late-marrow")
    assert "DEMO-ALL-001" in shown
    assert {"DEMO-ALL-003", "DEMO-ALL-004"} <= set(refused)


def test_a_t_lineage_patient_is_offered_the_t_lineage_study_first() -> None:
    shown, refused = listed("t-lineage")
    assert shown[0] == "DEMO-ALL-003"
    assert {"DEMO-ALL-001", "DEMO-ALL-002"} <= set(refused)


def test_a_philadelphia_positive_adult_is_offered_the_kinase_inhibitor_study() -> None:
    shown, _ = listed("ph-positive-adult")
    assert shown[0] == "DEMO-ALL-004"


def test_a_cd19_negative_relapse_after_blinatumomab_leads_to_cd22() -> None:
    shown, refused = listed("cd19-negative")
    assert shown[0] == "DEMO-ALL-002"
    assert "DEMO-ALL-001" in refused


@pytest.mark.parametrize("patient_id", [patient.id for patient in patients()])
def test_every_sentence_can_be_rendered_and_none_gives_a_verdict(patient_id: str) -> None:
    words = load_trial_knowledge().words
    one, answer = answered(patient_id)
    text = "\n".join(words[said.words].text.format(**said.values) for said in answer.statements)
    assert text
    assert "eligible" not in text.lower()
    filled = with_trials(one.assessment, answer)
    section, before = filled.section("TRIAL"), one.assessment.section("TRIAL")
    if before is None or answer.enrolled is not None:
        assert section == before
    else:
        assert section is not None
        assert before.statements[0].words == "trial.preferred"
        assert section.statements == (before.statements[0], *answer.statements)


@pytest.mark.parametrize("patient_id", [patient.id for patient in patients()])
def test_the_report_of_every_patient(patient_id: str) -> None:
    _, answer = answered(patient_id)
    report = match_report(answer.matches, answer.profile, demo_lists().lists, vocabulary(), answer.enrolled)
    assert report["list"] == {
        "source": "Demonstration list (fictional studies), as of 2026-11-02",
        "asOf": "2026-11-02",
        "complete": True,
    }
    for study in (*report["studies"], *report["excluded"]):
        assert study.keys() >= KEYS
        for row in study["criteria"]:
            assert row.keys() >= {"what", "expected", "found", "verdict"}
            assert row["verdict"] in {"met", "not-met", "unknown"}
            assert None not in row.values()
    for study in report["studies"]:
        assert "not-met" not in {row["verdict"] for row in study["criteria"]}
    for study in report["excluded"]:
        assert "not-met" in {row["verdict"] for row in study["criteria"]}
    text = report_as_text(report)
    assert all(study["id"] in text for study in report["studies"])


def test_hostile_text_of_a_list_cannot_steer_a_terminal() -> None:
    report = {
        "list": {"source": "x\x1b[2J", "complete": False, "faults": ["y\u202e"]},
        "studies": [],
        "excluded": [],
    }
    text = report_as_text(report)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "No open study found." in text


def test_the_answer_stays_quiet_only_for_itself() -> None:
    keys = {answered(patient.id)[1].quiet_key for patient in patients()}
    assert len(keys) == len(patients())
