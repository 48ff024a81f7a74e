"""What happened on one day, and what was given over time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from fhir_mappings.assess import timeline_of
from fhir_mappings.clinical.facts import ProcedureDone
from fhir_mappings.timeline.values import Fired, TimelineMark, TimelineTreatment
from tests.fhir_mappings.assessing.pictures import AT, day, facts_of, knowledge, picture

DIAGNOSIS = "2021-03-10 | diagnosis B-ALL\n"
REMISSION = DIAGNOSIS + "2021-04-12 | remission\n"
FRONTLINE = "CarePlan/frontline-therapy-2021-03-10"


def marks(record: str) -> list[TimelineMark]:
    """The marks after that of the diagnosis."""
    first, *found = picture(record).marks
    assert first == TimelineMark("diagnosis", day("2021-03-10"), "Condition/diagnosis-b-all-2021-03-10")
    return found


def test_the_diagnosis_is_marked_with_the_condition_its_date_comes_from() -> None:
    assert marks("2022-05-10 | coded relapse\n2022-05-10 | second ALL condition\n" + DIAGNOSIS) == []
    assert marks("| second ALL condition\n" + DIAGNOSIS) == []


def test_a_diagnosis_known_only_by_its_record_is_marked_on_that_day() -> None:
    assert marks("2021-03-10 | diagnosis B-ALL | | | | onset=none\n") == []


def test_an_undated_diagnosis_has_no_mark() -> None:
    assert picture("| diagnosis B-ALL\n").marks == ()


KINDS = (
    "hsct-allogeneic", "hsct-autologous", "hsct-unspecified", "car-t", "tbi", "cranial-radiotherapy",
    "radiotherapy", "orchiectomy", "testis-biopsy",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_procedures_that_treat_or_prove_are_marked(kind: str) -> None:
    done = (
        ProcedureDone("Procedure/0", kind, None),
        ProcedureDone("Procedure/1", "lumbar-puncture", day("2024-02-01")),
        ProcedureDone("Procedure/2", kind, day("2024-02-02"), "testis"),
    )
    found = timeline_of(replace(facts_of(DIAGNOSIS), procedures=done), AT, knowledge()).marks
    assert found[1:] == (TimelineMark(kind, day("2024-02-02"), "Procedure/2", "testis"),)


def test_findings_outside_the_marrow_are_marked_with_what_they_met() -> None:
    record = (
        REMISSION + "2024-05-10 | testicular biopsy positive\n2024-05-20 | suspected CNS disease\n"
        "2024-05-21 | suspected skin disease\n"
    )
    assert marks(record) == [
        TimelineMark(
            "testis-biopsy", day("2024-05-10"), "Procedure/testicular-biopsy-positive-2024-05-10", "testis"
        ),
        TimelineMark(
            "finding", day("2024-05-10"), "Condition/testicular-disease-2024-05-10", "testis",
            (Fired("seed-000", "D", True), Fired("protocol-m3", "D", True)),
        ),
        TimelineMark(
            "suspected-finding", day("2024-05-20"), "Condition/suspected-cns-disease-2024-05-20", "cns"
        ),
        TimelineMark(
            "suspected-finding", day("2024-05-21"), "Condition/suspected-skin-disease-2024-05-21", "skin"
        ),
    ]  # fmt: skip


def test_the_end_of_the_first_plan_is_the_end_of_therapy_and_later_plans_end_too() -> None:
    record = (
        DIAGNOSIS + "2023-08-01 | reinduction start\n2023-09-01 | reinduction end\n"
        "2021-03-10 | on therapy\n2023-03-10 | end of therapy\n2022-01-01 | HSCT\n"
    )
    assert marks(record) == [
        TimelineMark("hsct-allogeneic", day("2022-01-01"), "Procedure/hsct-2022-01-01"),
        TimelineMark("end-of-therapy", day("2023-03-10"), FRONTLINE),
        TimelineMark("end-of-later-plan", day("2023-09-01"), "CarePlan/reinduction-2023-08-01"),
    ]


@pytest.mark.parametrize(("ended", "kinds"), [("2024-06-04", ["end-of-therapy"]), ("2024-06-05", [])])
def test_an_end_that_is_only_planned_is_not_marked(ended: str, kinds: list[str]) -> None:
    record = DIAGNOSIS + f"2021-03-10 | on therapy\n{ended} | planned end of therapy\n"
    assert [one.kind for one in marks(record)] == kinds


def test_plans_and_agents_are_drawn_from_their_start_to_their_end() -> None:
    record = (
        DIAGNOSIS + "2021-03-10 | on therapy\n2023-03-10 | end of therapy\n2023-08-01 | reinduction start\n"
        "2023-10-01 | medication given blinatumomab | | | | end=2023-10-29\n"
        "2023-11-01 | medication ordered imatinib\n2023-11-02 | medication ordered imatinib | | | draft\n"
        "| medication ordered imatinib\n2023-11-03 | medication given dasatinib\n"
    )
    assert picture(record).treatments == (
        TimelineTreatment(
            FRONTLINE, "", "treatment plan", day("2021-03-10"), day("2023-03-10"), False
        ),
        TimelineTreatment(
            "CarePlan/reinduction-2023-08-01", "", "treatment plan", day("2023-08-01"), None, True
        ),
        TimelineTreatment(
            "MedicationAdministration/medication-given-blinatumomab-2023-10-01", "blinatumomab",
            "Blinatumomab", day("2023-10-01"), day("2023-10-29"), False,
        ),
        TimelineTreatment(
            "MedicationRequest/medication-ordered-imatinib-2023-11-01", "imatinib", "Imatinib",
            day("2023-11-01"), None, True,
        ),
        TimelineTreatment(
            "MedicationAdministration/medication-given-dasatinib-2023-11-03", "dasatinib",
            "Dasatinib", day("2023-11-03"), None, False,
        ),
    )  # fmt: skip


def test_an_order_with_an_end_does_not_run_any_more() -> None:
    facts = facts_of(DIAGNOSIS + "2023-11-01 | medication ordered imatinib\n")
    [drug] = facts.medications
    ended = replace(facts, medications=(replace(drug, end=day("2023-12-01")),))
    [one] = timeline_of(ended, AT, knowledge()).treatments
    assert (one.end, one.running) == (day("2023-12-01"), False)


def test_an_agent_the_knowledge_does_not_name_keeps_its_own_name() -> None:
    facts = facts_of(DIAGNOSIS + "2023-11-01 | medication ordered imatinib\n")
    [drug] = facts.medications
    [one] = timeline_of(
        replace(facts, medications=(replace(drug, agent="novel"),)), AT, knowledge()
    ).treatments
    assert (one.agent, one.title) == ("novel", "novel")


def test_treatments_of_one_day_stand_plans_first_then_by_agent() -> None:
    record = (
        "2021-03-10 | medication given imatinib | | | | id=c\n"
        "2021-03-10 | medication given imatinib | | | | id=b\n"
        "2021-03-10 | medication given blinatumomab | | | | id=d\n" + DIAGNOSIS + "2021-03-10 | on therapy\n"
    )
    assert [one.resource.rpartition("/")[2] for one in picture(record).treatments] == [
        "frontline-therapy-2021-03-10", "d", "b", "c",
    ]  # fmt: skip


def test_plans_of_another_disease_and_plans_not_yet_begun_are_left_out() -> None:
    facts = facts_of(DIAGNOSIS + "2021-03-10 | on therapy\n2023-03-10 | end of therapy\n")
    [plan] = facts.courses
    other = replace(plan, resource="CarePlan/other", conditions=("Condition/asthma",))
    later = replace(plan, resource="CarePlan/later", start=day("2024-06-05"))
    today = replace(plan, resource="CarePlan/today", start=day("2024-06-04"), end=None)
    found = timeline_of(replace(facts, courses=(other, later, today, plan)), AT, knowledge())
    assert [one.resource for one in found.treatments] == [FRONTLINE, "CarePlan/today"]
    assert [one.resource for one in found.marks[1:]] == [FRONTLINE]


def test_a_plan_without_a_start_comes_first_and_is_marked_but_not_drawn() -> None:
    facts = facts_of(DIAGNOSIS + "2021-03-10 | on therapy\n2023-03-10 | end of therapy\n")
    [plan] = facts.courses
    open_ended = replace(plan, resource="CarePlan/z", start=None, end=day("2023-01-01"))
    found = timeline_of(replace(facts, courses=(plan, open_ended)), AT, knowledge())
    assert [(one.kind, one.resource) for one in found.marks[1:]] == [
        ("end-of-therapy", "CarePlan/z"),
        ("end-of-later-plan", FRONTLINE),
    ]
    assert [one.resource for one in found.treatments] == [FRONTLINE]


def test_plans_of_one_start_stand_by_resource() -> None:
    facts = facts_of(DIAGNOSIS + "2021-03-10 | on therapy\n2023-03-10 | end of therapy\n")
    [plan] = facts.courses
    twin = replace(plan, resource="CarePlan/a")
    found = timeline_of(replace(facts, courses=(plan, twin)), AT, knowledge())
    assert [(one.kind, one.resource) for one in found.marks[1:]] == [
        ("end-of-therapy", "CarePlan/a"),
        ("end-of-later-plan", FRONTLINE),
    ]


def test_the_picture_is_that_of_its_moment() -> None:
    early = datetime(2021, 4, 1, tzinfo=UTC)
    found = picture(REMISSION + "2024-01-01 | HSCT\n", early)
    assert found.at == early
    assert [one.kind for one in found.marks] == ["diagnosis"]
    assert [one.kind for one in found.phases] == ["disease"]


def test_a_fact_that_was_sent_twice_is_drawn_once() -> None:
    facts = facts_of(REMISSION + "2024-06-03 | marrow lymphoblasts | 7 | %\n2024-01-01 | HSCT\n")
    twice = replace(facts, results=facts.results * 2, procedures=facts.procedures * 2)
    assert timeline_of(twice, AT, knowledge()) == timeline_of(facts, AT, knowledge())
