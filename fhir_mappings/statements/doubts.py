"""What leaves a finding in doubt: another cancer beside the ALL, an event long ago without treatment."""

from __future__ import annotations

from fhir_mappings.assessment import Statement
from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import Diagnosis
from fhir_mappings.clinical.moments import exceeds_months
from fhir_mappings.relapse.situation import Picture
from fhir_mappings.statements.headlines import episode_of
from fhir_mappings.statements.statement import say

TREATMENT_NEEDS = frozenset({"medications", "administrations", "procedures", "careplans"})
"""Needs under which treatment would be found."""


def is_long_ago(picture: Picture) -> bool:
    """An untreated event so old that it only informs (D-12)."""
    months = picture.knowledge.whole("old_marrow_months")
    event = episode_of(picture).event
    return picture.standing.untreated and exceeds_months(event, picture.view.today, months) is Answer.YES


def rival_statement(rival: Diagnosis) -> Statement:
    """That the blasts may come from another cancer on the problem list (D-04)."""
    day = rival.onset or rival.recorded
    if day is None:
        return say("probable.lineage.undated", diagnosis=rival.label)
    return say("probable.lineage", diagnosis=rival.label, date=day.text)
