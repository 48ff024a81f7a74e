"""Public FHIR servers by name, for ``relapse-cds call --preset``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cds_service.settings.model import Habits

HABITS = ("none", "hapi", "smart", "medplum", "epic", "cerner")
"""The names that the setting ``habits`` takes; written out, because the settings are slow to import."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A FHIR server as it is known: where, whether it wants a token, how it differs, what to do first."""

    name: str
    fhir_server: str
    open_fhir: bool
    habits: Habits
    note: str


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "smart-r4",
            "https://launch.smarthealthit.org/v/r4/fhir",
            True,
            "smart",
            "The SMART launcher's open server; synthetic patients.",
        ),
        Preset(
            "hapi-r4",
            "https://hapi.fhir.org/baseR4",
            True,
            "hapi",
            "HAPI's public test server; anyone may write: run load-demo first.",
        ),
        Preset(
            "cds-sandbox",
            "https://launch.smarthealthit.org/v/r4/fhir",
            True,
            "smart",
            "The CDS Hooks sandbox, set to R4; its own default server is DSTU2, which is refused.",
        ),
        Preset(
            "epic-sandbox",
            "https://fhir.epic.com/interconnect-fhir-oauth/api/FHIR/R4",
            False,
            "epic",
            "Needs an app registered with Epic, and its access token in --token.",
        ),
        Preset(
            "cerner-sandbox",
            "https://fhir-open.cerner.com/r4/ec2458f2-1e24-41c8-b71b-0e701af7583d",
            True,
            "cerner",
            "Oracle Health's open sandbox; read only, patients such as 12724066.",
        ),
        Preset(
            "medplum",
            "https://api.medplum.com/fhir/R4",
            False,
            "medplum",
            "Needs a Medplum project, and its access token in --token.",
        ),
    )
}
"""By name. Sources: the pages of each server for developers."""


def as_text() -> str:
    """One line for each preset, and its address and note below it."""
    lines = []
    for preset in PRESETS.values():
        access = "open" if preset.open_fhir else "needs --token"
        lines.append(f"{preset.name:<15} {access:<14} habits {preset.habits:<8} {preset.fhir_server}")
        lines.append(f"{'':<15} {preset.note}")
    return "\n".join(lines) + "\n"
