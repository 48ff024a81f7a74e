"""Identifiers that stay the same while patient, evidence, content and day stay the same."""

from __future__ import annotations

import hashlib
from uuid import UUID, uuid5

from fhir_mappings.assess import Assessment

NAMESPACE = UUID("6f3c4a52-0d0e-5d8b-9a6e-2f5b7c1d9e40")


def evaluation_key(assessment: Assessment, scope: str) -> str:
    """What makes an evaluation the same: scope (the tenant), patient, evidence, content and day."""
    day = assessment.at.date().isoformat()
    return "\n".join(
        (scope, assessment.patient, assessment.evidence_digest, assessment.knowledge.digest, day)
    )


def card_uuid(evaluation: str, *parts: str) -> str:
    """The lower-case UUID of a card or, with the key of its suggestion, of a suggestion."""
    return str(uuid5(NAMESPACE, "\n".join((evaluation, *parts))))


def followers_of(topic: str) -> str:
    """The name under which an answer to a card of ``topic`` quiets the topics that follow it."""
    return f"{topic}-followers"


def evidence_key(topic: str, assessment: Assessment) -> str:
    """What must be unchanged for a card of ``topic`` to stay quiet after it was overridden."""
    return hashlib.sha256(f"{topic}\n{assessment.evidence_digest}".encode()).hexdigest()
