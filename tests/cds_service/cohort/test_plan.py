"""The three steps: nobody is left out, every line of the patient is kept, and the row is the assessment's."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.cohort.heads import Block
from cds_service.cohort.plan import candidates, joined, kept, row
from cds_service.cohort.rules import Rules, RulesSource
from cds_service.demo.demo_patients import load_patients
from fhir_mappings.assess import Entry, Subject, decode, has_all_diagnosis, open_chart, opening

Json = dict[str, Any]
AT = datetime(2026, 6, 15, 12, tzinfo=UTC)
HISTOLOGY = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-histology-morphology-behavior"
ALL = {"coding": [{"system": "http://snomed.info/sct", "code": "91857003"}]}
_STATES = "http://terminology.hl7.org/CodeSystem/condition-"


@cache
def rules() -> Rules:
    return RulesSource().load()


def packed(resource: Any) -> bytes:
    return json.dumps(resource, separators=(",", ":")).encode()


@cache
def _codings() -> list[Json]:
    known = rules().knowledge.vocabulary.diagnoses
    return [{"system": system, "code": code} for code, systems in known.items() for system in systems]


_texts = st.sampled_from(
    [
        "Acute lymphoblastic leukaemia",
        "B-ALL",
        "leukaemia",
        "ALL",
        "Asthma",
        "history of ALL",
        "C91.0",
        "no ALL",
    ]
)
_systems = st.sampled_from(["http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10", "urn:local", None, 5])
_odd: st.SearchStrategy[Any] = st.sampled_from(
    [None, 5, "text", [], {}, [{}], {"coding": 5}, {"coding": [None]}]
)
_codings_drawn = st.deferred(lambda: st.sampled_from(_codings())) | st.fixed_dictionaries(
    {"system": _systems, "code": st.sampled_from(["C91.0", "C95.9", "91857003", "Z85.6", "x"])}
)
_concepts = st.fixed_dictionaries(
    {}, optional={"coding": st.lists(_codings_drawn, max_size=2), "text": _texts}
)
_states = st.sampled_from(
    ["confirmed", "provisional", "refuted", "entered-in-error", "active", "remission", "relapse"]
)
_statuses = (
    _states | _states.map(lambda code: {"coding": [{"system": f"{_STATES}clinical", "code": code}]}) | _odd
)
_subjects = st.sampled_from(
    [
        {"reference": "Patient/1"},
        {"reference": "Patient/1/_history/2"},
        {"reference": "https://a.example/Patient/1"},
    ]
)
_extensions = st.lists(
    st.fixed_dictionaries(
        {"url": st.sampled_from([HISTOLOGY, "urn:x"])}, optional={"valueCodeableConcept": _concepts}
    ),
    max_size=2,
)
conditions = st.fixed_dictionaries(
    {"resourceType": st.just("Condition"), "id": st.sampled_from(["a", "b"]), "subject": _subjects},
    optional={
        "code": _concepts | _odd,
        "clinicalStatus": _statuses,
        "verificationStatus": _statuses,
        "extension": _extensions | _odd,
        "modifierExtension": st.just([{"url": "urn:x"}]),
        "note": st.lists(st.fixed_dictionaries({"text": _texts}), max_size=1) | _odd,
        "bodySite": st.lists(_concepts, max_size=1) | _odd,
        "onsetDateTime": st.sampled_from(["2024-01-01", "soon", 5]),
        "onsetPeriod": st.just({"start": "2024"}) | _odd,
        "recordedDate": st.sampled_from(["2024-01-01", "soon", 5]),
        "abatementDateTime": st.sampled_from(["2024-01-01", None, {}]),
        "meta": st.just({"versionId": "2", "lastUpdated": "2024-01-01T00:00:00Z"}) | _odd,
    },
)


@given(st.lists(conditions, min_size=1, max_size=4))
@settings(max_examples=400, deadline=None)
def test_no_chart_that_a_call_would_open_is_left_out(drawn: list[Json]) -> None:
    """Split into single lines, the Conditions open at least whatever the first look at the chart opens."""
    lines = [packed(one) for one in drawn]
    decoded = [decode(line) for line in lines]
    entries = [Entry(resource=one.resource) for one in decoded if one.resource.resource_type]
    unreadable = [lost for one in decoded for lost in one.unreadable]
    chart = open_chart(entries, Subject("1", ("https://a.example",)), rules().knowledge, {}, unreadable)
    opened = has_all_diagnosis(chart.first_look())
    found = {patient for line in lines for patient in candidates([line], rules())}
    assert not opened or found == {"1"}
    # Read as a block, and read again when everything is remembered, they are the same.
    assert candidates(Block(b"\n".join(lines)), rules()) == found == candidates(lines, rules())


@given(conditions, conditions)
@settings(max_examples=200, deadline=None)
def test_what_never_opens_a_chart_changes_nothing(one: Json, other: Json) -> None:
    """Identity, owner, dates and notes are left out of what is remembered, so they must not decide."""
    plain = opening(rules().knowledge)
    names = (
        "id",
        "subject",
        "recordedDate",
        "onsetDateTime",
        "onsetPeriod",
        "abatementDateTime",
        "meta",
        "note",
    )
    mixed = {**one, **{name: other[name] for name in names if name in other}}
    first, second = decode(packed(one)), decode(packed(mixed))
    if not first.unreadable and not second.unreadable:
        fresh = opening(rules().knowledge)
        assert plain.opens(first) == plain.opens(second) == fresh.opens(second)


def test_conditions_of_nobody_and_broken_lines_are_named() -> None:
    lines = [
        b"",
        b"{",
        b'{"id":"1"}',
        packed({"resourceType": "Condition", "code": ALL}),
        packed({"resourceType": "Organization", "id": "1"}),
        packed({"resourceType": "Condition", "code": ALL, "subject": {"reference": "Patient/1"}}),
    ]
    found = kept(lines, {"1"}, rules())
    assert [(fault.line, fault.why) for fault in found.faults] == [
        (1, "not-json"),
        (2, "no-resource-type"),
        (3, "no-patient"),
    ]
    assert found.lines == {"1": [lines[5]]}
    assert found.types == {"Condition": 2, "Organization": 1}


def test_two_resources_on_one_line_do_not_move_the_others() -> None:
    mine = packed({"resourceType": "Observation", "id": "1", "subject": {"reference": "Patient/1"}})
    other = packed({"resourceType": "Observation", "id": "2", "subject": {"reference": "Patient/2"}})
    block = Block(b"%b%b\n\n%b\n" % (other, other, mine))
    assert kept(block, {"1"}, rules()).lines == {"1": [mine]}


def test_joined_resources_are_found_by_id() -> None:
    medication = packed({"resourceType": "Medication", "id": "5"})
    lines = [packed({"resourceType": "Specimen", "id": "5"}), medication, b"{"]
    assert joined(lines, {"Medication/5"}) == [("Medication/5", medication)]


@pytest.mark.parametrize("patient", load_patients(date(2026, 6, 15)), ids=lambda patient: patient.id)
def test_demonstration_patients_are_what_they_are_expected_to_be(patient: Any) -> None:
    lines = [packed(resource) for resource in patient.resources]
    if patient.id not in candidates(lines, rules()):
        assert patient.expect.status == "none"
        return
    found = row(patient.id, kept(lines, {patient.id}, rules()).lines[patient.id], AT, rules())
    assert found is not None
    assert (found.status, found.topics) == (patient.expect.status, patient.expect.topics)


def chart(**changes: Any) -> list[Json]:
    return [
        {"resourceType": "Patient", "id": "1", **changes.get("patient", {})},
        {
            "resourceType": "Condition",
            "id": "c",
            "subject": {"reference": changes.get("subject", "Patient/1")},
            "code": ALL,
            "verificationStatus": {"coding": [{"code": "confirmed"}]},
            **changes.get("condition", {}),
        },
    ]


@pytest.mark.parametrize(
    ("resources", "why"),
    [
        (
            chart(patient={"link": [{"type": "replaced-by", "other": {"reference": "Patient/2"}}]}),
            "merged-patient",
        ),
        (chart(condition={"clinicalStatus": "active"}), "wrong-version"),
        ([*chart(), *chart(subject="Patient/2")], "foreign-resource"),
    ],
)
def test_what_a_call_would_refuse_is_a_row_that_says_so(resources: list[Json], why: str) -> None:
    found = row("1", [packed(one) for one in resources], AT, rules())
    assert found is not None
    assert (found.status, found.refusal) == ("refused", why)


def test_a_type_that_the_export_does_not_hold_was_not_seen() -> None:
    lines = [packed(one) for one in chart()]
    seen = row("1", lines, AT, rules())
    unseen = row("1", lines, AT, rules().with_types({"Patient", "Condition"}))
    assert seen is not None
    assert unseen is not None
    assert (seen.status, unseen.status) == ("none", "not-evaluable")
    assert "marrow" in unseen.missing_needs


@pytest.mark.parametrize(
    "reference", ["urn:uuid:1", "Patient/1", "https://a.example/fhir/Patient/1/_history/4"]
)
def test_the_owner_is_known_however_the_reference_is_written(reference: str) -> None:
    found = row("1", [packed(one) for one in chart(subject=reference)], AT, rules())
    assert found is not None
    assert found.status == "none"
