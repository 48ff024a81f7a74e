"""What stands on the evidence page only, whatever the size of a card (D-13, D-14)."""

from __future__ import annotations

from dataclasses import replace

from fhir_mappings.assessment import Section, Statement, Status
from fhir_mappings.clinical.answers import Answer
from fhir_mappings.relapse.situation import Picture

_ONCE_CONFIRMED = frozenset(
    {"OPT-B", "OPT-T", "OPT-PH", "HSCT", "CNS-TX", "TESTIS-TX", "SAFE-CD19", "SAFE-VOD", "SAFE-NEURO"}
)
"""Sections that speak of treatment: a probable relapse is confirmed first (D-13)."""

_UNCHECKED = ("outcome.rez90.", "outcome.aall01p2.", "outcome.r3.hsct")
"""Figures quoted by a summary and not checked against their source."""

_PAEDIATRIC = (
    "outcome.",
    "risk.",
    "timing.seed-000.",
    "timing.disagree",
    "timing.cr1-18.",
    "timing.bfm",
    "timing.cog",
    "testis-tx.response-adapted",
)
"""Sentences with figures or classes of children in a first relapse without a transplant before."""


def placed(section: Section, picture: Picture) -> Section:
    """The section with what is for the evidence page only marked as such."""
    shown = picture.standing.status is not Status.PROBABLE or section.name not in _ONCE_CONFIRMED
    away = _UNCHECKED if _is_child_in_first_relapse(picture) else _UNCHECKED + _PAEDIATRIC
    statements = tuple(_placed(one, away) for one in section.statements)
    return replace(section, statements=statements, on_card=shown)


def _placed(statement: Statement, away: tuple[str, ...]) -> Statement:
    return replace(statement, on_card=False) if statement.words.startswith(away) else statement


def _is_child_in_first_relapse(picture: Picture) -> bool:
    """A patient for whom the paediatric figures were made; an unknown age counts as a child's."""
    episode = picture.episode
    if episode is None:
        return picture.adult is not Answer.YES
    before = any(day is None or day.first < episode.event.first for day, _resource in picture.transplants)
    number = max(episode.number, len(picture.standing.previous) + 1)
    return picture.adult is not Answer.YES and not before and number <= 1
