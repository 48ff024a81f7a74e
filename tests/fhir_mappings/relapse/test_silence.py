"""A chart without ALL, or of a patient who died: nothing is said, and what was seen is still told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fhir_mappings.assess import Subject, assess_facts, read_facts
from fhir_mappings.assessing.engine import evaluate_facts
from fhir_mappings.assessment import Assessment, Availability, NeedState, Status
from fhir_mappings.clinical.facts import Facts, Person
from fhir_mappings.fhir.decoding import decode
from fhir_mappings.fhir.elements import Entry
from tests.fhir_mappings.fhir.charts import PATIENT, condition, knowledge, observation
from tests.properties.charts import AT

SEEN = NeedState(Availability.PRESENT)
ACUTE_MYELOID = "91861009"


def told(*resources: dict[str, Any], seen: bool = True) -> Assessment:
    """The assessment of a chart of which everything was seen, or nothing."""
    entries = [Entry(resource=decode(json.dumps(one).encode()).resource) for one in resources]
    facts = read_facts(entries, Subject(PATIENT), knowledge())
    needs = {need.key: SEEN for need in knowledge().needs} if seen else {}
    return assess_facts(facts, needs, AT, knowledge(), Subject(PATIENT))


def person(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": PATIENT, "gender": "male", **elements}


LATER = observation(effectiveDateTime="2030-01-01")


@pytest.mark.parametrize(
    ("resources", "status"),
    [
        ([], Status.NONE),
        ([condition(ACUTE_MYELOID)], Status.OUT_OF_SCOPE),
        ([condition(), person(deceasedBoolean=True)], Status.NONE),
    ],
    ids=["no leukaemia", "another leukaemia", "deceased"],
)
def test_nothing_is_said_of_a_chart_that_was_seen(resources: list[dict[str, Any]], status: Status) -> None:
    found = told(*resources, LATER)
    assert (found.status, found.sections, found.missing_needs) == (status, (), ())
    assert (found.patient, found.at) == (PATIENT, AT)
    assert found.knowledge.digest == knowledge().digest
    assert [one.why for one in found.ignored] == ["after-evaluation"]


def test_without_the_problem_list_nothing_is_concluded_unless_the_patient_has_died() -> None:
    unseen = told(seen=False)
    assert unseen.status is Status.NOT_EVALUABLE
    assert "conditions" in unseen.missing_needs
    gone = told(person(deceasedBoolean=True), seen=False)
    assert (gone.status, gone.missing_needs) == (Status.NONE, ())


def test_the_patients_sex_is_told_or_unknown() -> None:
    assert told(person()).sex == "male"
    assert told().sex == "unknown"


def test_of_two_persons_one_who_died_silences() -> None:
    facts = Facts(persons=(Person("Patient/p1"), Person("Patient/p2", deceased=True)))
    found = evaluate_facts(facts, {}, AT, knowledge(), PATIENT)
    assert (found.status, found.missing_needs) == (Status.NONE, ())


def test_the_digest_changes_with_the_evidence_also_where_nothing_is_said() -> None:
    assert told().evidence_digest != told(observation()).evidence_digest
    assert told(observation()).evidence_digest == told(observation()).evidence_digest != ""
