"""What a site is told that shows approved content only, while the content is a draft."""

from __future__ import annotations

from cds_service.http.problem import Problem, Refusal
from cds_service.settings.model import Settings
from fhir_mappings.assess import Assessment, Indicator, Knowledge, Section, Statement, Status

SUMMARY = "unapproved.summary"
MEANING = "unapproved.meaning"


def is_withheld(assessment: Assessment, settings: Settings, knowledge: Knowledge) -> bool:
    """True where a draft would be shown, or where its silence about a patient with ALL would be believed."""
    if not settings.require_approved_content or knowledge.review == "approved":
        return False
    return bool(assessment.sections or assessment.criteria)


def told_unapproved(assessment: Assessment, settings: Settings) -> Assessment:
    """An assessment that says nothing of the patient, only that nothing may be said yet.

    Raises Refusal (not-approved) where the site wants refusals instead of cards.
    """
    if settings.on_incomplete == "412":
        raise Refusal(Problem.NOT_APPROVED)
    section = Section("DATA", Indicator.INFO, (Statement(MEANING),), Statement(SUMMARY))
    return Assessment(
        patient=assessment.patient,
        at=assessment.at,
        knowledge=assessment.knowledge,
        status=Status.NOT_EVALUABLE,
        sections=(section,),
        evidence_digest=assessment.evidence_digest,
    )
