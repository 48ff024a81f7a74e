"""What the order hooks have in common: the draft orders of one patient (Hook Library 1.0.1)."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import AfterValidator

from cds_service.hooks.context import Context
from fhir_mappings.assess import Decoded, Entry, decode

_WITHDRAWN = frozenset({"cancelled", "entered-in-error"})


def _a_bundle(value: dict[str, Any]) -> dict[str, Any]:
    if value.get("resourceType") != "Bundle":
        raise ValueError("write a FHIR Bundle of the orders that are not signed yet")
    return value


DraftOrders = Annotated[dict[str, Any], AfterValidator(_a_bundle)]


class OrderContext(Context):
    """userId, patientId and draftOrders are required; encounterId is optional."""

    draftOrders: DraftOrders

    def proposed(self) -> Decoded:
        """The draft orders, each in the state ``draft`` whatever state the EHR gave it.

        Whose they are is checked with the rest of the data; an order that was withdrawn stays withdrawn.
        """
        found = decode(json.dumps(self.draftOrders).encode())
        for entry in found.resource.entry or ():
            _make_draft(entry)
        return found


def _make_draft(entry: Entry) -> None:
    order = entry.resource
    if (
        order is not None
        and order.status not in _WITHDRAWN
        and (order.resource_type or "").endswith("Request")
    ):
        order.status = "draft"
