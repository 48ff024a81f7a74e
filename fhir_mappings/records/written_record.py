"""A readable record becomes a FHIR R4 Bundle: the patient header and one text table.

    rows = read_table('''
      date       | concept             | value | unit | note
      -----------+---------------------+-------+------+------
      2021-03-10 | diagnosis B-ALL     |       |      |
      2021-04-12 | remission           |       |      |
      2024-06-03 | marrow lymphoblasts | 78    | %    |
    ''')
    bundle = build_bundle(PatientHeader("p1", "female", "2018-01-15"), rows)

Resources are plain dicts. Ids are readable and depend on nothing but the record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from fhir_mappings.records.codes import MATERIALS
from fhir_mappings.records.concepts import CONCEPTS, Concept, Shape
from fhir_mappings.records.shapes import BUILDERS, Json, restate
from fhir_mappings.records.tables import DATED_WORDS, RecordError, Row, read_table, resolve_date

__all__ = [
    "PatientHeader",
    "RecordError",
    "Row",
    "build_bundle",
    "build_resources",
    "read_table",
    "resolve_date",
]

_FHIR_BASE = "https://demo.relapse-cds.org/fhir"


@dataclass(frozen=True, slots=True)
class PatientHeader:
    """Who the record is about.

    ``sex`` is FHIR administrative gender; ``born`` is a date, possibly partial or relative
    (``T-9y``). ``given`` and ``family`` are the name of a person who does not exist.
    """

    id: str
    sex: str
    born: str = ""
    given: str = ""
    family: str = ""


def build_bundle(patient: PatientHeader, rows: Iterable[Row], *, today: date | None = None) -> Json:
    """The record as a collection Bundle. ``today`` is the day T of relative dates.

    Raises RecordError for a relative date without ``today`` and for a status a row cannot have.
    """
    entries = [
        {"fullUrl": f"{_FHIR_BASE}/{each['resourceType']}/{each['id']}", "resource": each}
        for each in build_resources(patient, rows, today=today)
    ]
    return {"resourceType": "Bundle", "id": patient.id, "type": "collection", "entry": entries}


def build_resources(patient: PatientHeader, rows: Iterable[Row], *, today: date | None = None) -> list[Json]:
    """The record as resources, the Patient first. Raises RecordError as build_bundle does."""
    chart = _Chart(patient, today)
    for row in rows:
        chart.add(_dated(row, today))
    return chart.finished()


def _dated(row: Row, today: date | None) -> Row:
    try:
        when = resolve_date(row.date, today) if row.date else ""
        details = {
            word: resolve_date(value, today) if word in DATED_WORDS and value != "none" else value
            for word, value in row.details.items()
        }
    except RecordError as error:
        raise RecordError(f"line {row.line}: {error}") from None
    return replace(row, date=when, details=details)


class _Chart:
    """The resources of one record while it is read, row by row."""

    def __init__(self, patient: PatientHeader, today: date | None) -> None:
        self.subject: Json = {"reference": f"Patient/{patient.id}"}
        self.patient = _patient(patient, today)
        self.resources: list[Json] = []
        self.specimens: dict[str, Json] = {}
        self.courses: list[Json] = []
        self.diagnosis: Json | None = None
        self.ids: set[str] = set()

    def add(self, row: Row) -> None:
        """Add what one dated row stands for."""
        concept = CONCEPTS[row.concept]
        if concept.shape is Shape.DEATH:
            self.patient["deceasedDateTime"] = row.date
        elif concept.shape is Shape.LEUKAEMIA_STATE:
            restate(self._leukaemia(row), concept, row.date)
        elif concept.shape in (Shape.THERAPY_START, Shape.THERAPY_END):
            self._therapy(row, concept)
        else:
            self._one(row, concept)
            if concept.brings:
                self._one(row, CONCEPTS[concept.brings])

    def finished(self) -> list[Json]:
        """Everything read, the therapies pointing at the leukaemia's Condition."""
        leukaemia = self.diagnosis
        for each in (*self.courses, *self.resources):
            if leukaemia and (each["resourceType"] == "CarePlan" or _states_disease(each)):
                link = {"reference": f"Condition/{leukaemia['id']}"}
                each["addresses" if each["resourceType"] == "CarePlan" else "focus"] = [link]
        for course in self.courses:
            if leukaemia and course["title"] == "Frontline therapy":
                course["period"].setdefault("start", leukaemia.get("onsetDateTime"))
            course["period"] = {key: value for key, value in sorted(course["period"].items()) if value}
        return [self.patient, *self.resources, *self.specimens.values(), *self.courses]

    def _one(self, row: Row, concept: Concept) -> None:
        identity = self._identity(row.details.get("id") or f"{concept.name} {row.date[:16]}")
        resource = BUILDERS[concept.shape](row, concept, self.subject, identity, row.date)
        material = row.details.get("material", concept.material)
        if concept.shape is Shape.RESULT and material in MATERIALS:
            specimen = self._specimen(row, concept, material)
            resource["specimen"] = {"reference": f"Specimen/{specimen['id']}"}
        self.resources.append(resource)
        if concept.shape is Shape.DIAGNOSIS and self.diagnosis is None:
            self.diagnosis = resource

    def _specimen(self, row: Row, concept: Concept, material: str) -> Json:
        """The draw a result was measured on: one per day, material and draw name."""
        draw = row.details.get("specimen", "") or ("donor" if concept.donor else "")
        name = _slug(f"{material} specimen {row.date[:10]} {draw}")
        if name not in self.specimens:
            self.specimens[name] = {
                "resourceType": "Specimen",
                "id": name,
                "type": MATERIALS[material].concept(),
                "subject": {"reference": "Patient/donor"} if concept.donor else self.subject,
                "collection": {"collectedDateTime": row.date},
            }
            if concept.donor:
                self.specimens[name]["note"] = [{"text": "donor marrow, sibling"}]
        return self.specimens[name]

    def _therapy(self, row: Row, concept: Concept) -> None:
        """A start opens a CarePlan; an end closes the open one of that name, or stands alone."""
        ends = concept.shape is Shape.THERAPY_END
        running = [one for one in self.courses if one["title"] == concept.state and one["status"] == "active"]
        if ends and running:
            course = running[-1]
        else:
            identity = self._identity(row.details.get("id") or f"{concept.state} {row.date}")
            course = self._course(identity, concept.state)
            self.courses.append(course)
        course["period"]["end" if ends else "start"] = row.date
        over = ends and not concept.name.startswith("planned")
        course["status"] = "completed" if over else "active"

    def _course(self, identity: str, title: str) -> Json:
        return {
            "resourceType": "CarePlan",
            "id": identity,
            "status": "active",
            "intent": "plan",
            "title": title,
            "category": [{"text": title}],
            "subject": self.subject,
            "period": {},
        }

    def _leukaemia(self, row: Row) -> Json:
        if self.diagnosis is None:
            raise RecordError(f"line {row.line}: '{row.concept}' needs a diagnosis row above it")
        return self.diagnosis

    def _identity(self, wanted: str) -> str:
        base = identity = _slug(wanted)
        count = 1
        while identity in self.ids:
            count += 1
            identity = f"{base}-{count}"
        self.ids.add(identity)
        return identity


def _patient(header: PatientHeader, today: date | None) -> Json:
    patient: dict[str, Any] = {"resourceType": "Patient", "id": header.id, "gender": header.sex}
    if header.born:
        patient["birthDate"] = resolve_date(header.born, today)
    if header.family or header.given:
        patient["name"] = [{"family": header.family, "given": [header.given]}]
    return patient


def _states_disease(resource: Json) -> bool:
    codings = resource.get("code", {}).get("coding", [])
    return resource["resourceType"] == "Observation" and any(each["code"] == "97509-4" for each in codings)


def _slug(text: str) -> str:
    """A FHIR id: lower case, digits and single hyphens, at most 64 characters."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower().replace("+", " plus ")).strip("-")[:64]
