"""The knowledge of one disease, read and checked: what every rule, reader and card asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from fhir_mappings.clinical.criteria_sets import CriteriaSet
from fhir_mappings.clinical.options import OptionRule
from fhir_mappings.clinical.report_language import ReportLanguage
from fhir_mappings.clinical.vocabulary import Vocabulary
from fhir_mappings.knowledge.agents import Agent
from fhir_mappings.knowledge.card_topics import CardTopic
from fhir_mappings.knowledge.code_rows import Code
from fhir_mappings.knowledge.needs import Need as Need
from fhir_mappings.knowledge.sources import Source
from fhir_mappings.knowledge.statements import References, SeedStatement
from fhir_mappings.knowledge.thresholds import Threshold, ThresholdName
from fhir_mappings.knowledge.words import Words as Words


@dataclass(frozen=True, slots=True)
class SiteChange:
    """One number or sentence that a site changed: what it was and is, why, by whom and when.

    ``cases`` are the clinical cases whose answer it changes.
    """

    key: str
    was: str
    value: str
    reason: str
    name: str
    on: date
    cases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SiteVersion:
    """What a site laid over the packaged knowledge, and the digest of its folder."""

    digest: str
    changes: tuple[SiteChange, ...]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All knowledge of one disease. ``digest`` covers every file; ``review`` is draft or approved.

    ``titles`` names every result concept for display. ``sets_off`` are criteria sets that only a site's
    choice evaluates. ``statements`` and ``references`` are what everything
    else cites. ``site`` is what a site changed, None where it decides by the packaged knowledge.
    """

    disease: str
    title: str
    version: str
    digest: str
    review: str
    sources: Mapping[str, Source]
    words: Mapping[str, Words]
    thresholds: Mapping[ThresholdName, Threshold]
    criteria_sets: tuple[CriteriaSet, ...]
    options: tuple[OptionRule, ...]
    needs: tuple[Need, ...]
    card_topics: tuple[CardTopic, ...]
    agents: Mapping[str, Agent]
    vocabulary: Vocabulary
    report_language: ReportLanguage
    value_sets: Mapping[str, Sequence[Code]]
    titles: Mapping[str, str]
    sets_off: tuple[CriteriaSet, ...] = ()
    statements: Mapping[str, SeedStatement] = field(default_factory=dict)
    references: References = field(default_factory=lambda: References({}, {}, {}))
    site: SiteVersion | None = None
    agent_classes: Mapping[str, frozenset[str]] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        names = {name for agent in self.agents.values() for name in agent.classes}
        classes = {
            name: frozenset(agent.id for agent in self.agents.values() if name in agent.classes)
            for name in names
        }
        object.__setattr__(self, "agent_classes", classes)

    @property
    def default_set(self) -> CriteriaSet:
        """The criteria set that decides RELAPSE."""
        return self.criteria_sets[0]

    def number(self, key: ThresholdName) -> Decimal:
        """The value of a threshold."""
        return self.thresholds[key].value

    def whole(self, key: ThresholdName) -> int:
        """The value of a threshold in days, months or years."""
        return self.thresholds[key].whole

    def agents_of(self, name: str) -> frozenset[str]:
        """The ids of all agents of a class, for example ``cd19-directed``."""
        return self.agent_classes.get(name, frozenset())
