"""The charts that are put on every server: the demonstration patients and some of the clinical cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import requests

from cds_service.demo.chart_ids import with_own_ids
from cds_service.demo.demo_patients import load_patients
from tests.clinical.case_files import read_cases

TODAY = date(2026, 11, 20)
CASES = (
    "CNS1",
    "CNS2b",
    "testis-checklist-done",
    "F-01-new-diagnosis",
    "F-02-refractory",
    "F-10-amended",
    "F-15-cll",
    "F-17-marrow-code-on-blood",
    "F-24-deceased",
    "A-over-50",
    "A-range",
    "A-text",
    "A-fraction",
    "B-gap-at",
    "C-absolute-units",
    "D-biopsy",
    "E-unit-trap",
    "MRD-comparator-unsure",
    "option-ph-positive",
    "option-cd22-negative",
    "option-received",
    "response-referral-on-record",
    "response-after-car-t",
)
"""Without F-16-refuted, whose card depends on prefetch by decision (D-02, blasts without a diagnosis).
At least one of each kind: sites, statuses, codes, units, comparators, texts, drugs and referrals."""


@dataclass(frozen=True)
class Chart:
    """One patient's whole chart and the moment at which it is opened."""

    patient_id: str
    at: datetime
    resources: Sequence[dict[str, Any]]


def demonstration() -> list[Chart]:
    """The demonstration patients, in the order in which they are loaded."""
    at = datetime.combine(TODAY, time(12), UTC)
    return [Chart(patient.id, at, patient.resources) for patient in load_patients(TODAY)]


def cases() -> list[Chart]:
    """The chosen clinical cases, each with a patient of its own."""
    folder = Path(__file__).parents[1] / "clinical" / "relapsed_all"
    found = {case.id: case for case in read_cases(folder)}
    return [
        _with_own_patient(number, found[name].resources, found[name].at) for number, name in enumerate(CASES)
    ]


def _with_own_patient(number: int, resources: list[dict[str, Any]], at: datetime) -> Chart:
    """All cases have the same patient; on one server each needs its own."""
    patient_id = f"c{number}"
    own = with_own_ids(resources, patient_id)
    return Chart(patient_id, at, [_of_patient(resource, patient_id) for resource in own])


def _of_patient(value: Any, patient_id: str) -> Any:
    if isinstance(value, dict):
        changed = {key: _of_patient(item, patient_id) for key, item in value.items()}
        if changed.get("resourceType") == "Patient":
            changed["id"] = patient_id
        if str(changed.get("reference", "")).startswith("Patient/"):
            changed["reference"] = f"Patient/{patient_id}"
        return changed
    return [_of_patient(item, patient_id) for item in value] if isinstance(value, list) else value


def put(base: str, charts: Sequence[Chart], token: str = "") -> None:
    """Write whole charts to a server, as one transaction."""
    entries = [
        {
            "resource": resource,
            "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"},
        }
        for chart in charts
        for resource in chart.resources
    ]
    headers = {
        "Content-Type": "application/fhir+json",
        **({"Authorization": f"Bearer {token}"} if token else {}),
    }
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = requests.post(base, json=bundle, headers=headers, timeout=120)
    assert answer.status_code == 200, answer.text[:2000]
