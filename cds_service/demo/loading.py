"""Writing the demonstration patients to a FHIR R4 server, as one transaction (FHIR R4 http, 3.1.0.11)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import requests

from cds_service.demo.demo_patients import DemoPatient
from cds_service.demo.ehr import CONNECT_SECONDS, new_session

_WRITE_SECONDS = 120.0
_MEDIA_TYPE = "application/fhir+json"


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
    body = msgspec.json.encode(transaction(patients))
    try:
        with new_session() as session:
            response = session.post(
                fhir_server.rstrip("/"),
                data=body,
                headers=headers,
                timeout=(CONNECT_SECONDS, _WRITE_SECONDS),
                allow_redirects=False,
            )
    except (requests.RequestException, ValueError):
        raise NotLoaded(
            f"{fhir_server} does not answer; check the address and that the server runs"
        ) from None
    if response.status_code not in (200, 201):
        raise NotLoaded(
            f"{fhir_server} answered {response.status_code} to the transaction; "
            "check the token, and that the server takes transactions with PUT"
        )
