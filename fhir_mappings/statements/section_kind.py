"""What one section of the answer is: its name, what builds it, and the sentences it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fhir_mappings.assessment import Section
from fhir_mappings.knowledge.card_topics import CardTopic
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.relapse.situation import Picture


@dataclass(frozen=True, slots=True)
class SectionKind:
    """One section an assessment can have (reference model 0.5).

    ``build`` yields the section where it applies, and nothing where it does not. ``words`` are the
    beginnings of the keys of its sentences in ``words.toml``. Title and card topic are a clinician's
    choice and stand in ``cards.toml``.
    """

    name: str
    build: Callable[[Picture], Iterator[Section]]
    words: tuple[str, ...]

    def title(self, knowledge: Knowledge) -> str:
        """What stands above the section."""
        return self.topic(knowledge).wording.titles[self.name]

    def topic(self, knowledge: Knowledge) -> CardTopic:
        """The topic of the card that shows the section. Raises LookupError where no topic does."""
        for topic in knowledge.card_topics:
            if self.name in topic.sections:
                return topic
        raise LookupError(f"no topic of cards.toml has the section {self.name}")
