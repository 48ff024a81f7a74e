"""The knowledge as it is used: held against the sections that are said, and with the state of its review."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from fhir_mappings.assessing.engine import evaluate_facts
from fhir_mappings.fhir.chart import ChartReader
from fhir_mappings.fhir.values import read_value
from fhir_mappings.knowledge import assembly
from fhir_mappings.knowledge.assembly import PACKAGED_KNOWLEDGE
from fhir_mappings.knowledge.digests import content_digest, shipped_digest
from fhir_mappings.knowledge.errors import Fault, KnowledgeError
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.knowledge.overlay import laid_over
from fhir_mappings.knowledge.relapsed_all.criteria import CRITERIA
from fhir_mappings.knowledge.review.case_records import cases_beside, read_case_records
from fhir_mappings.knowledge.review.rules import RuleCode, rules_of
from fhir_mappings.knowledge.review.signatures import (
    FILE_NAME,
    Reviewable,
    ReviewEntry,
    read_reviews,
    review_state,
    reviewable,
    unknown_rules,
)
from fhir_mappings.relapse.situation import picture_of
from fhir_mappings.reports.reading import read_report
from fhir_mappings.statements import SECTIONS
from fhir_mappings.statements.sentences import filled, phrase
from fhir_mappings.timeline.building import timeline_of

RULE_CODE = RuleCode(
    SECTIONS,
    {
        "reading": ChartReader,
        "values": read_value,
        "reports": read_report,
        "status": evaluate_facts,
        "phrases": phrase,
        "timing": picture_of,
        "timeline": timeline_of,
    },
    filled,
)
"""What the rules of the knowledge stand on above it."""


def load_knowledge(directory: Path | None = None, overlay: Path | None = None) -> Knowledge:
    """The knowledge in ``directory`` (by default the packaged one for ALL) with the state of its review.

    ``overlay`` is a folder with what a site changes. Raises KnowledgeError listing every fault with file,
    line, key and remedy, and for packaged knowledge that was changed where it is installed.
    """
    if directory is None:
        _refuse_altered(PACKAGED_KNOWLEDGE)
    knowledge = _load(directory or PACKAGED_KNOWLEDGE)
    return knowledge if overlay is None else _overlaid(directory or PACKAGED_KNOWLEDGE, overlay)


def _refuse_altered(directory: Path) -> None:
    """Raises KnowledgeError where an installed package no longer holds the knowledge it was built with."""
    shipped = shipped_digest(directory)
    if shipped and shipped != content_digest(directory):
        remedy = "install the package again, and write what differs here into a folder: knowledge_overlay"
        fault = Fault(str(directory), 0, "files", "differ from those that were shipped", remedy)
        raise KnowledgeError([fault])


def _overlaid(directory: Path, overlay: Path) -> Knowledge:
    cases = cases_beside(directory)
    known = read_case_records(cases).keys() if cases is not None else None
    knowledge = laid_over(_load(directory), overlay, known)
    entries = _signed(directory, overlay, knowledge)
    return replace(knowledge, review=review_state(knowledge, directory, entries, RULE_CODE))


def _signed(directory: Path, overlay: Path | None, knowledge: Knowledge) -> Mapping[str, ReviewEntry]:
    """What was signed, a site's signatures before the packaged ones. Raises KnowledgeError."""
    faults: list[Fault] = []
    entries = dict(read_reviews(directory / FILE_NAME, faults))
    if overlay is not None and (overlay / FILE_NAME).exists():
        own = read_reviews(overlay / FILE_NAME, faults)
        faults.extend(unknown_rules(overlay / FILE_NAME, rules_of(knowledge, directory, {}, RULE_CODE), own))
        entries.update(own)
    if faults:
        raise KnowledgeError(faults)
    return entries


@functools.cache
def _load(directory: Path) -> Knowledge:
    knowledge = assembly.load_knowledge(directory)
    faults = list(disagreements(knowledge, directory))
    reviews = read_reviews(directory / FILE_NAME, faults)
    faults.extend(
        unknown_rules(directory / FILE_NAME, rules_of(knowledge, directory, {}, RULE_CODE), reviews)
    )
    if faults:
        raise KnowledgeError(faults)
    return replace(knowledge, review=review_state(knowledge, directory, reviews, RULE_CODE))


def content_of(
    directory: Path = PACKAGED_KNOWLEDGE, cases: Path | None = None, overlay: Path | None = None
) -> Reviewable:
    """Every rule of a knowledge directory with its review. ``cases`` defaults to those of the checkout.

    Raises KnowledgeError for knowledge that cannot be used.
    """
    knowledge = load_knowledge(directory, overlay)
    reviews = _signed(directory, overlay, knowledge)
    return reviewable(knowledge, directory, reviews, cases or cases_beside(directory), RULE_CODE)


def disagreements(knowledge: Knowledge, directory: Path) -> Iterator[Fault]:
    """Sections that the files name and nobody builds, and sections that are built without title and topic."""
    built = {kind.name for kind in SECTIONS}
    decided = {f"criterion-{one.letter}" for one in CRITERIA}
    known = f"use one of: {', '.join(sorted(built))}"
    cards, statements = str(directory / "cards.toml"), str(directory / "statements.toml")
    titled = {name for topic in knowledge.card_topics for name in topic.sections}
    for name in sorted(built - titled):
        yield Fault(cards, 0, "titles", f"section {name} has no title", "add one, and name it in one topic")
    for name in sorted(titled - built):
        yield Fault(cards, 0, f"titles.{name}", "no such section is built", f"remove it, or {known}")
    for one in knowledge.statements.values():
        for rule in one.rule:
            if "." not in rule and rule not in built | decided:
                yield Fault(statements, 0, f"{one.number}.rule", f"no section or criterion {rule}", known)
