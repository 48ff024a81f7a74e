"""order-select: orders were chosen and are not signed yet (Hook Library 1.0.1; maturity 4)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from cds_service.hooks.context import HookService, Text
from cds_service.hooks.orders import OrderContext


class OrderSelectContext(OrderContext):
    """selections, the ids of the orders just chosen, is required as well."""

    selections: Annotated[list[Text], Field(max_length=10_000)]


SERVICE = HookService(
    id="all-relapse-order-select",
    hook="order-select",
    hook_version="1.0",
    title="Relapsed acute lymphoblastic leukaemia, while orders are chosen",
    description="The evaluation of all-relapse with the draft drug orders read as planned: intrathecal "
    "therapy alone for a relapse in the central nervous system, and salvage chemotherapy without a drug "
    "against CD19 or CD22.",
    context=OrderSelectContext,
)
