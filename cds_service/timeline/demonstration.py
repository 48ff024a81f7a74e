"""Opening the timeline without a launch, which exists only where a demonstration's sandbox is mounted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

from flask import Flask, current_app

_KEY = "relapse_cds.timeline_demonstration"


@dataclass(frozen=True, slots=True)
class DemonstrationPatient:
    """A synthetic patient to choose from."""

    id: str
    name: str
    story: str


@dataclass(frozen=True, slots=True)
class Demonstration:
    """The sandbox behind a demonstration: its base, its patients, and what issues tokens for one of them."""

    fhir_server: str
    patients: Sequence[DemonstrationPatient]
    token_for: Callable[[str], str] = field(repr=False)


def admit_without_launch(app: Flask, demonstration: Demonstration) -> None:
    """Let ``/timeline/?patient=ID`` open the demonstration's patients, and no others."""
    app.extensions[_KEY] = demonstration


def demonstration_of() -> Demonstration | None:
    """The demonstration of the application that answers now; None for a service in use."""
    return cast("Demonstration | None", current_app.extensions.get(_KEY))
