"""Which search parameters the sandbox knows, by resource type (FHIR R4 search parameter registry)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """The search parameter types the sandbox can match."""

    TOKEN = "token"  # noqa: S105 - a search parameter type, not a secret
    REFERENCE = "reference"
    DATE = "date"
    STRING = "string"


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """A search parameter: its name, type, and the elements it looks at (dotted paths).

    ``target`` is the only resource type a reference may point to, or empty for any type.
    """

    name: str
    kind: Kind
    elements: tuple[str, ...]
    target: str = ""


def _token(name: str, *elements: str) -> SearchParameter:
    return SearchParameter(name, Kind.TOKEN, elements or (name,))


def _date(name: str, *elements: str) -> SearchParameter:
    return SearchParameter(name, Kind.DATE, elements or (name,))


def _string(name: str, *elements: str) -> SearchParameter:
    return SearchParameter(name, Kind.STRING, elements or (name,))


def _reference(name: str, element: str, target: str = "") -> SearchParameter:
    return SearchParameter(name, Kind.REFERENCE, (element,), target)


_PATIENT = _reference("patient", "subject", "Patient")
_SUBJECT = _reference("subject", "subject")
_MEDICATION_CODE = _token("code", "medicationCodeableConcept")
_MEDICATION = _reference("medication", "medicationReference", "Medication")
_EVENT = ("effectiveDateTime", "effectivePeriod", "effectiveInstant")

EVERY_TYPE = (_token("_id", "id"), _date("_lastUpdated", "meta.lastUpdated"))

_OF_TYPE: dict[str, tuple[SearchParameter, ...]] = {
    "Patient": (
        _token("identifier"),
        _token("gender"),
        _token("active"),
        _date("birthdate", "birthDate"),
        _string("name", "name.family", "name.given", "name.text"),
        _string("family", "name.family"),
        _string("given", "name.given"),
    ),
    "Condition": (
        _PATIENT,
        _SUBJECT,
        _token("code"),
        _token("category"),
        _token("clinical-status", "clinicalStatus"),
        _token("verification-status", "verificationStatus"),
        _token("body-site", "bodySite"),
        _date("onset-date", "onsetDateTime", "onsetPeriod"),
        _date("abatement-date", "abatementDateTime", "abatementPeriod"),
        _date("recorded-date", "recordedDate"),
    ),
    "Observation": (
        _PATIENT,
        _SUBJECT,
        _token("code"),
        _token("category"),
        _token("status"),
        _token("combo-code", "code", "component.code"),
        _token("value-concept", "valueCodeableConcept"),
        _date("date", *_EVENT),
        _reference("specimen", "specimen", "Specimen"),
    ),
    "DiagnosticReport": (
        _PATIENT,
        _SUBJECT,
        _token("code"),
        _token("category"),
        _token("status"),
        _date("date", *_EVENT),
        _date("issued"),
    ),
    "DocumentReference": (
        _PATIENT,
        _SUBJECT,
        _token("type"),
        _token("category"),
        _token("status"),
        _date("date"),
    ),
    "Binary": (),
    "Procedure": (
        _PATIENT,
        _SUBJECT,
        _token("code"),
        _token("category"),
        _token("status"),
        _date("date", "performedDateTime", "performedPeriod"),
    ),
    "MedicationRequest": (
        _PATIENT,
        _SUBJECT,
        _MEDICATION_CODE,
        _MEDICATION,
        _token("status"),
        _token("intent"),
        _date("authoredon", "authoredOn"),
    ),
    "MedicationAdministration": (
        _PATIENT,
        _SUBJECT,
        _MEDICATION_CODE,
        _MEDICATION,
        _token("status"),
        _date("effective-time", *_EVENT),
    ),
    "MedicationStatement": (
        _PATIENT,
        _SUBJECT,
        _MEDICATION_CODE,
        _MEDICATION,
        _token("status"),
        _token("category"),
        _date("effective", *_EVENT),
    ),
    "Medication": (_token("code"), _token("status")),
    "Specimen": (
        _PATIENT,
        _SUBJECT,
        _token("type"),
        _token("status"),
        _date("collected", "collection.collectedDateTime", "collection.collectedPeriod"),
    ),
    "CarePlan": (
        _PATIENT,
        _SUBJECT,
        _token("category"),
        _token("status"),
        _token("intent"),
        _date("date", "period"),
    ),
    "EpisodeOfCare": (
        _reference("patient", "patient", "Patient"),
        _token("status"),
        _token("type"),
        _date("date", "period"),
    ),
    "ResearchSubject": (
        _reference("patient", "individual", "Patient"),
        _reference("individual", "individual"),
        _reference("study", "study", "ResearchStudy"),
        _token("status"),
        _date("date", "period"),
    ),
    "ResearchStudy": (
        _token("identifier"),
        _token("status"),
        _string("title"),
    ),
    "ServiceRequest": (
        _PATIENT,
        _SUBJECT,
        _token("code"),
        _token("category"),
        _token("status"),
        _token("intent"),
        _date("authored", "authoredOn"),
    ),
    "FamilyMemberHistory": (
        _reference("patient", "patient", "Patient"),
        _token("code", "condition.code"),
        _token("status"),
        _date("date"),
    ),
    "Practitioner": (_token("identifier"), _string("name", "name.family", "name.given", "name.text")),
}

PARAMETERS: Mapping[str, Mapping[str, SearchParameter]] = {
    resource_type: {parameter.name: parameter for parameter in (*EVERY_TYPE, *parameters)}
    for resource_type, parameters in sorted(_OF_TYPE.items())
}
