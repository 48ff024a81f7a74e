"""The detail of a brief card: the deciding results, what must be said, and the one closing line.

What is said at all, in which words and in which order, is data: rank, brief words and shared line of a
sentence in the knowledge. Rank 0 is never left out; of the rest, what does not fit the budget goes, the
least important first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cds_service.cards.card_profiles import ClientProfile
from cds_service.cards.content import CardKnowledge
from cds_service.cards.deciding_table import as_lines, as_table, rows_of
from cds_service.cards.markdown import bullet, escape
from cds_service.cards.rendering import brief_markdown, brief_text
from cds_service.cards.study_table import study_table
from cds_service.cards.topics import CardPlan
from fhir_mappings.assess import Assessment, Statement, filled

FINDING_WORDS, OTHER_WORDS = 110, 80
"""Most words of a detail, by white space, table rows included."""

_OF_A_KIND = 2
_OPEN = 3
_NOT_SEEN = 4


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a card; rank 0 outranks every budget."""

    rank: int
    text: str


def brief_detail(
    plan: CardPlan, assessment: Assessment, knowledge: CardKnowledge, client: ClientProfile, closing: str
) -> str:
    """The whole detail as GitHub-flavoured Markdown."""
    wording = plan.topic.wording.lines
    table, lines = "", list(_lines(plan, assessment, knowledge))
    if plan.topic.complete:
        rows = rows_of(assessment, knowledge.criteria_sets)
        if client.detail_limit:
            lines = [*(Line(1, text) for text in as_lines(rows)), *lines]
        else:
            table = as_table(rows, wording)
    studies, left = study_table(_shown(plan), knowledge.words, wording)
    table = table or studies
    if left:
        lines.insert(0, Line(1, filled(wording["more-studies"], {"count": str(left)})))
    words = FINDING_WORDS if plan.topic.complete else OTHER_WORDS
    while True:
        detail = "\n\n".join(filter(None, (table, "\n".join(bullet(one.text) for one in lines), closing)))
        least = max((one.rank for one in lines), default=0)
        if fits(detail, words, client.detail_limit) or least == 0:
            return detail
        lines.remove(next(one for one in reversed(lines) if one.rank == least))


def fits(detail: str, words: int, characters: int) -> bool:
    """Whether a detail keeps within its budget; no ``characters``: no such limit."""
    return len(detail.split()) <= words and (not characters or len(detail) <= characters)


def _shown(plan: CardPlan) -> list[Statement]:
    return [one for section in plan.sections for one in section.statements if one.on_card]


def _lines(plan: CardPlan, assessment: Assessment, knowledge: CardKnowledge) -> Iterator[Line]:
    """What must be said first, then by rank, then the topics that have no card of their own."""
    ranked = [one for one in _shown(plan) if knowledge.words[one.words].rank is not None]
    lines = [*_single(ranked, plan, knowledge), *_shared(ranked, plan, knowledge)]
    if plan.topic.complete or plan.topic.joins:
        lines += _not_seen(assessment, plan)
    lines.sort(key=lambda line: line.rank)
    must = [line for line in lines if line.rank == 0]
    yield from must
    yield from [line for line in lines if line.rank][: plan.topic.lines]
    for merged in plan.merged:
        if merged.headline is not None:
            yield Line(0, escape(brief_text(merged.headline, knowledge.words)))


def _single(statements: Iterable[Statement], plan: CardPlan, knowledge: CardKnowledge) -> Iterator[Line]:
    """Sentences with a line of their own; of one doubt two at most, and how many more there are."""
    wording = plan.topic.wording.lines
    unconfirmed, seen = wording["unconfirmed"], Counter[str]()
    for one in statements:
        words = knowledge.words[one.words]
        if words.line:
            continue
        seen[one.words] += 1
        if words.rank or seen[one.words] <= _OF_A_KIND:
            yield Line(words.rank or 0, brief_markdown(one, knowledge.words, unconfirmed))
    for key, count in seen.items():
        if not knowledge.words[key].rank and count > _OF_A_KIND:
            yield Line(0, filled(wording["more-of-a-kind"], {"count": str(count - _OF_A_KIND)}))


def _shared(statements: Iterable[Statement], plan: CardPlan, knowledge: CardKnowledge) -> Iterator[Line]:
    """The lines that several sentences share, each by rank."""
    wording = plan.topic.wording.lines
    parts: dict[str, list[Line]] = {}
    for one in statements:
        words = knowledge.words[one.words]
        if words.line and words.line != "study":
            text = brief_markdown(one, knowledge.words, wording["unconfirmed"])
            parts.setdefault(words.line, []).append(Line(words.rank or 0, text))
    for name, items in parts.items():
        items.sort(key=lambda line: line.rank)
        kept = items[:_OPEN] if name == "open" else items
        joined = "; ".join(dict.fromkeys(line.text for line in kept))
        rank = 0 if name == "open" else items[0].rank
        yield Line(rank, filled(wording[f"line-{name}"], {"items": joined}))


def _not_seen(assessment: Assessment, plan: CardPlan) -> Iterator[Line]:
    """The data that were not looked at; absence of a result says nothing there."""
    names = list(dict.fromkeys(item.what for item in assessment.not_evaluated if item.need))
    if names:
        left = len(names) - _NOT_SEEN
        shown = [escape(name) for name in names[:_NOT_SEEN]] + ([f"{left} more"] if left > 0 else [])
        yield Line(0, filled(plan.topic.wording.lines["not-seen"], {"items": ", ".join(shown)}))
