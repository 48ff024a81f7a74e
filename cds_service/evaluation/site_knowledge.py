"""The knowledge this installation decides by: loaded, tested, and read as the site chose."""

from __future__ import annotations

from cds_service.hooks import HOOKS
from cds_service.settings.loading import KnownNames
from cds_service.settings.model import Settings
from fhir_mappings.assess import Knowledge, choose, load_knowledge, self_test


def knowledge_in_use(settings: Settings) -> Knowledge:
    """The golden cases are held against the knowledge as it was packaged, before the site's changes.

    Raises KnowledgeError for files that cannot be used, wrong golden cases or a choice nobody knows.
    """
    packaged = load_knowledge(settings.knowledge_dir)
    self_test(packaged)
    overlay = settings.knowledge_overlay
    knowledge = load_knowledge(settings.knowledge_dir, overlay) if overlay is not None else packaged
    return choose(knowledge, settings.criteria_set, settings.repopulation)


def known_names(knowledge: Knowledge) -> KnownNames:
    """What a configuration may name."""
    needs = {need.key for need in knowledge.needs}
    return KnownNames(tuple(HOOKS), knowledge.vocabulary.result_concepts.keys(), needs)
