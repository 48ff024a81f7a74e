"""An assessment as the cards of a CDS Hooks response."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from cds_service.cards.brief import brief_detail
from cds_service.cards.card_profiles import PROFILES, ClientProfile
from cds_service.cards.choices import AS_THEY_COME, CardChoices
from cds_service.cards.content import CardKnowledge, CardTopic, Source
from cds_service.cards.details import closing_lines, detail_of
from cds_service.cards.identity import card_uuid, evaluation_key, evidence_key, followers_of
from cds_service.cards.links import added_links, below, build_links
from cds_service.cards.markdown import detail_as_text, escape
from cds_service.cards.merging import merge_beyond
from cds_service.cards.rendering import brief_text, in_plain_text
from cds_service.cards.suggestions import build_suggestions
from cds_service.cards.text import clean
from cds_service.cards.topics import CardPlan, by_urgency, joined, plan_topics
from fhir_mappings.assess import Assessment, Indicator, filled

EVIDENCE_TOPIC = "allEvidence"
"""The topic of the last card, which carries every statement where no page can be opened."""

CONTENT_TYPE = "com.epic.cdshooks.card.detail.content-type"
"""The member by which Epic is told that a detail is plain text."""


def build_cards(
    assessment: Assessment, knowledge: CardKnowledge, choices: CardChoices = AS_THEY_COME
) -> list[dict[str, Any]]:
    """The cards of ``assessment``, most important first, as CDS Hooks 2.0 JSON objects.

    Raises KeyError for an unknown profile and UnknownWords where the knowledge lacks a sentence.
    """
    if not any(section.on_card for section in assessment.sections):
        return []
    client = PROFILES[choices.profile]
    most = min(choices.max_cards, client.max_cards or choices.max_cards)
    plans = plan_topics(assessment, knowledge.card_topics)
    plans = [plan for plan in plans if plan.topic.code not in choices.topics_off]
    # Before joining and merging: a card that stays away takes no other topic with it.
    plans = [plan for plan in plans if not _is_quiet(plan, assessment, choices)]
    plans = merge_beyond(by_urgency(joined(plans)), most)
    desk = _Desk.of(assessment, knowledge, choices)
    cards = [desk.card(plan) for plan in plans]
    said = any(section.name != "DATA" for section in assessment.sections)
    if cards and said and choices.evidence == "card" and not choices.full:
        cards += [
            desk.evidence_card(topic) for topic in knowledge.card_topics if topic.code == EVIDENCE_TOPIC
        ]
    return cards


def _is_quiet(plan: CardPlan, assessment: Assessment, choices: CardChoices) -> bool:
    """Whether the answer to an earlier card keeps this one away."""
    if choices.quiet is None:
        return False
    code, leader = plan.topic.code, plan.topic.follows
    if choices.quiet(code, choices.keys.get(code) or evidence_key(code, assessment)):
        return True
    return bool(leader) and choices.quiet(followers_of(leader), evidence_key(leader, assessment))


@dataclass(frozen=True, slots=True)
class _Desk:
    """What all cards of one evaluation share."""

    assessment: Assessment
    knowledge: CardKnowledge
    client: ClientProfile
    choices: CardChoices
    evaluation: str
    spoken: Set[str]
    proposed: set[str]

    @classmethod
    def of(cls, assessment: Assessment, knowledge: CardKnowledge, choices: CardChoices) -> _Desk:
        spoken = {part.words for section in assessment.sections for part in section.statements}
        evaluation = evaluation_key(assessment, choices.scope)
        return cls(assessment, knowledge, PROFILES[choices.profile], choices, evaluation, spoken, set())

    def card(self, plan: CardPlan) -> dict[str, Any]:
        """One card; nothing in it is null or empty."""
        topic = plan.topic
        card: dict[str, Any] = {
            "uuid": card_uuid(self.evaluation, "card", topic.code, *self._key(topic.code)),
            "summary": self._summary(plan),
            "detail": self._detail(plan),
            "indicator": plan.indicator.value,
            "source": self._source(plan),
        }
        if suggestions := self._suggestions(plan):
            card["suggestions"] = suggestions
            card["selectionBehavior"] = self.client.selection_behavior
        if topic.override_reasons:
            card["overrideReasons"] = _reasons(topic)
        if links := self._links(plan):
            card["links"] = links
        return self._fitted(card)

    def evidence_card(self, topic: CardTopic) -> dict[str, Any]:
        """The last card, with every statement that may stand on a card at all (D-13, D-14)."""
        plan = CardPlan(topic, tuple(one for one in self.assessment.sections if one.on_card))
        closing = closing_lines(self.assessment, topic.wording, self.choices.explain)
        card = {
            "uuid": card_uuid(self.evaluation, "card", topic.code),
            "summary": clean(topic.display),
            "detail": detail_of(plan, self.knowledge, ClientProfile("any"), closing),
            "indicator": Indicator.INFO.value,
            "source": self._source(plan),
            "overrideReasons": _reasons(topic),
            "links": self._links(plan),
        }
        return self._fitted(card)

    def _fitted(self, card: dict[str, Any]) -> dict[str, Any]:
        """The card as this client can take it; nothing in it is null or empty."""
        if self.choices.plain_text:
            card["detail"] = detail_as_text(card["detail"])
            card["extension"] = {CONTENT_TYPE: "text/plain"}
        if "topic" in self.choices.omit:
            del card["source"]["topic"]
        return {key: value for key, value in card.items() if value and key not in self.choices.omit}

    def _detail(self, plan: CardPlan) -> str:
        if self.choices.full:
            closing = closing_lines(self.assessment, plan.topic.wording, self.choices.explain)
            return detail_of(plan, self.knowledge, self.client, closing)
        return brief_detail(plan, self.assessment, self.knowledge, self.client, self._closing(plan.topic))

    def _closing(self, topic: CardTopic) -> str:
        """Version, review state and where the rest stands, in one line."""
        lines, stamp = topic.wording.lines, self.assessment.knowledge
        state = "approved" if stamp.review == "approved" else "draft"
        text = filled(lines[f"closing-{state}"], {"version": escape(stamp.version)})
        where = {"smart": "closing-page", "card": "closing-card"}.get(self.choices.evidence)
        return f"{text} {lines[where]}" if where else text

    def _key(self, code: str) -> tuple[str, ...]:
        keys = self.choices.keys
        return (keys[code],) if code in keys else ()

    def _summary(self, plan: CardPlan) -> str:
        headline = plan.headline
        said = in_plain_text if self.choices.full else brief_text
        text = said(headline, self.knowledge.words) if headline else ""
        return text or clean(plan.topic.display)

    def _source(self, plan: CardPlan) -> dict[str, Any]:
        topic = plan.topic
        source: Source = self.knowledge.sources[topic.source]
        # Our page about the content cites the guideline too; the guideline's own page is among the links.
        address = below(self.choices.base_url, topic.wording.source_page) or source.url
        found: dict[str, Any] = {"label": source.label}
        if address:
            found["url"] = address
        found["topic"] = {"system": topic.system, "code": topic.code, "display": topic.display}
        return found

    def _links(self, plan: CardPlan) -> list[dict[str, Any]]:
        targets = [target for topic in plan.topics for target in topic.links]
        links = build_links(targets, self.knowledge.sources, self.choices.base_url, self.spoken)
        for topic in plan.topics if self.choices.added else ():
            links += added_links(self.choices.added.get(topic.code, ()))
        return links

    def _suggestions(self, plan: CardPlan) -> list[dict[str, Any]]:
        kinds = [kind for topic in plan.topics for kind in topic.suggestions]
        sections = {section.name for section in plan.all_sections}
        return build_suggestions(
            kinds, self.assessment, sections, self.spoken, self.evaluation, self.proposed
        )


def _reasons(topic: CardTopic) -> list[dict[str, str]]:
    return [
        {"code": reason.code, "system": reason.system, "display": reason.display}
        for reason in topic.override_reasons
    ]
