"""One written row as the FHIR R4 resource a hospital's server would hold for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fhir_mappings.records.codes import (
    ALL_UNSPECIFIED,
    FULL_REMISSION,
    INTRATHECAL_ROUTE,
    PARTIAL_REMISSION,
)
from fhir_mappings.records.concepts import Concept, Shape
from fhir_mappings.records.tables import RecordError, Row
from fhir_mappings.records.values import value_of

Json = dict[str, Any]

_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
_VERIFICATION_STATES: Final = (
    "confirmed",
    "provisional",
    "differential",
    "unconfirmed",
    "refuted",
    "entered-in-error",
)
STATUSES: Final[Mapping[Shape, tuple[str, ...]]] = {
    Shape.RESULT: (
        "final",
        "preliminary",
        "registered",
        "amended",
        "corrected",
        "cancelled",
        "entered-in-error",
        "unknown",
    ),
    Shape.DISEASE_STATUS: ("final", "preliminary", "amended", "entered-in-error"),
    Shape.DIAGNOSIS: _VERIFICATION_STATES,
    Shape.CONDITION: _VERIFICATION_STATES,
    Shape.PROCEDURE: ("completed", "in-progress", "preparation", "not-done", "entered-in-error"),
    Shape.GIVEN: ("completed", "in-progress", "stopped", "not-done", "entered-in-error"),
    Shape.ORDERED: ("active", "draft", "on-hold", "completed", "stopped", "cancelled", "entered-in-error"),
    Shape.REQUEST: ("active", "draft", "on-hold", "completed", "revoked", "entered-in-error"),
    Shape.REPORT: ("final", "preliminary", "amended", "corrected", "cancelled", "entered-in-error"),
    Shape.FAMILY_HISTORY: ("completed", "partial", "entered-in-error"),
}
"""The statuses a row may state per shape; the first is meant when the column is empty."""


def status_of(row: Row, shape: Shape) -> str:
    """The row's status, or the shape's usual one. Raises RecordError for a status it cannot have."""
    allowed = STATUSES.get(shape, ())
    if not row.status:
        return allowed[0] if allowed else ""
    if row.status not in allowed:
        known = ", ".join(allowed) or "none"
        raise RecordError(f"line {row.line}: '{row.concept}' cannot be '{row.status}'; allowed: {known}")
    return row.status


def coded(concept: Concept) -> Json:
    """The concept's CodeableConcept: its coding with text, or text alone."""
    return concept.code.concept(concept.text) if concept.code else {"text": concept.text}


def condition(row: Row, concept: Concept, subject: Json, identity: str, when: str) -> Json:
    """A Condition; an entered-in-error one has no clinicalStatus (con-5)."""
    stated = concept.state if concept.state in _VERIFICATION_STATES else ""
    verification = (row.status and status_of(row, concept.shape)) or stated or "confirmed"
    clinical = row.details.get("state") or (concept.state if concept.state and not stated else "active")
    resource: Json = {
        "resourceType": "Condition",
        "id": identity,
        "verificationStatus": {"coding": [{"system": _VERIFICATION, "code": verification}]},
        "code": _written_code(row) or coded(concept),
        "subject": subject,
    }
    if verification != "entered-in-error":
        resource["clinicalStatus"] = {"coding": [{"system": _CLINICAL, "code": clinical}]}
    if concept.body_site:
        resource["bodySite"] = [concept.body_site.concept()]
    onset = row.details.get("onset", when)
    if onset and onset != "none":
        resource["onsetDateTime"] = onset
    recorded = row.details.get("recorded", when)
    if recorded and recorded != "none":
        resource["recordedDate"] = recorded
    return _with_note(resource, row)


def _written_code(row: Row) -> Json | None:
    """The code of a row that writes its own: words, or ``system¦code`` with or without a system."""
    if not row.value:
        return None
    if row.concept == "diagnosis in words":
        return {"text": row.value}
    if row.concept != "diagnosis under code":
        return None
    system, _, code = row.value.rpartition("¦")
    return {"coding": [{"system": system, "code": code} if system else {"code": code}]}


def restate(resource: Json, concept: Concept, when: str) -> None:
    """Change the leukaemia's Condition in place, as a problem list is changed on a day."""
    resource["clinicalStatus"] = {"coding": [{"system": _CLINICAL, "code": concept.state}]}
    if concept.state == "remission":
        resource["abatementDateTime"] = when
    else:
        resource["recordedDate"] = when


def result(row: Row, concept: Concept, subject: Json, identity: str, when: str) -> Json:
    """A laboratory Observation."""
    resource = _observation(row, concept, subject, identity, when)
    resource["category"] = [{"coding": [{"system": _CATEGORY, "code": "laboratory"}]}]
    resource |= value_of(row)
    if issued := row.details.get("issued"):
        resource["issued"] = issued if "T" in issued else f"{issued}T12:00:00Z"
    if method := row.details.get("method"):
        resource["method"] = {"text": method}
    return resource


