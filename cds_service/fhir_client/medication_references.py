"""Drugs that an order or an administration only refers to: each is read by its id, at the same server.

``_include`` is not relied on, because many servers do not know it. A drug on another server is not
followed. A reference that carries a display text is usable without its Medication.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cds_service.fhir_client.paged_search import Sender
from cds_service.fhir_client.paging import PagingBlocked, confined_target
from cds_service.fhir_client.queries import Search
from cds_service.fhir_client.searching import interpret
from cds_service.fhir_client.transport import Request
from cds_service.http.fhir_base import FhirBase
from fhir_mappings.assess import Entry, is_stated

MOST_MEDICINES = 40
_ORDERS = ("MedicationRequest", "MedicationAdministration", "MedicationStatement")
_DRUG = Search("medicine", "Medication", "", (), "", 0, "")


@dataclass(frozen=True, slots=True)
class Medicine:
    """A reference to a Medication, and whether its order says nothing of the drug without it."""

    reference: str
    target: str
    needed: bool


@dataclass(frozen=True, slots=True)
class Dispensed:
    """What came of a reference: the drug, or the reason why it could not be read."""

    entry: Entry | None = None
    reason: str = ""


def medicines(entries: Iterable[Entry], base: FhirBase) -> list[Medicine]:
    """The drugs that have to be read before the orders among ``entries`` can be understood."""
    found: dict[str, Medicine] = {}
    for entry in entries:
        resource = entry.resource
        if resource is None or resource.resource_type not in _ORDERS:
            continue
        reference = resource.medication_reference
        if is_stated(resource.medication_codeable_concept) or reference is None or not reference.reference:
            continue
        target = _target(reference.reference, base)
        if target:
            found.setdefault(
                reference.reference, Medicine(reference.reference, target, not reference.display)
            )
    return list(found.values())


def dispense(medicine: Medicine, send: Sender) -> Dispensed:
    """Read one drug."""
    page = interpret(send(Request(medicine.target, about="Medication")), _DRUG)
    if page.reason:
        return Dispensed(reason=page.reason if medicine.needed else "")
    drug = page.entries[0].resource if page.entries else None
    return Dispensed(Entry(full_url=medicine.reference, resource=drug))


def _target(reference: str, base: FhirBase) -> str:
    """Where the drug is read; empty for a contained one, another server, and any odd spelling."""
    if reference.startswith(("#", "urn:")):
        return ""
    try:
        target = confined_target(reference, base, base.path)
    except PagingBlocked:
        return ""
    path = re.escape(base.path)
    plain = rf"{path}/Medication/[A-Za-z0-9\-._]{{1,128}}(/_history/[A-Za-z0-9\-._]{{1,128}})?"
    return target if re.fullmatch(plain, target) else ""
