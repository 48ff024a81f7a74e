"""Proposals of a card: one draft ServiceRequest each, of fixed texts and the patient's reference only."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Any

from cds_service.cards.content import SuggestionKind
from cds_service.cards.identity import card_uuid
from fhir_mappings.assess import Assessment, Marker


def build_suggestions(
    kinds: Iterable[SuggestionKind],
    assessment: Assessment,
    sections: Set[str],
    spoken: Set[str],
    evaluation: str,
    proposed: set[str],
) -> list[dict[str, Any]]:
    """The proposals that make sense for this assessment, as CDS Hooks objects.

    ``sections`` are those of the card, ``spoken`` the words of the whole assessment. ``proposed`` are the
    kinds that stand on an earlier card; it grows by those that are found here. Without a patient there is
    nothing to propose.
    """
    found: list[dict[str, Any]] = []
    for kind in kinds if assessment.patient else ():
        if kind.key not in proposed and makes_sense(kind, assessment, sections, spoken):
            proposed.add(kind.key)
            found.append(_suggestion(kind, assessment.patient, evaluation))
    return found


def makes_sense(kind: SuggestionKind, assessment: Assessment, sections: Set[str], spoken: Set[str]) -> bool:
    """Whether every condition of the proposal holds."""
    return (
        (not kind.sections or not kind.sections.isdisjoint(sections))
        and (not kind.only_with or not kind.only_with.isdisjoint(spoken))
        and kind.unless.isdisjoint(spoken)
        and assessment.lineage.value not in kind.not_lineages
        and (not kind.only_unknown or any(_is_unknown(assessment, marker) for marker in kind.only_unknown))
    )


def _is_unknown(assessment: Assessment, marker: str) -> bool:
    return getattr(assessment, marker) is Marker.UNKNOWN


def _suggestion(kind: SuggestionKind, patient: str, evaluation: str) -> dict[str, Any]:
    identifier = card_uuid(evaluation, "suggestion", kind.key)
    action = {
        "type": "create",
        "description": kind.description,
        "resource": _draft_order(kind, patient, identifier),
    }
    return {"label": kind.label, "uuid": identifier, "actions": [action]}


def _draft_order(kind: SuggestionKind, patient: str, identifier: str) -> dict[str, Any]:
    """A FHIR R4 ServiceRequest nobody has signed: intent proposal, status draft, no author."""
    code: dict[str, Any] = {"text": kind.order}
    if kind.code is not None:
        code["coding"] = [{"system": kind.code.system, "code": kind.code.code, "display": kind.code.display}]
    return {
        "resourceType": "ServiceRequest",
        "id": identifier,
        "status": "draft",
        "intent": "proposal",
        "code": code,
        "subject": {"reference": f"Patient/{patient}"},
        "reasonCode": [{"text": kind.reason}],
    }
