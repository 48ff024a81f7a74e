"""Identifiers: the same for the same evidence, content and day, and otherwise not."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from cds_service.cards import CardChoices, build_cards, evidence_key
from tests.cds_service.cards.assessments import AT, EVERYTHING, KNOWLEDGE, assessment


def uuids(scope: str = "", **changes: Any) -> list[str]:
    cards = build_cards(assessment(*EVERYTHING, **changes), KNOWLEDGE, CardChoices(full=True, scope=scope))
    return [part["uuid"] for card in cards for part in (card, *card.get("suggestions", ()))]


def test_a_repeated_call_gives_the_same_uuids() -> None:
    first = uuids()
    assert first == uuids(at=AT + timedelta(hours=3))
    assert len(first) == len(set(first)) > 4
    assert all(str(UUID(uuid)) == uuid for uuid in first)


@pytest.mark.parametrize(
    "changes",
    [
        {"patient": "patient-2"},
        {"evidence_digest": "digest-2"},
        {"at": AT + timedelta(days=1)},
        {"knowledge": dataclasses.replace(assessment().knowledge, digest="sha256:other")},
        {"scope": "other-hospital"},
    ],
)
def test_another_evaluation_has_other_uuids(changes: dict[str, Any]) -> None:
    assert not set(uuids()) & set(uuids(**changes))


def test_the_evidence_key_depends_on_topic_and_evidence_only() -> None:
    key = evidence_key("allFinding", assessment())
    assert key == evidence_key(
        "allFinding", assessment(*EVERYTHING, at=AT + timedelta(days=9), patient="other")
    )
    assert key != evidence_key("allMrd", assessment())
    assert key != evidence_key("allFinding", assessment(evidence_digest="digest-2"))
