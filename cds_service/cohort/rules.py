"""By which rules many charts are read: the knowledge, the site's codes, and how its cards are shaped.

``RulesSource`` is a small value that every process is handed; ``load`` makes the rules of it, once each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from cds_service.evaluation.site_knowledge import knowledge_in_use
from cds_service.settings.model import NO_TENANT, Settings, Tenant
from fhir_mappings.assess import Availability, Knowledge, NeedState, Opening, ReportPolicy, opening

SEEN = NeedState(Availability.PRESENT)
UNASKED = NeedState(Availability.UNKNOWN, "not-supplied")


@dataclass(frozen=True, slots=True)
class RulesSource:
    """Where the rules come from. ``tenant`` is the site whose export it is."""

    knowledge_dir: str = ""
    knowledge_overlay: str = ""
    criteria_set: str = ""
    repopulation: str = ""
    tenant: str = NO_TENANT
    local_codes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    bases: tuple[str, ...] = ()
    profile: str = "strict"
    timezone: str = "UTC"
    max_cards: int = 4
    report_text: str = "read"
    report_reader: str = ""
    documents: bool = False

    @classmethod
    def of(cls, settings: Settings, tenant: Tenant | None, bases: tuple[str, ...] = ()) -> RulesSource:
        """The rules that a hook call of that tenant would be answered by."""
        chosen = cls(
            knowledge_dir=str(settings.knowledge_dir or ""),
            knowledge_overlay=str(settings.knowledge_overlay or ""),
            criteria_set=settings.criteria_set,
            repopulation=settings.repopulation,
            bases=bases,
            max_cards=settings.max_cards,
        )
        if tenant is None:
            return chosen
        return replace(
            chosen,
            tenant=tenant.id,
            local_codes=tuple(sorted((concept, tuple(codes)) for concept, codes in tenant.codes.items())),
            bases=tuple(dict.fromkeys((*tenant.fhir_servers, *bases))),
            profile=tenant.profile,
            timezone=tenant.timezone,
            report_text=tenant.report_text,
            report_reader=tenant.report_reader,
            documents=tenant.documents,
        )

    @property
    def digest(self) -> str:
        """A digest of everything here but the content of a knowledge directory."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]

    def load(self) -> Rules:
        """The rules. Raises KnowledgeError for knowledge that cannot be used."""
        return _loaded(self)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the three steps ask. Not shared between threads (``opening`` remembers)."""

    source: RulesSource
    knowledge: Knowledge
    opening: Opening
    states: Mapping[str, NeedState]
    owned_types: frozenset[str]
    """The types that the rules read and that always belong to a patient."""
    need_of: Mapping[str, str]
    """The need that each result concept belongs to."""
    need_of_type: Mapping[str, str]
    """The need that every resource of a type belongs to, for types that no code narrows."""

    reports: ReportPolicy
    unasked_types: frozenset[str]
    """Types that a call of this site would not ask for, so that they are not looked at."""

    @property
    def local_codes(self) -> dict[str, tuple[str, ...]]:
        """The site's codes by concept."""
        return dict(self.source.local_codes)

    @property
    def bases(self) -> tuple[str, ...]:
        """The base URLs at which the patients of the export are these patients."""
        return self.source.bases

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the site's days."""
        return ZoneInfo(self.source.timezone)

    def with_types(self, types: Collection[str]) -> Rules:
        """The rules for an export that holds these resource types: a need of any other was not asked for.

        An export names only what it holds, so that a type without a single resource may have been left out
        when it was ordered. It is unknown, like a prefetch key that was not sent.
        """
        states = {need.key: SEEN if need.resource_type in types else UNASKED for need in self.knowledge.needs}
        return replace(self, states=states)


def _policy(source: RulesSource) -> ReportPolicy:
    values = {"report_text": source.report_text, "report_reader": source.report_reader}
    if not source.report_reader:
        return ReportPolicy(source.report_text)  # type: ignore[arg-type]
    # A site's own reader is found by the service's part that also fetches reports: slow to import.
    from cds_service.evaluation.report_reading import policy_of

    return policy_of(Tenant.model_validate({"id": "cohort", **values}))


def _unasked(source: RulesSource) -> Iterator[str]:
    if source.report_text == "off":
        yield "DiagnosticReport"
    if source.report_text == "off" or not source.documents:
        yield "DocumentReference"


@lru_cache(maxsize=4)
def _loaded(source: RulesSource) -> Rules:
    settings = Settings.embedded(
        knowledge_dir=Path(source.knowledge_dir) if source.knowledge_dir else None,
        knowledge_overlay=Path(source.knowledge_overlay) if source.knowledge_overlay else None,
        criteria_set=source.criteria_set,
        repopulation=source.repopulation,
    )
    knowledge = knowledge_in_use(settings)
    concepts = knowledge.vocabulary.result_concepts
    return Rules(
        source=source,
        knowledge=knowledge,
        opening=opening(knowledge, dict(source.local_codes)),
        states={need.key: SEEN for need in knowledge.needs},
        owned_types=frozenset(need.resource_type for need in knowledge.needs) - {"Patient"},
        need_of={name: concept.need for name, concept in concepts.items()},
        reports=_policy(source),
        unasked_types=frozenset(_unasked(source)),
        need_of_type={need.resource_type: need.key for need in knowledge.needs if not need.coded},
    )
