"""The knowledge this installation decides by: loaded, tested, and read as the site chose."""

from __future__ import annotations

from cds_service.hooks import HOOKS
from cds_service.settings.loading import KnownNames
from cds_service.settings.model import Settings
from fhir_mappings.assess import Knowledge, choose, load_knowledge, self_test


def knowledge_in_use(settings: Settings) -> Knowledge:
    """Raises KnowledgeError for files that cannot be used, wrong golden cases or a choice nobody knows."""
    knowledge = load_knowledge(settings.knowledge_dir)
    self_test(knowledge)
    return choose(knowledge, settings.criteria_set, settings.repopulation)


def known_names(knowledge: Knowledge) -> KnownNames:
    """What a configuration may name."""
    needs = {need.key for need in knowledge.needs}
    return KnownNames(tuple(HOOKS), knowledge.vocabulary.result_concepts.keys(), needs)
