"""Every statement of an answer as text, with its section, topic and sources, and whether a card shows it."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_mappings.assessment import Assessment, Section, Statement
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.statements.sentences import sentence


@dataclass(frozen=True, slots=True)
class Told:
    """One statement of an assessment in words.

    ``section`` is the name of its section, ``topic`` the code of the card topic that shows the section,
    ``words`` the key of the sentence, ``cites`` the identifiers of its sources, ``on_card`` whether a brief
    card shows it. ``text`` may hold text from the record, unescaped.
    """

    section: str
    topic: str
    words: str
    text: str
    cites: tuple[str, ...]
    on_card: bool


def told(assessment: Assessment, knowledge: Knowledge) -> tuple[Told, ...]:
    """Every statement in the order of its sections. Nothing that was said is left out."""
    home = {name: topic.code for topic in knowledge.card_topics for name in topic.sections}
    return tuple(
        _told(statement, section, home.get(section.name, ""), knowledge)
        for section in assessment.sections
        for statement in section.statements
    )


def is_on_card(statement: Statement, knowledge: Knowledge) -> bool:
    """Whether a brief card shows a statement of a section that has a card."""
    return statement.on_card and knowledge.words[statement.words].rank is not None


def _told(statement: Statement, section: Section, topic: str, knowledge: Knowledge) -> Told:
    words = knowledge.words[statement.words]
    return Told(
        section=section.name,
        topic=topic,
        words=statement.words,
        text=sentence(statement, knowledge.words),
        cites=statement.cites or words.cites,
        on_card=section.on_card and is_on_card(statement, knowledge),
    )
