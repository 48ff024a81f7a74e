"""order-sign: orders are about to be signed (Hook Library 1.0.1; maturity 5)."""

from __future__ import annotations

from cds_service.hooks.context import HookService
from cds_service.hooks.orders import OrderContext


class OrderSignContext(OrderContext):
    """userId, patientId and draftOrders are required, encounterId is optional."""


SERVICE = HookService(
    id="all-relapse-order-sign",
    hook="order-sign",
    hook_version="1.0",
    title="Relapsed acute lymphoblastic leukaemia, before orders are signed",
    description="The evaluation of all-relapse-order-select at the last moment before the orders count.",
    context=OrderSignContext,
)
