"""Draft orders: when they are proposed, and that they are valid FHIR."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.R4B.servicerequest import ServiceRequest

from cds_service.cards import CardChoices, build_cards
from cds_service.cards.suggestions import build_suggestions
from fhir_mappings.assessment import Assessment, Marker
from fhir_mappings.clinical.facts import Lineage
from tests.cds_service.cards.assessments import (
    EMSCREEN,
    EVERYTHING,
    FINDING,
    HSCT,
    KNOWLEDGE,
    MRD_DUE,
    OPT_B,
    TIMING,
    TRIAL,
    WORKUP,
    assessment,
    section,
    statement,
)

LUMBAR_PUNCTURE = "Lumbar puncture with CSF cell count and cytology"


def proposals(found: Assessment, **options: Any) -> list[dict[str, Any]]:
    cards = build_cards(found, KNOWLEDGE, CardChoices(full=True, **options))
    return [suggestion for card in cards for suggestion in card.get("suggestions", ())]


def orders(found: Assessment, **options: Any) -> set[str]:
    resources = [suggestion["actions"][0]["resource"] for suggestion in proposals(found, **options)]
    return {resource["code"]["text"] for resource in resources}


@pytest.mark.parametrize("max_cards", [1, 3, 10])
def test_every_kind_is_proposed_once_however_the_cards_are_merged(max_cards: int) -> None:
    found = proposals(assessment(*EVERYTHING), max_cards=max_cards)
    labels = [suggestion["label"] for suggestion in found]
    assert sorted(labels) == [
        "Draft CD19 and CD22 flow cytometry",
        "Draft a clinical trial referral",
        "Draft a lumbar puncture with CSF cytology",
        "Draft an HSCT evaluation",
        "Draft an MRD measurement",
    ]


def test_resources_are_valid_and_drafts_that_nobody_signed() -> None:
    for suggestion in proposals(assessment(*EVERYTHING, patient="p.1-x")):
        (action,) = suggestion["actions"]
        resource = action["resource"]
        ServiceRequest.model_validate_json(json.dumps(resource))
        assert action["type"] == "create"
        assert (resource["status"], resource["intent"]) == ("draft", "proposal")
        assert resource["subject"] == {"reference": "Patient/p.1-x"}
        assert resource["id"] == suggestion["uuid"]
        assert not resource.keys() & {
            "requester",
            "authoredOn",
            "performer",
            "quantityQuantity",
            "occurrenceDateTime",
        }


def test_procedures_are_coded_and_referrals_are_not() -> None:
    """A specimen is taken by a procedure that has a verified code; for the referrals none is known."""
    resources = [part["actions"][0]["resource"]["code"] for part in proposals(assessment(*EVERYTHING))]
    coded = {code["text"]: code["coding"][0]["code"] for code in resources if "coding" in code}
    assert coded.pop(LUMBAR_PUNCTURE) == "277762005"
    assert set(coded.values()) == {"49401003"}
    assert len(resources) - len(coded) - 1 == 2


def test_every_kind_of_order_is_a_valid_resource() -> None:
    kinds = {kind.key: kind for topic in KNOWLEDGE.card_topics for kind in topic.suggestions}
    assert {"repeat-marrow", "repeat-lumbar-puncture", "testicular-biopsy", "mrd-again"} <= kinds.keys()
    for kind in kinds.values():
        always = replace(
            kind,
            not_lineages=frozenset(),
            sections=frozenset(),
            only_with=frozenset(),
            unless=frozenset(),
            only_unknown=(),
        )
        (found,) = build_suggestions([always], assessment(FINDING), set(), set(), "evaluation", set())
        ServiceRequest.model_validate_json(json.dumps(found["actions"][0]["resource"]))


def test_no_referral_for_a_patient_on_a_study() -> None:
    enrolled = section("TRIAL", statement("trial.enrolled", study="NCT00000000"))
    assert orders(assessment(TRIAL))
    assert not orders(assessment(enrolled))


@pytest.mark.parametrize(
    ("cd19", "cd22", "lineage", "proposed"),
    [
        (Marker.UNKNOWN, Marker.UNKNOWN, Lineage.B, True),
        (Marker.POSITIVE, Marker.UNKNOWN, Lineage.B, True),
        (Marker.UNKNOWN, Marker.NEGATIVE, Lineage.UNKNOWN, True),
        (Marker.POSITIVE, Marker.NEGATIVE, Lineage.B, False),
        (Marker.UNKNOWN, Marker.UNKNOWN, Lineage.T, False),
    ],
)
@pytest.mark.parametrize("place", [WORKUP, OPT_B])
def test_flow_cytometry_only_while_a_marker_is_unknown(
    cd19: Marker, cd22: Marker, lineage: Lineage, proposed: bool, place: Any
) -> None:
    found = assessment(FINDING, place, cd19=cd19, cd22=cd22, lineage=lineage)
    assert any("CD19" in order for order in orders(found)) is proposed


def test_lumbar_puncture_only_where_the_csf_was_not_examined() -> None:
    testes_only = section("EMSCREEN", statement("hsct.early"))
    assert LUMBAR_PUNCTURE in orders(assessment(FINDING, EMSCREEN))
    assert LUMBAR_PUNCTURE not in orders(assessment(FINDING, testes_only))


def test_hsct_and_mrd_follow_their_sections() -> None:
    assert len(orders(assessment(HSCT, MRD_DUE))) == 2
    assert not orders(assessment(FINDING, TIMING))
    assert not orders(assessment(section("MRD-RES", statement("hsct.early"))))


def test_nothing_is_proposed_without_a_patient() -> None:
    assert not proposals(assessment(*EVERYTHING, patient=""))
