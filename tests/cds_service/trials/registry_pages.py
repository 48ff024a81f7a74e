"""Answers in the documented schema of the ClinicalTrials.gov API, version 2, written by hand.

The numbers are fictional: NCT9999.... is not given out.
"""

from __future__ import annotations

import json
from typing import Any


def record(nct_id: str = "NCT99990001", **changes: Any) -> dict[str, Any]:
    """One study; ``changes`` replace fields by their name in ``_FIELDS``."""
    values: dict[str, Any] = {
        "title": "Fictional study in relapsed B-ALL",
        "status": "RECRUITING",
        "updated": "2026-10-14",
        "conditions": ["B-cell Acute Lymphoblastic Leukemia, Recurrent"],
        "keywords": [],
        "phases": ["PHASE1", "PHASE2"],
        "interventions": ["Fictional antibody"],
        "minimum": "1 Year",
        "maximum": "30 Years",
        "sex": "ALL",
        "criteria": "Inclusion Criteria:\n* words that no rule reads",
        "locations": [location()],
        **changes,
    }
    eligibility = {"healthyVolunteers": False, "sex": values["sex"], "stdAges": ["CHILD", "ADULT"]}
    names = {"criteria": "eligibilityCriteria", "minimum": "minimumAge", "maximum": "maximumAge"}
    for key, name in names.items():
        if values[key] is not None:
            eligibility[name] = values[key]
    return {
        "protocolSection": {
            "identificationModule": {
                "nctId": nct_id,
                "briefTitle": values["title"],
                "officialTitle": values["title"],
            },
            "statusModule": {
                "overallStatus": values["status"],
                "lastUpdatePostDateStruct": {"date": values["updated"], "type": "ACTUAL"},
            },
            "sponsorCollaboratorsModule": {"leadSponsor": {"name": "Fictional sponsor"}},
            "conditionsModule": {"conditions": values["conditions"], "keywords": values["keywords"]},
            "designModule": {"phases": values["phases"]},
            "armsInterventionsModule": {
                "interventions": [{"type": "DRUG", "name": name} for name in values["interventions"]]
            },
            "eligibilityModule": eligibility,
            "contactsLocationsModule": {
                "centralContacts": [{"name": "Central", "role": "CONTACT", "phone": "555-0199"}],
                "locations": values["locations"],
            },
        },
        "hasResults": False,
    }


def location(**changes: Any) -> dict[str, Any]:
    """One site near Boston that takes patients."""
    return {
        "facility": "Fictional hospital",
        "status": "RECRUITING",
        "city": "Worcester",
        "state": "Massachusetts",
        "country": "United States",
        "contacts": [{"name": "Site contact", "role": "CONTACT", "phone": "555-0123"}],
        "geoPoint": {"lat": 42.26, "lon": -71.80},
        **changes,
    }


def page(*records: dict[str, Any], token: str | None = None, total: int | None = None) -> bytes:
    """One page of a search."""
    content: dict[str, Any] = {"studies": list(records)}
    if token is not None:
        content["nextPageToken"] = token
    if total is not None:
        content["totalCount"] = total
    return json.dumps(content).encode()
