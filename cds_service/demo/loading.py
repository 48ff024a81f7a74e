"""Writing the demonstration patients to a FHIR R4 server: as one transaction, else one by one.

FHIR R4 http, 3.1.0.11 (transaction) and 3.1.0.4.1 (update as create).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import requests

from cds_service.demo.demo_patients import DemoPatient
from cds_service.demo.ehr import CONNECT_SECONDS, new_session

_WRITE_SECONDS = 120.0
_MEDIA_TYPE = "application/fhir+json"
_WRITTEN = (200, 201)
_NO_TRANSACTIONS = (400, 404, 405, 415, 422, 501)
"""How servers answer that know no transactions."""
_PLACE = {
    kind: place
    for place, kind in enumerate(
        ("Patient", "Practitioner", "Organization", "Specimen", "Condition", "ResearchStudy")
    )
}


class NotLoaded(Exception):
    """The server did not take the patients. The message says why and what to check."""


def transaction(patients: Sequence[DemoPatient]) -> dict[str, Any]:
    """A transaction Bundle that puts every resource under its own id, so that loading twice is harmless."""
    resources = [resource for patient in patients for resource in patient.resources]
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "resource": resource,
                "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"},
            }
            for resource in resources
        ],
    }


def load(fhir_server: str, patients: Sequence[DemoPatient], token: str | None = None) -> None:
    """Write the patients to the server at that base.

    Raises:
        NotLoaded: when the server does not answer, or refuses.
    """
    headers = {"Content-Type": _MEDIA_TYPE, "Accept": _MEDIA_TYPE}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    whole = transaction(patients)
    base = fhir_server.rstrip("/")
    with new_session() as session:
        session.headers.update(headers)
        status = _write(session, "POST", base, whole, fhir_server)
        if status in _NO_TRANSACTIONS:
            _put_each(session, base, whole, fhir_server)
        elif status not in _WRITTEN:
            raise NotLoaded(f"{fhir_server} answered {status} to the transaction; check the token")


def _put_each(session: requests.Session, base: str, whole: dict[str, Any], fhir_server: str) -> None:
    """Every resource under its own id, those first that others refer to."""
    for entry in sorted(
        whole["entry"], key=lambda one: _PLACE.get(one["resource"]["resourceType"], len(_PLACE))
    ):
        url = entry["request"]["url"]
        status = _write(session, "PUT", f"{base}/{url}", entry["resource"], fhir_server)
        if status not in _WRITTEN:
            raise NotLoaded(
                f"{fhir_server} takes no transactions and answered {status} to PUT {url}; "
                "check the token, and that the server takes PUT under a new id"
            )


def _write(session: requests.Session, method: str, url: str, body: Any, fhir_server: str) -> int:
    try:
        return session.request(
            method,
            url,
            data=msgspec.json.encode(body),
            timeout=(CONNECT_SECONDS, _WRITE_SECONDS),
            allow_redirects=False,
        ).status_code
    except (requests.RequestException, ValueError):
        raise NotLoaded(
            f"{fhir_server} does not answer; check the address and that the server runs"
        ) from None
