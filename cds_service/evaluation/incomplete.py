"""The information card that a site may choose instead of 412 when needed data were not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fhir_mappings.assess import Assessment, Indicator, Knowledge, NeedState, Section, Statement

SUMMARY = "incomplete.summary"
NEED = "incomplete.need"
MEANING = "incomplete.meaning"
"""Keys of the knowledge's words: the headline, one line for each need, and what it does not mean."""


def told_in_a_card(
    assessment: Assessment, states: Mapping[str, NeedState], knowledge: Knowledge
) -> Assessment:
    """The assessment with a section that says which data were not seen, and why.

    Without words for it in the knowledge nothing is added, and the call is answered 412.
    """
    words = knowledge.words
    if not all(key in words for key in (SUMMARY, NEED, MEANING)):
        return assessment
    titles = {need.key: need.title for need in knowledge.needs}
    lines = [
        Statement(NEED, {"what": titles.get(key, key), "why": _why(states.get(key), knowledge)})
        for key in assessment.missing_needs
    ]
    section = Section("DATA", Indicator.INFO, (*lines, Statement(MEANING)), Statement(SUMMARY))
    others = tuple(part for part in assessment.sections if part.name != section.name)
    return replace(assessment, sections=(*others, section))


def _why(state: NeedState | None, knowledge: Knowledge) -> str:
    reason = state.reason if state is not None and state.reason else "unreadable"
    words = knowledge.words.get(f"need.{reason}")
    return words.text if words is not None else reason
