"""The services this product offers, one file per hook. Switching a hook on is one visible line here."""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.hooks import encounter_start, order_select, order_sign, patient_view
from cds_service.hooks.context import Context, HookService

__all__ = ["HOOKS", "Context", "HookService"]

HOOKS: Mapping[str, HookService] = {
    service.id: service
    for service in (patient_view.SERVICE, encounter_start.SERVICE, order_select.SERVICE, order_sign.SERVICE)
}
"""Every service by its id, the last part of its URL. Which of them are offered is a setting."""
