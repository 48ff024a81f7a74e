"""Facts of several queries become one set: order never matters, the newest version of a resource wins."""

from __future__ import annotations

import itertools

import pytest

from fhir_mappings.assess import merge_facts
from fhir_mappings.clinical.facts import Facts, Ignored, Medication, MedicationState, Result
from fhir_mappings.clinical.quantities import Presence


def result(
    resource: str, version: str = "", value: Presence = Presence.PRESENT, concept: str = "x"
) -> Result:
    return Result(f"Observation/{resource}", concept, value, None, version=version)


def results_of(*parts: Facts) -> list[tuple[str, str]]:
    return [(one.resource, one.version) for one in merge_facts(parts).results]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_parts_in_any_order_are_the_same_facts(order: tuple[int, ...]) -> None:
    parts = [
        Facts(results=(result("b"), result("a"))),
        Facts(results=(result("a"), result("c")), unreadable=frozenset({"marrow"})),
        Facts(ignored=(Ignored("Observation/z", "cancelled"),), unreadable=frozenset({"csf"})),
    ]
    merged = merge_facts(parts[place] for place in order)
    assert merged == merge_facts(parts)
    assert [one.resource[-1] for one in merged.results] == ["a", "b", "c"]
    assert merged.unreadable == {"marrow", "csf"}


def test_a_duplicate_counts_once() -> None:
    assert results_of(Facts(results=(result("a"), result("a"))), Facts(results=(result("a"),))) == [
        ("Observation/a", "")
    ]


@pytest.mark.parametrize("newest_first", [True, False])
def test_the_newest_version_wins_wherever_it_stands(newest_first: bool) -> None:
    old, new = result("a", "1", Presence.PRESENT), result("a", "2", Presence.ABSENT)
    parts = [Facts(results=(new,)), Facts(results=(old,))]
    merged = merge_facts(parts if newest_first else reversed(parts))
    assert merged.results == (new,)


def test_a_version_that_voids_a_result_voids_it() -> None:
    old = Facts(results=(result("a", "1"),))
    new = Facts(ignored=(Ignored("Observation/a", "entered-in-error", version="2"),))
    assert not merge_facts((old, new)).results
    assert not merge_facts((new, old)).results


def test_a_stated_version_supersedes_one_without() -> None:
    assert results_of(Facts(results=(result("a"), result("a", "1")))) == [("Observation/a", "1")]


def test_several_facts_of_one_resource_all_stay_in_one_order() -> None:
    parts = [result("a", concept="blood-wbc"), result("a", concept="blood-rbc")]
    merged = [merge_facts([Facts(results=tuple(found))]).results for found in (parts, parts[::-1])]
    assert merged[0] == merged[1]
    assert len(merged[0]) == 2


def test_the_same_resource_in_two_kinds_of_facts_is_one_resource() -> None:
    drug = Medication("MedicationRequest/m", "x", MedicationState.GIVEN, None, version="1")
    voided = Ignored("MedicationRequest/m", "not-given", version="2")
    assert not merge_facts([Facts(medications=(drug,)), Facts(ignored=(voided,))]).medications


def test_merging_is_idempotent_and_nothing_is_nothing() -> None:
    once = merge_facts([Facts(results=(result("b"), result("a")))])
    assert merge_facts([once, once]) == merge_facts([once]) == once
    assert merge_facts(()) == Facts()
