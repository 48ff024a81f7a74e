"""The services this product offers, one file per hook. Switching a hook on is one visible line here."""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.hooks import encounter_start, patient_view
from cds_service.hooks.context import Context, HookService

__all__ = ["HOOKS", "Context", "HookService"]

HOOKS: Mapping[str, HookService] = {
    service.id: service for service in (patient_view.SERVICE, encounter_start.SERVICE)
}
"""Every service by its id, the last part of its URL."""
