"""The sections of an assessment, gathered into one card per topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cds_service.cards.content import CardTopic
from fhir_mappings.assess import Assessment, Indicator, Section, Statement

_URGENCY = {Indicator.INFO: 0, Indicator.WARNING: 1, Indicator.CRITICAL: 2}


@dataclass(frozen=True, slots=True)
class CardPlan:
    """A card to be: its topic, the sections in the order to be read, and the topics merged into it."""

    topic: CardTopic
    sections: tuple[Section, ...]
    merged: tuple[CardPlan, ...] = ()

    @property
    def all_sections(self) -> tuple[Section, ...]:
        """Its own sections, then those of the merged topics."""
        return self.sections + tuple(section for plan in self.merged for section in plan.all_sections)

    @property
    def topics(self) -> tuple[CardTopic, ...]:
        """Its own topic, then the merged ones."""
        return (self.topic, *(topic for plan in self.merged for topic in plan.topics))

    @property
    def indicator(self) -> Indicator:
        """The highest of its sections (R-11)."""
        return max((section.indicator for section in self.all_sections), key=_URGENCY.__getitem__)

    @property
    def headline(self) -> Statement | None:
        """The first summary of its sections, else the first statement."""
        sections = self.all_sections
        summary = next((section.summary for section in sections if section.summary), None)
        return summary or next((section.statements[0] for section in sections if section.statements), None)


def plan_topics(assessment: Assessment, topics: Sequence[CardTopic]) -> list[CardPlan]:
    """One plan per topic that has sections, in the order of the topics.

    A section that no topic feeds on goes to the first topic, so that nothing that was found is lost.
    """
    home = {name: topic for topic in topics for name in topic.sections}
    gathered: dict[str, list[Section]] = {}
    for section in assessment.sections:
        if not section.on_card:
            continue
        gathered.setdefault(home.get(section.name, topics[0]).code, []).append(section)
    present = (topic for topic in topics if topic.code in gathered)
    return [CardPlan(topic, tuple(gathered[topic.code])) for topic in present]


def by_urgency(plans: Sequence[CardPlan]) -> list[CardPlan]:
    """What must be done now first; among equals the rank of the topic."""
    return sorted(plans, key=lambda plan: -_URGENCY[plan.indicator])


def joined(found: Sequence[CardPlan]) -> list[CardPlan]:
    """The plans with each joining topic merged into its host, where the host has a card."""
    plans = {plan.topic.code: plan for plan in found}
    for code, plan in list(plans.items()):
        host = plans.get(plan.topic.joins)
        if host is not None:
            plans[host.topic.code] = CardPlan(host.topic, host.sections + plan.sections, host.merged)
            del plans[code]
    return list(plans.values())
