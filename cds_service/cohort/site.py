"""The site whose export is read: its configuration, its tenant, its audit trail."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cds_service.cohort.work_folder import replacing
from cds_service.settings.faults import SettingsError
from cds_service.settings.loading import CONFIG_VARIABLE, load_settings
from cds_service.settings.model import NO_TENANT, Settings, Tenant

if TYPE_CHECKING:
    from cds_service.store import Store

Fields = Mapping[str, str | int | float | bool]


class Unusable(Exception):
    """The order cannot be carried out; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Site:
    """A configuration and the tenant in it. ``configured`` is False for a run without a configuration."""

    settings: Settings
    tenant: Tenant | None
    configured: bool

    def store(self) -> Store:
        """The store of the service. Raises Unusable."""
        if not self.configured:
            raise Unusable("this needs the site's configuration: name it with --config")
        # The libraries of the database take as much memory as everything else here.
        from cds_service.store import StoreMisconfigured, StoreUnavailable, open_store

        secrets = (self.settings.pseudonym_secret, self.settings.audit_secret)
        pseudonyms, seals = (one.get_secret_value().encode() if one else None for one in secrets)
        try:
            return open_store(self.settings.store, pseudonyms, audit_secret=seals)
        except (StoreMisconfigured, StoreUnavailable) as fault:
            raise Unusable(f"the store cannot be used: {fault}") from None

    def note(self, event: str, at: datetime, fields: Fields, out: Path) -> None:
        """Puts a run on the audit trail; without a configuration it stands beside the results.

        Raises Unusable where the trail cannot be written: a run that nobody can find is not done.
        """
        tenant = self.tenant.id if self.tenant else NO_TENANT
        told = {"at": at.isoformat(), "event": event, "tenant": tenant, **fields}
        with replacing(out / "audit.json") as file:
            file.write(msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n")
        if not self.configured:
            return
        from cds_service.store import AuditEntry, StoreUnavailable

        store = self.store()
        try:
            store.audit.append([AuditEntry(at, event, tenant, fields)])
        except StoreUnavailable as fault:
            raise Unusable(f"the audit trail cannot be written: {fault}") from None
        finally:
            store.close()


def site_of(config: Path | None, tenant: str) -> Site:
    """The site of a configuration file, of the environment, or of neither. Raises Unusable."""
    environ: Mapping[str, str] = os.environ
    if config is not None:
        environ = {**environ, CONFIG_VARIABLE: str(config)}
    if not environ.get(CONFIG_VARIABLE):
        if tenant:
            raise Unusable("--tenant: name the configuration that has this tenant with --config")
        return Site(Settings.embedded(), None, configured=False)
    try:
        settings = load_settings(environ)
    except SettingsError as fault:
        raise Unusable(f"the configuration cannot be used:\n{fault}") from None
    return Site(settings, _tenant(settings, tenant), configured=True)


def _tenant(settings: Settings, name: str) -> Tenant | None:
    if not name and len(settings.tenants) <= 1:
        return next(iter(settings.tenants), None)
    found = next((one for one in settings.tenants if one.id == name), None)
    if found is None:
        known = ", ".join(one.id for one in settings.tenants) or "none"
        raise Unusable(f"--tenant: name one of the tenants of the configuration ({known})")
    return found
