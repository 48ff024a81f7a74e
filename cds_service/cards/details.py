"""The detail of a card: its sections as short lists, then what a reader must know about every card."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.cards.card_profiles import ClientProfile
from cds_service.cards.content import CardKnowledge, CardWording
from cds_service.cards.markdown import bullet, escape, heading
from cds_service.cards.rendering import in_markdown
from cds_service.cards.topics import CardPlan
from fhir_mappings.assess import Assessment, Evidence, Section, filled

_DIGEST_CHARACTERS = 12


def detail_of(
    plan: CardPlan, knowledge: CardKnowledge, profile: ClientProfile, closing: Iterable[str]
) -> str:
    """The whole detail as GitHub-flavoured Markdown. ``closing`` are the lines of ``closing_lines``."""
    wording = plan.topic.wording
    sections = plan.all_sections
    whole = len(plan.sections) if plan.topic.complete else 0
    blocks = [
        _block(section, knowledge, wording, len(sections) > 1, 0 if index < whole else profile.statements)
        for index, section in enumerate(sections)
    ]
    ending = [*_rules(plan, knowledge, wording, profile), *closing]
    return "\n\n".join([*filter(None, blocks), "---", "\n".join(map(bullet, ending))])


def closing_lines(assessment: Assessment, wording: CardWording, explain: bool) -> list[str]:
    """The lines that end every card of an assessment, the same for all of them."""
    lines, stamp = wording.lines, assessment.knowledge
    digest = stamp.digest.rpartition(":")[2][:_DIGEST_CHARACTERS]
    review = lines["approved" if stamp.review == "approved" else "draft"]
    found = [filled(review, {"version": escape(stamp.version), "digest": escape(digest)})]
    found.append(_evaluated(assessment, wording))
    records = dict.fromkeys(item.resource for item in _evidence(assessment) if item.resource)
    if explain and records:
        found.append(filled(lines["evidence"], {"items": ", ".join(map(escape, records))}))
    if assessment.not_evaluated:
        items = "; ".join(f"{escape(item.what)} ({escape(item.why)})" for item in assessment.not_evaluated)
        found.append(filled(lines["not-evaluated"], {"items": items}))
    return [*found, lines["doses"], lines["disclaimer"]]


def _block(section: Section, knowledge: CardKnowledge, wording: CardWording, titled: bool, limit: int) -> str:
    unconfirmed = wording.lines["unconfirmed"]
    told = [one for one in section.statements if one.on_card]
    shown = told[:limit] if limit else told
    lines = [bullet(in_markdown(statement, knowledge.words, unconfirmed)) for statement in shown]
    if left := len(told) - len(shown):
        lines.append(bullet(filled(wording.lines["more"], {"count": str(left)})))
    if titled and lines:
        lines.insert(0, heading(wording.titles.get(section.name, section.name)) + "\n")
    return "\n".join(lines)


def _rules(
    plan: CardPlan, knowledge: CardKnowledge, wording: CardWording, profile: ClientProfile
) -> Iterator[str]:
    cites: dict[str, None] = {}
    if profile.rules:
        for section in plan.all_sections:
            for statement in section.statements:
                cites.update(dict.fromkeys(statement.cites or knowledge.words[statement.words].cites))
    if cites:
        yield filled(wording.lines["rules"], {"items": ", ".join(map(escape, cites))})


def _evaluated(assessment: Assessment, wording: CardWording) -> str:
    date = assessment.at.date().isoformat()
    specimen = assessment.latest_specimen or max((item.date for item in _evidence(assessment)), default="")
    if specimen:
        return filled(wording.lines["evaluated"], {"date": date, "specimen": escape(specimen)})
    return filled(wording.lines["evaluated-undated"], {"date": date})


def _evidence(assessment: Assessment) -> Iterator[Evidence]:
    for result in assessment.criteria:
        yield from result.verdict.because
    yield from assessment.beside
