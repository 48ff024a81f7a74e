"""An assessment as the cards of a CDS Hooks response."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from cds_service.cards.card_profiles import PROFILES, ClientProfile
from cds_service.cards.content import AddedLink, CardKnowledge, Source
from cds_service.cards.details import closing_lines, detail_of
from cds_service.cards.identity import card_uuid, evaluation_key, evidence_key
from cds_service.cards.links import added_links, below, build_links
from cds_service.cards.merging import merge_beyond
from cds_service.cards.rendering import in_plain_text
from cds_service.cards.suggestions import build_suggestions
from cds_service.cards.text import clean
from cds_service.cards.topics import CardPlan, plan_topics
from fhir_mappings.assess import Assessment

Quiet = Callable[[str, str], bool]
"""Whether the card of a topic (code, evidence key) is to stay away after feedback."""

_NOTHING_ADDED: Mapping[str, Sequence[AddedLink]] = MappingProxyType({})
_OWN_KEYS: Mapping[str, str] = MappingProxyType({})


def build_cards(
    assessment: Assessment,
    knowledge: CardKnowledge,
    *,
    profile: str = "strict",
    base_url: str = "",
    max_cards: int = 4,
    quiet: Quiet | None = None,
    explain: bool = False,
    scope: str = "",
    added: Mapping[str, Sequence[AddedLink]] = _NOTHING_ADDED,
    keys: Mapping[str, str] = _OWN_KEYS,
) -> list[dict[str, Any]]:
    """The cards of ``assessment``, most important first, as CDS Hooks 2.0 JSON objects.

    ``profile`` is a key of ``PROFILES``. ``base_url`` is our public address; without it no link to
    ourselves is made. ``quiet`` is asked with a card's topic code and evidence key. ``explain`` lists
    the records used. ``scope`` keeps the identifiers of one tenant apart from those of another.
    ``added`` are further links by topic code, such as those of matched studies. ``keys`` are evidence
    keys by topic code, where a card rests on more than the patient's record; such a card is another
    card as soon as its key is another.
    Raises KeyError for an unknown profile and UnknownWords where the knowledge lacks a sentence.
    """
    client = PROFILES[profile]
    if not assessment.sections:
        return []
    plans = plan_topics(assessment, knowledge.card_topics)
    plans = merge_beyond(plans, min(max_cards, client.max_cards or max_cards))
    if quiet is not None:
        plans = [plan for plan in plans if not _is_quiet(plan, assessment, quiet, keys)]
    desk = _Desk.of(assessment, knowledge, client, base_url, explain, scope, added, keys)
    return [desk.card(plan) for plan in plans]


def _is_quiet(plan: CardPlan, assessment: Assessment, quiet: Quiet, keys: Mapping[str, str]) -> bool:
    code = plan.topic.code
    return quiet(code, keys.get(code) or evidence_key(code, assessment))


@dataclass(frozen=True, slots=True)
class _Desk:
    """What all cards of one evaluation share."""

    assessment: Assessment
    knowledge: CardKnowledge
    client: ClientProfile
    base_url: str
    evaluation: str
    spoken: Set[str]
    closing: list[str]
    added: Mapping[str, Sequence[AddedLink]]
    keys: Mapping[str, str]
    proposed: set[str]

    @classmethod
    def of(
        cls,
        assessment: Assessment,
        knowledge: CardKnowledge,
        client: ClientProfile,
        base_url: str,
        explain: bool,
        scope: str,
        added: Mapping[str, Sequence[AddedLink]],
        keys: Mapping[str, str],
    ) -> _Desk:
        spoken = {part.words for section in assessment.sections for part in section.statements}
        closing = closing_lines(assessment, knowledge.card_topics[0].wording, explain)
        evaluation = evaluation_key(assessment, scope)
        return cls(assessment, knowledge, client, base_url, evaluation, spoken, closing, added, keys, set())

    def card(self, plan: CardPlan) -> dict[str, Any]:
        """One card; nothing in it is null or empty."""
        topic = plan.topic
        card: dict[str, Any] = {
            "uuid": card_uuid(self.evaluation, "card", topic.code, *self._key(topic.code)),
            "summary": self._summary(plan),
            "detail": detail_of(plan, self.knowledge, self.client, self.closing),
            "indicator": plan.indicator.value,
            "source": self._source(plan),
        }
        if suggestions := self._suggestions(plan):
            card["suggestions"] = suggestions
            card["selectionBehavior"] = self.client.selection_behavior
        if topic.override_reasons:
            card["overrideReasons"] = [
                {"code": reason.code, "system": reason.system, "display": reason.display}
                for reason in topic.override_reasons
            ]
        if links := self._links(plan):
            card["links"] = links
        return card

    def _key(self, code: str) -> tuple[str, ...]:
        return (self.keys[code],) if code in self.keys else ()

    def _summary(self, plan: CardPlan) -> str:
        headline = plan.headline
        text = in_plain_text(headline, self.knowledge.words) if headline else ""
        return text or clean(plan.topic.display)

    def _source(self, plan: CardPlan) -> dict[str, Any]:
        topic = plan.topic
        source: Source = self.knowledge.sources[topic.source]
        # Our page about the content cites the guideline too; the guideline's own page is among the links.
        address = below(self.base_url, topic.wording.source_page) or source.url
        found: dict[str, Any] = {"label": source.label}
        if address:
            found["url"] = address
        found["topic"] = {"system": topic.system, "code": topic.code, "display": topic.display}
        return found

    def _links(self, plan: CardPlan) -> list[dict[str, Any]]:
        targets = [target for topic in plan.topics for target in topic.links]
        links = build_links(targets, self.knowledge.sources, self.base_url, self.spoken)
        for topic in plan.topics if self.added else ():
            links += added_links(self.added.get(topic.code, ()))
        return links

    def _suggestions(self, plan: CardPlan) -> list[dict[str, Any]]:
        kinds = [kind for topic in plan.topics for kind in topic.suggestions]
        sections = {section.name for section in plan.all_sections}
        return build_suggestions(
            kinds, self.assessment, sections, self.spoken, self.evaluation, self.proposed
        )
