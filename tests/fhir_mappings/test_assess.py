"""The one door: who is assessed, what is refused, and what a file of resources leads to."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from fhir_mappings.assess import (
    ForeignResource,
    KnowledgeError,
    Subject,
    assess,
    assess_facts,
    has_all_diagnosis,
    named_patient,
    read_facts,
    self_test,
)
from fhir_mappings.assess import NoPatient as Nobody
from fhir_mappings.assessment import Availability, NeedState, Status
from fhir_mappings.clinical.facts import Facts
from fhir_mappings.fhir.decoding import Unreadable
from fhir_mappings.knowledge.words import Words
from tests.fhir_mappings.fhir.charts import PATIENT, condition, entry, facts_of, knowledge, observation
from tests.properties.charts import AT

SEEN = NeedState(Availability.PRESENT)
UNSEEN = NeedState(Availability.UNKNOWN, "server-error")


def person(id: str = PATIENT) -> dict[str, Any]:  # noqa: A002 - the name of the element
    return {"resourceType": "Patient", "id": id}


def of(reference: str) -> dict[str, Any]:
    return observation(subject={"reference": reference})


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        ([person("a")], "a"),
        ([person("a"), of("Patient/a")], "a"),
        ([of("Patient/a"), of("Patient/a/_history/2")], "a"),
        ([of("https://ehr.example.org/fhir/Patient/a")], "a"),
        ([of("Patient/a"), of("Group/b")], "a"),
        # The Patient resource says whose file it is; a stranger's result is then refused, not taken.
        ([person("a"), of("Patient/b")], "a"),
    ],
)
def test_the_patient_a_file_names(resources: list[dict[str, Any]], found: str) -> None:
    assert named_patient(map(entry, resources)).patient_id == found


@pytest.mark.parametrize(
    ("resources", "says"),
    [
        ([], "no patient"),
        ([{"resourceType": "Organization"}], "no patient"),
        ([of("Group/b")], "no patient"),
        ([person("a"), person("b")], "several"),
        ([of("Patient/a"), of("Patient/b")], "several"),
    ],
)
def test_a_file_of_nobody_or_of_several_is_refused(resources: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(Nobody, match=says):
        assess(map(entry, resources), AT, knowledge())


def test_a_strangers_result_in_a_file_is_refused() -> None:
    with pytest.raises(ForeignResource):
        assess([entry(person("a")), entry(of("Patient/b"))], AT, knowledge())


def test_bundles_within_bundles_are_opened() -> None:
    inner = {"resourceType": "Bundle", "entry": [{"resource": person()}, {"resource": condition()}]}
    outer = {"resourceType": "Bundle", "entry": [{"resource": inner}]}
    found = assess([entry(outer)], AT, knowledge())
    assert found.patient == PATIENT
    assert found.status is not Status.NOT_EVALUABLE


def evaluate(facts: Facts, **unseen: NeedState) -> tuple[Status, tuple[str, ...]]:
    needs = {need.key: SEEN for need in knowledge().needs} | unseen
    found = assess_facts(facts, needs, AT, knowledge(), Subject(PATIENT))
    return found.status, found.missing_needs


@pytest.mark.parametrize(
    ("resources", "unseen", "status", "missing"),
    [
        ([], {}, Status.NONE, ()),
        ([], {"conditions": UNSEEN}, Status.NOT_EVALUABLE, ("conditions",)),
        ([], {"marrow": UNSEEN, "csf": UNSEEN}, Status.NONE, ()),
        ([condition()], {}, Status.NONE, ()),
        ([condition()], {"csf": UNSEEN}, Status.NOT_EVALUABLE, ("csf",)),
        ([condition()], {"marrow": UNSEEN, "blood": UNSEEN}, Status.NOT_EVALUABLE, ("marrow", "blood")),
        ([condition()], {"medications": UNSEEN, "patient": UNSEEN}, Status.NONE, ()),
        # A finding is a finding although something was not seen.
        (
            [condition("425941003", clinicalStatus=None), observation()],
            {"csf": UNSEEN},
            Status.RELAPSE,
            ("csf",),
        ),
    ],
)
def test_what_was_not_seen_is_never_taken_for_no_relapse(
    resources: list[dict[str, Any]], unseen: dict[str, NeedState], status: Status, missing: tuple[str, ...]
) -> None:
    assert evaluate(facts_of(*resources), **unseen) == (status, missing)


@pytest.mark.parametrize(
    ("lost", "needs"),
    [
        (Unreadable("Condition", "c", ()), {"conditions"}),
        (Unreadable("Observation", "o", ("http://loinc.org|11150-0",)), {"marrow"}),
        (Unreadable("Observation", "o", ("http://loinc.org|2951-2",)), set()),
        (Unreadable("Observation", "o", ()), {"marrow", "blood", "csf"}),
        (Unreadable("", "", ()), {"conditions", "marrow", "blood", "csf"}),
        (Unreadable("Encounter", "e", ()), set()),
    ],
)
def test_what_could_not_be_understood_leaves_its_needs_open(lost: Unreadable, needs: set[str]) -> None:
    facts = read_facts([], Subject(PATIENT), knowledge(), unreadable=[lost])
    assert facts.unreadable == needs


@pytest.mark.parametrize(
    ("resources", "more"),
    [
        ([], False),
        ([condition("195967001")], False),
        ([condition()], True),
        ([condition(extension="unreadable")], True),
        ([condition(subject=None)], True),
    ],
)
def test_the_first_look_goes_on_only_where_there_may_be_leukaemia(
    resources: list[dict[str, Any]], more: bool
) -> None:
    assert has_all_diagnosis(facts_of(*resources)) is more


def test_the_golden_cases_pass_and_say_so_by_silence() -> None:
    self_test(knowledge())


def test_a_sentence_with_a_blank_that_nothing_fills_does_not_go_live() -> None:
    broken = Words("Site: {place}.", ("S-003-12",))
    words = MappingProxyType({**knowledge().words, "relapse.site": broken})
    with pytest.raises(KnowledgeError) as refusal:
        self_test(replace(knowledge(), words=words))
    assert "words.toml: relapse.site: nothing fills the blank place; use these blanks: site" in str(
        refusal.value
    )
