"""The picture over time agrees with the assessment, whatever chart it is made from."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from cds_service.demo.application import LOCAL_CODES
from cds_service.demo.demo_patients import load_patients
from fhir_mappings.assess import (
    Knowledge,
    Subject,
    assess_facts,
    decode,
    load_knowledge,
    read_facts,
    timeline_of,
)
from fhir_mappings.assessment import Assessment, Availability, NeedState
from fhir_mappings.clinical.facts import Facts
from fhir_mappings.clinical.verdict import Met
from fhir_mappings.knowledge.relapsed_all.criteria.cerebrospinal_fluid import CEREBROSPINAL_FLUID
from fhir_mappings.knowledge.relapsed_all.criteria.marrow_single import MARROW_SINGLE
from fhir_mappings.records.written_record import PatientHeader, build_resources, read_table
from fhir_mappings.timeline.values import Timeline

TODAY = date(2024, 6, 4)
AT = datetime(2024, 6, 4, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    """The knowledge inside the package."""
    return load_knowledge()


def facts_of(resources: Any, knowledge: Knowledge, patient: str) -> Facts:
    """The facts of some resources."""
    bundle = {"resourceType": "Bundle", "entry": [{"resource": one} for one in resources]}
    entries = decode(json.dumps(bundle).encode()).resource.entry or []
    return read_facts(entries, Subject(patient), knowledge, LOCAL_CODES)


def both_of(facts: Facts, knowledge: Knowledge, patient: str) -> tuple[Assessment, Timeline]:
    """The assessment and the picture of the same facts."""
    seen = {need.key: NeedState(Availability.PRESENT) for need in knowledge.needs}
    answer = assess_facts(facts, seen, AT, knowledge, Subject(patient))
    return answer, timeline_of(facts, AT, knowledge)


def drawn(record: str, knowledge: Knowledge) -> tuple[Assessment, Timeline]:
    """The assessment and the picture of a written record."""
    header = PatientHeader(id="p", sex="female", born="T-9y", given="A", family="B")
    table = "date | concept | value | unit | note\n-----+---------+-------+------+-----\n" + record
    resources = build_resources(header, read_table(table), today=TODAY)
    return both_of(facts_of(resources, knowledge, "p"), knowledge, "p")


@pytest.mark.parametrize("patient", load_patients(TODAY), ids=lambda one: one.id)
def test_marked_samples_are_those_of_the_verdicts(patient: Any, knowledge: Knowledge) -> None:
    answer, shown = both_of(facts_of(patient.resources, knowledge, patient.id), knowledge, patient.id)
    met = {
        (one.criteria_set, one.id, item.resource)
        for one in answer.criteria
        if isinstance(one.verdict, Met)
        for item in one.verdict.because
    }
    marked = {
        (one.criteria_set, one.id, point.resource)
        for point in shown.points
        for one in point.fired
        if one.current and point.panel in ("marrow", "blood", "mrd")
    }
    assert marked <= met
    panels = {point.resource for point in shown.points if point.panel != "csf"}
    assert {one for one in met if one[2] in panels} == marked


@pytest.mark.parametrize("patient", load_patients(TODAY), ids=lambda one: one.id)
def test_phases_follow_each_other_and_end_in_the_status(patient: Any, knowledge: Knowledge) -> None:
    answer, shown = both_of(facts_of(patient.resources, knowledge, patient.id), knowledge, patient.id)
    for one, following in pairwise(shown.phases):
        assert one.end == following.start
    if answer.event is not None:
        relapses = [one for one in shown.phases if "relapse" in one.kind]
        assert relapses[-1].start == answer.event
        assert relapses[-1].kind == ("possible-relapse" if answer.status.value == "probable" else "relapse")


def test_a_result_after_the_moment_is_not_in_the_picture(knowledge: Knowledge) -> None:
    _, shown = drawn(
        "T-24mo | diagnosis B-ALL | | |\nT-23mo | remission | | |\nT+2d | marrow lymphoblasts | 90 | % |\n",
        knowledge,
    )
    assert shown.points == ()
    assert [one.kind for one in shown.phases] == ["disease", "remission"]


def test_before_any_remission_nothing_is_marked(knowledge: Knowledge) -> None:
    _, shown = drawn("T-3d | diagnosis B-ALL | | |\nT-3d | marrow lymphoblasts | 93 | % |\n", knowledge)
    assert [point.value for point in shown.points] == ["93"]
    assert shown.points[0].fired == ()
    assert [one.kind for one in shown.phases] == ["disease"]


def test_bounds_stay_bounds(knowledge: Knowledge) -> None:
    _, shown = drawn("T-24mo | diagnosis B-ALL | | |\nT-9d | MRD | <0.01 | % |\n", knowledge)
    [point] = shown.points
    assert (point.low or 0, point.high, point.value) == (0, Decimal("0.01"), "<0.01")


def test_a_spinal_tap_tells_its_cytology(knowledge: Knowledge) -> None:
    _, shown = drawn(
        "T-24mo | diagnosis B-ALL | | |\nT-9d | CSF WBC | 12 | /uL |\nT-9d | CSF blasts | present | |\n",
        knowledge,
    )
    [point] = shown.points
    assert point.panel == "csf"
    assert point.remarks[0] == "blasts-present"


def test_treatments_and_transplants_are_dated(knowledge: Knowledge) -> None:
    _, shown = drawn(
        "T-24mo | diagnosis B-ALL | | |\nT-24mo | on therapy | | |\nT-4mo | end of therapy | | |\n"
        "T-12mo | medication given blinatumomab | | | end=T-11mo\nT-10mo | HSCT | | |\n",
        knowledge,
    )
    assert [one.kind for one in shown.marks] == ["diagnosis", "hsct-allogeneic", "end-of-therapy"]
    assert [one.agent for one in shown.treatments] == ["", "blinatumomab"]
    assert not shown.treatments[0].running


def test_the_lines_are_those_of_the_knowledge(knowledge: Knowledge) -> None:
    _, shown = drawn("T-24mo | diagnosis B-ALL | | |\n", knowledge)
    chosen = knowledge.default_set
    single, fluid = MARROW_SINGLE.of(chosen), CEREBROSPINAL_FLUID.of(chosen)
    assert single is not None
    assert fluid is not None
    own = {(one.panel, one.value) for one in shown.levels if one.default}
    assert {(line.panel, line.value) for part in (single, fluid) for line in part.lines()} <= own
    assert ("mrd", knowledge.number("mrd_negative_below")) in {(one.panel, one.value) for one in shown.levels}


def test_unusable_and_undated_results_are_named(knowledge: Knowledge) -> None:
    _, shown = drawn(
        "T-24mo | diagnosis B-ALL | | |\nT-9d | marrow lymphoblasts | 0.78 | {percent} |\n", knowledge
    )
    assert [one.why for one in shown.set_aside] == ["unit-percent-trap"]
    assert shown.points == ()
