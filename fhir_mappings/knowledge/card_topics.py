"""What a clinician owns of the cards: topics, fixed sentences, proposals, links and override reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from fhir_mappings.knowledge.card_agreement import disagreements
from fhir_mappings.knowledge.card_file import (
    CardFile,
    LineEntry,
    LinkEntry,
    OverrideReasonEntry,
    SuggestionEntry,
    TopicEntry,
)
from fhir_mappings.knowledge.errors import Fault
from fhir_mappings.knowledge.loader import read_toml

FILE_NAME = "cards.toml"
TOPIC_SYSTEM = "https://relapse-cds.org/CodeSystem/card-topic"
OVERRIDE_REASON_SYSTEM = "https://relapse-cds.org/CodeSystem/override-reason"


@dataclass(frozen=True, slots=True)
class OverrideReason:
    """A reason a clinician can give for setting a card aside.

    ``category`` is a top-level code of the HL7 code system ``non-adherence-reason-codes``, or empty where
    none fits. ``quiet`` says how long the card then stays away: ``snooze`` (the configured days), ``days``
    (``quiet_days``) or ``evidence`` (no limit); new evidence ends it in every case.
    """

    code: str
    display: str
    category: str = ""
    quiet: str = "snooze"
    quiet_days: int = 0
    system: str = OVERRIDE_REASON_SYSTEM


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """A link of a card.

    Exactly one of ``url`` (absolute), ``source`` (a key of the sources) and ``path`` (below our own public
    address) is set; ``type`` is ``absolute`` or ``smart``. ``unless`` names words of an assessment beside
    which the link makes no sense.
    """

    key: str
    label: str
    type: str
    url: str = ""
    source: str = ""
    path: str = ""
    unless: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ProcedureCode:
    """The code of a proposed order."""

    system: str
    code: str
    display: str


@dataclass(frozen=True, slots=True)
class SuggestionKind:
    """One draft order a card can propose, and when it makes sense.

    ``sections``: one of them is in the card. ``only_with`` / ``unless``: words of the assessment one of
    which must, or none of which may, be there. ``only_unknown``: markers one of which must be unknown.
    ``not_lineages``: lineages for which it is pointless. Empty means no condition.
    """

    key: str
    label: str
    description: str
    order: str
    reason: str
    cites: tuple[str, ...]
    code: ProcedureCode | None = None
    sections: frozenset[str] = frozenset()
    only_with: frozenset[str] = frozenset()
    unless: frozenset[str] = frozenset()
    only_unknown: tuple[str, ...] = ()
    not_lineages: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CardWording:
    """Titles of the sections and the fixed sentences of every card, by key.

    ``source_page`` is the path of our own page about the content, for sources that have no address.
    """

    titles: Mapping[str, str]
    lines: Mapping[str, str]
    source_page: str


@dataclass(frozen=True, slots=True)
class CardTopic:
    """One topic a card can have.

    ``rank`` orders the cards. ``joins`` names the topic beside which this one makes no card of its own.
    ``follows`` names the topic whose card, set aside as wrong or not appropriate, takes this one with it.
    ``complete`` cards are shortened for no client. ``lines`` is how many sentences a brief card has beside
    those that no budget drops. ``source`` is a key of the sources.
    """

    code: str
    display: str
    rank: int
    sections: tuple[str, ...]
    source: str
    wording: CardWording
    joins: str = ""
    follows: str = ""
    complete: bool = False
    lines: int = 2
    links: tuple[LinkTarget, ...] = ()
    suggestions: tuple[SuggestionKind, ...] = ()
    override_reasons: tuple[OverrideReason, ...] = ()
    system: str = TOPIC_SYSTEM


def read_card_topics(directory: Path, faults: list[Fault]) -> tuple[CardTopic, ...]:
    """The topics of ``directory/cards.toml`` by rank; where anything is wrong empty, and ``faults`` grows."""
    path = directory / FILE_NAME
    file = read_toml(path, CardFile, faults)
    if file is None:
        return ()
    found = [Fault(str(path), 0, key, problem, remedy) for key, problem, remedy in disagreements(file)]
    faults.extend(found)
    return () if found else _topics(file)


def _topics(file: CardFile) -> tuple[CardTopic, ...]:
    wording = CardWording(MappingProxyType(dict(file.titles)), _lines(file.lines), file.source_page)
    links = {entry.key: _link(entry) for entry in file.links}
    suggestions = {entry.key: _suggestion(entry) for entry in file.suggestions}
    reasons = {entry.code: _reason(entry) for entry in file.override_reasons}
    return tuple(
        _topic(entry, wording, links, suggestions, reasons)
        for entry in sorted(file.topics, key=lambda entry: entry.rank)
    )


def _topic(
    entry: TopicEntry,
    wording: CardWording,
    links: Mapping[str, LinkTarget],
    suggestions: Mapping[str, SuggestionKind],
    reasons: Mapping[str, OverrideReason],
) -> CardTopic:
    return CardTopic(
        code=entry.code,
        display=entry.display,
        rank=entry.rank,
        sections=entry.sections,
        source=entry.source,
        wording=wording,
        joins=entry.joins,
        follows=entry.follows,
        complete=entry.complete,
        lines=entry.lines,
        links=_named(entry.links, links),
        suggestions=_named(entry.suggestions, suggestions),
        override_reasons=_named(entry.override_reasons, reasons),
    )


Part = TypeVar("Part")


def _named(keys: tuple[str, ...], parts: Mapping[str, Part]) -> tuple[Part, ...]:
    return tuple(parts[key] for key in keys)


def _lines(entries: Mapping[str, LineEntry]) -> Mapping[str, str]:
    return MappingProxyType({key: entry.text for key, entry in entries.items()})


def _link(entry: LinkEntry) -> LinkTarget:
    return LinkTarget(
        entry.key, entry.label, entry.type, entry.url, entry.source, entry.path, frozenset(entry.unless)
    )


def _reason(entry: OverrideReasonEntry) -> OverrideReason:
    return OverrideReason(entry.code, entry.display, entry.category, entry.quiet, entry.quiet_days)


def _suggestion(entry: SuggestionEntry) -> SuggestionKind:
    code = entry.code
    return SuggestionKind(
        key=entry.key,
        label=entry.label,
        description=entry.description,
        order=entry.order,
        reason=entry.reason,
        cites=entry.cites,
        code=ProcedureCode(code.system, code.code, code.display) if code else None,
        sections=frozenset(entry.sections),
        only_with=frozenset(entry.only_with),
        unless=frozenset(entry.unless),
        only_unknown=entry.only_unknown,
        not_lineages=frozenset(entry.not_lineages),
    )
