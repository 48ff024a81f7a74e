"""Settings and knowledge for a command, with faults told in plain lines."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path

from cds_service.cli.faults import Unusable
from cds_service.evaluation.site_knowledge import knowledge_in_use
from cds_service.settings.faults import SettingsError
from cds_service.settings.loading import CONFIG_VARIABLE, load_settings
from cds_service.settings.model import NOBODY, Settings, Tenant
from fhir_mappings.assess import Knowledge, KnowledgeError


def configured(config: Path | None = None) -> Settings:
    """The settings of file and environment; ``config`` is the file instead of the one that the environment
    names. Raises Unusable naming every fault."""
    environ = dict(os.environ)
    if config is not None:
        environ[CONFIG_VARIABLE] = str(config)
    try:
        return load_settings(environ)
    except SettingsError as error:
        raise Unusable(f"the configuration cannot be used:\n{indented(str(error))}") from None


def site_settings(config: Path | None) -> Settings:
    """The settings of a site where one is configured, else those that need no file. Raises Unusable."""
    if config is None and not os.environ.get(CONFIG_VARIABLE):
        return Settings.embedded()
    return configured(config)


def site_tenant(settings: Settings, wanted: str) -> Tenant:
    """Whose local codes count: the tenant named, the only one there is, or nobody. Raises Unusable."""
    tenants = {tenant.id: tenant for tenant in settings.tenants}
    if wanted and wanted not in tenants:
        raise Unusable(f"--tenant: no tenant has the id {wanted}; there are: {', '.join(tenants) or 'none'}")
    if not wanted and len(tenants) > 1:
        raise Unusable(f"--tenant: name whose chart it is, one of: {', '.join(tenants)}")
    return tenants[wanted] if wanted else next(iter(tenants.values()), NOBODY)


def knowledge_for(settings: Settings) -> Knowledge:
    """The knowledge that decides. Raises Unusable naming every fault."""
    try:
        return knowledge_in_use(settings)
    except KnowledgeError as error:
        raise Unusable(f"the knowledge cannot be used:\n{indented(str(error))}") from None


def moment(text: str | None) -> datetime:
    """The moment of evaluation: ISO 8601; a date is its first instant; without an offset it is UTC."""
    if text is None:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Unusable("--at: write a date or a moment such as 2024-06-04 or 2024-06-04T12:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def today_or(text: str | None) -> date:
    """The day T of the demonstration's charts: as written, or today. Raises Unusable."""
    if text is None:
        return datetime.now(UTC).date()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    # The charts reach decades back, and their births with them.
    if not 1950 <= day.year <= 2200:
        raise Unusable("--today: write a date from 1950 on, such as 2026-01-31") from None
    return day


def indented(text: str) -> str:
    """Lines that belong to the line above them."""
    return "\n".join(f"  {line}" for line in text.splitlines())


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun, which takes an s where ``many`` does not say otherwise."""
    return f"{number} {one if number == 1 else many or one + 's'}"