def disease_status(row: Row, concept: Concept, subject: Json, identity: str, when: str) -> Json:
    """An mCODE cancer disease status Observation that states a remission."""
    resource = _observation(row, concept, subject, identity, when)
    code = PARTIAL_REMISSION if concept.name == "partial remission" else FULL_REMISSION
    resource["valueCodeableConcept"] = code.concept()
    return resource


def _observation(row: Row, concept: Concept, subject: Json, identity: str, when: str) -> Json:
    resource: Json = {
        "resourceType": "Observation",
        "id": identity,
        "status": status_of(row, concept.shape),
        "code": coded(concept),
        "subject": subject,
    }
    if when:
        resource["effectiveDateTime"] = when
    return _with_note(resource, row)


def procedure(row: Row, concept: Concept, subject: Json, identity: str, when: str) -> Json:
    """A Procedure."""
    resource: Json = {
        "resourceType": "Procedure",
        "id": identity,
        "status": status_of(row, concept.shape),
        "code": coded(concept),
        "subject": subject,
    }
    if when:
        resource["performedDateTime"] = when
    if concept.body_site:
        resource["bodySite"] = [concept.body_site.concept()]
    return _with_note(resource, row)


def given(row: Row, concept: Concept, subject: Json, identity: str, when: str) -> Json:
    """A MedicationAdministration; ``end=`` in the note makes its time a period."""
    resource: Json = {
        "resourceType": "MedicationAdministration",
        "id": identity,
        "status": status_of(row, concept.shape),
        "medicationCodeableConcept": coded(concept),
        "subject": subject,
    }
    if end := row.details.get("end"):
        resource["effectivePeriod"] = {"start": when, "end": end}
    else:
        resource["effectiveDateTime"] = when
    if concept.intrathecal:
        resource["dosage"] = {"route": INTRATHECAL_ROUTE.concept(), "text": "intrathecal"}
    return _with_note(resource, row)


def ordered(row: Row, concept: Concept, subject: Json, identity: str, when: str) -> Json:
    """A MedicationRequest."""
    resource: Json = {
        "resourceType": "MedicationRequest",
        "id": identity,
        "status": status_of(row, concept.shape),
        "intent": "order",
        "medicationCodeableConcept": coded(concept),
        "subject": subject,
    }
    if when:
        resource["authoredOn"] = when
    if concept.intrathecal:
        resource["dosageInstruction"] = [{"route": INTRATHECAL_ROUTE.concept()}]
    return _with_note(resource, row)


def enrolment(row: Row, concept: Concept, subject: Json, identity: str, when: str) -> Json:
    """A ResearchSubject; ``study=`` in the note names the study."""
    title = row.details.get("study", "Trial for relapsed ALL")
    resource: Json = {
        "resourceType": "ResearchSubject",
        "id": identity,
        "status": concept.state,
        "study": {"reference": "ResearchStudy/relapse-trial", "display": title},
        "individual": subject,
    }
    if when:
        resource["period"] = {"start": when}
    return resource


def family_history(row: Row, concept: Concept, subject: Json, identity: str, when: str) -> Json:
    """A FamilyMemberHistory; the value column names the relative."""
    resource: Json = {
        "resourceType": "FamilyMemberHistory",
        "id": identity,
        "status": status_of(row, concept.shape),
        "patient": subject,
        "relationship": {"text": row.value or "brother"},
        "condition": [{"code": ALL_UNSPECIFIED.concept()}],
    }
    if when:
        resource["date"] = when
    return resource


def request(row: Row, concept: Concept, subject: Json, identity: str, when: str) -> Json:
    """A ServiceRequest."""
    resource: Json = {
        "resourceType": "ServiceRequest",
        "id": identity,
        "status": status_of(row, concept.shape),
        "intent": "order",
        "code": coded(concept),
        "subject": subject,
    }
    if when:
        resource["authoredOn"] = when
    return _with_note(resource, row)


def report(row: Row, concept: Concept, subject: Json, identity: str, when: str) -> Json:
    """A DiagnosticReport whose conclusion is the row's value; a sentence without "|"."""
    resource: Json = {
        "resourceType": "DiagnosticReport",
        "id": identity,
        "status": status_of(row, concept.shape),
        "code": coded(concept),
        "subject": subject,
    }
    if row.value:
        resource["conclusion"] = row.value
    if when:
        resource["effectiveDateTime"] = when
    if material := row.details.get("material"):
        resource["specimen"] = [{"display": material}]
    return resource


def _with_note(resource: Json, row: Row) -> Json:
    if row.note:
        resource["note"] = [{"text": row.note}]
    return resource


BUILDERS: Final = {
    Shape.DIAGNOSIS: condition,
    Shape.CONDITION: condition,
    Shape.RESULT: result,
    Shape.DISEASE_STATUS: disease_status,
    Shape.PROCEDURE: procedure,
    Shape.GIVEN: given,
    Shape.ORDERED: ordered,
    Shape.ENROLMENT: enrolment,
    Shape.FAMILY_HISTORY: family_history,
    Shape.REQUEST: request,
    Shape.REPORT: report,
}
"""The builder of every shape that is one resource per row."""
