"""The same chart written another way: what a restatement must not change (see test_restatements.py)."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

Json = dict[str, Any]
Chart = list[Json]
Restatement = Callable[[Chart], Chart]

_ALIASES = {
    "http://snomed.info/sct": "http://snomed.info/sct/900000000000207008/version/20240801",
    "http://loinc.org": "urn:oid:2.16.840.1.113883.6.1",
    "http://hl7.org/fhir/sid/icd-10-cm": "urn:oid:2.16.840.1.113883.6.90",
    "http://hl7.org/fhir/sid/icd-10": "http://terminology.hl7.org/CodeSystem/icd10",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "urn:oid:2.16.840.1.113883.6.88",
    "http://unitsofmeasure.org": "urn:oid:2.16.840.1.113883.6.8",
}
_NAMES = {
    "91857003": "Akute lymphatische Leukämie",
    "C91.00": "Leukemia, acute lymphoblastic (HCC)",
    "277571004": "High-risk B-cell acute lymphoblastic leukaemia",
}
_DATE = re.compile(r"(?<![\d.-])((?:19|20)\d\d)(?=-\d\d(?!\d)|[\s,;)]|\Z)")
_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
CALENDAR_YEARS = 28
"""After this many years the days of the week and the leap years repeat."""


def under_aliases(chart: Chart) -> Chart:
    """Every code system by another official name."""
    return [_mapped(one, lambda text: _ALIASES.get(text, text)) for one in chart]


def with_closing_slash(chart: Chart) -> Chart:
    """Every code system with a closing slash and https."""
    return [
        _mapped(one, lambda text: f"{text.replace('http:', 'https:')}/" if text in _ALIASES else text)
        for one in chart
    ]


def without_points(chart: Chart) -> Chart:
    """ICD codes without their point."""
    changed = copy.deepcopy(chart)
    for coding in _codings(changed):
        if "sid/icd-10" in coding.get("system", ""):
            coding["code"] = coding["code"].replace(".", "")
    return changed


def in_reports(chart: Chart) -> Chart:
    """Every laboratory result within a report of its own, its specimen beside it."""
    specimens = {f"Specimen/{one['id']}": one for one in chart if one["resourceType"] == "Specimen"}
    found = []
    for one in chart:
        if one["resourceType"] != "Observation" or one.get("status") in ("entered-in-error", "cancelled"):
            found.append(one)
            continue
        inner = copy.deepcopy(one) | {"id": "o1"}
        contained = [inner]
        specimen = specimens.get(inner.get("specimen", {}).get("reference", ""))
        if specimen is not None:
            contained.append(copy.deepcopy(specimen) | {"id": "s1"})
            inner["specimen"]["reference"] = "#s1"
        found.append(
            {
                "resourceType": "DiagnosticReport",
                "id": one["id"],
                "status": "final",
                "subject": one["subject"],
                "code": {"text": "Laboratory report"},
                "contained": contained,
                "result": [{"reference": "#o1"}],
            }
        )
    return found


def specimens_contained(chart: Chart) -> Chart:
    """Every specimen within the result that names it."""
    specimens = {f"Specimen/{one['id']}": one for one in chart if one["resourceType"] == "Specimen"}
    changed = copy.deepcopy(chart)
    for one in changed:
        specimen = specimens.get(one.get("specimen", {}).get("reference", ""))
        if one["resourceType"] == "Observation" and specimen is not None:
            one["contained"] = [copy.deepcopy(specimen) | {"id": "s1"}]
            one["specimen"]["reference"] = "#s1"
    return [one for one in changed if one["resourceType"] != "Specimen"]


def as_components(chart: Chart) -> Chart:
    """Every measured result as the only component of a panel."""
    changed = copy.deepcopy(chart)
    for one in changed:
        if one["resourceType"] == "Observation" and "valueQuantity" in one and "coding" in one["code"]:
            part = {"code": one["code"], "valueQuantity": one.pop("valueQuantity")}
            one["code"] = {"text": "Differential"}
            one["component"] = [part]
    return changed


def delivered_twice(chart: Chart) -> Chart:
    """Every result a second time under another id."""
    copies = [one | {"id": f"{one['id']}-copy"} for one in chart if one["resourceType"] == "Observation"]
    return chart + copies


def with_older_versions(chart: Chart) -> Chart:
    """Every result with an older version of it that said something else."""
    older = []
    newer = []
    for one in chart:
        if one["resourceType"] != "Observation":
            newer.append(one)
            continue
        newer.append(one | {"meta": {"lastUpdated": "2025-01-01T00:30:00.5+01:00", "versionId": "10"}})
        old = copy.deepcopy(one) | {"meta": {"lastUpdated": "2024-12-31T23:30:00.25Z", "versionId": "9"}}
        if "valueQuantity" in old:
            old["valueQuantity"]["value"] = 99
        older.append(old | {"status": "final"})
    return older + newer


def a_calendar_later(chart: Chart, years: int) -> Chart:
    """All dates moved by some years, by ``CALENDAR_YEARS`` a whole cycle of the calendar."""
    return [_mapped(one, lambda text: _DATE.sub(lambda m: str(int(m[1]) + years), text)) for one in chart]


def in_another_zone(chart: Chart) -> Chart:
    """Every instant in UTC written with an offset, where the day stays the same."""
    return [_mapped(one, lambda text: _UTC.sub(_moved, text)) for one in chart]


def beside_other_things(chart: Chart) -> Chart:
    """Among resources that bear on nothing."""
    subject = {"reference": f"Patient/{next(one['id'] for one in chart if one['resourceType'] == 'Patient')}"}
    others = [
        {"resourceType": "Condition", "id": "other-1", "subject": subject, "code": {"text": "Asthma"}},
        {
            "resourceType": "Condition",
            "id": "other-2",
            "subject": subject,
            "code": {"text": "all tests normal"},
        },
        {"resourceType": "Condition", "id": "other-3", "subject": subject, "code": {"text": "Leukopenia"}},
        {
            "resourceType": "Observation",
            "id": "other-4",
            "status": "final",
            "subject": subject,
            "code": {"coding": [{"system": "http://loinc.org", "code": "2951-2"}], "text": "Sodium"},
            "valueQuantity": {"value": 140, "unit": "mmol/L"},
        },
        {"resourceType": "Immunization", "id": "other-5", "status": "completed", "patient": subject},
    ]
    return [*others[:2], *chart, *others[2:]]


def in_text_with_comma(chart: Chart) -> Chart:
    """Every percentage as text with a decimal comma and a flag."""
    changed = copy.deepcopy(chart)
    for one in changed:
        quantity = one.get("valueQuantity", {})
        if one["resourceType"] != "Observation" or quantity.get("code") != "%":
            continue
        if 0 <= quantity["value"] <= 100:
            text = f"{quantity.get('comparator', '')}{quantity['value']}".replace(".", ",")
            if "e" not in text:
                one["valueString"] = f"{text} % (H)"
                del one["valueQuantity"]
    return changed


def diagnosis_in_words(chart: Chart) -> Chart:
    """The name of the disease without its code, where the code says no more than the name."""
    changed = copy.deepcopy(chart)
    for one in changed:
        codings = one.get("code", {}).get("coding", []) if one["resourceType"] == "Condition" else []
        if (
            codings
            and "system" in codings[0]
            and codings[0]["code"] in ("277571004", "277575008", "91857003", "C91.00")
        ):
            one["code"] = {"text": _NAMES.get(codings[0]["code"], codings[0].get("display", "T-ALL"))}
    return changed


def _moved(match: re.Match[str]) -> str:
    moment = datetime.fromisoformat(match[0].replace("Z", "+00:00"))
    hours = 2 if moment.hour < 20 else -2
    return moment.astimezone(timezone(timedelta(hours=hours))).isoformat()


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _mapped(part, change) for key, part in value.items()}
    if isinstance(value, list):
        return [_mapped(part, change) for part in value]
    return change(value) if isinstance(value, str) else value


def _codings(value: Any) -> list[Json]:
    if isinstance(value, dict):
        inner = [coding for part in value.values() for coding in _codings(part)]
        return [value, *inner] if "system" in value and "code" in value else inner
    return [coding for part in value for coding in _codings(part)] if isinstance(value, list) else []
