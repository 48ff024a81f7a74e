"""Settings and knowledge for a command, with faults told in plain lines."""

from __future__ import annotations

from datetime import UTC, date, datetime

from cds_service.cli.faults import Unusable
from cds_service.evaluation.site_knowledge import knowledge_in_use
from cds_service.settings.faults import SettingsError
from cds_service.settings.loading import load_settings
from cds_service.settings.model import Settings
from fhir_mappings.assess import Knowledge, KnowledgeError


def configured() -> Settings:
    """The settings of file and environment. Raises Unusable naming every fault."""
    try:
        return load_settings()
    except SettingsError as error:
        raise Unusable(f"the configuration cannot be used:\n{indented(str(error))}") from None


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
