"""``docs/clinical/rules/``: one page a rule, which is what a clinician reads and signs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cds_service.documents.case_cards import cards_of
from cds_service.documents.markdown_tables import cell, table
from fhir_mappings.assess import Knowledge, content_of, load_knowledge
from fhir_mappings.knowledge.review.content import (
    CaseRecord,
    Reviewable,
    Rule,
    conventions_text,
    read_case_records,
    table_of,
)

_NAMES = {
    "seed_003": "timing 003",
    "seed_003_months": "months 003",
    "seed_000": "timing 000",
    "seed_000_months": "months 000",
    "cr1_over_18_months": "first remission over 18 months",
    "met": "met",
    "not_met": "not met",
    "unknown": "open",
    "consensus": "also met by",
    "no_consensus": "not met by",
    "never": "never offered",
    "quiet": "nothing to show",
    "unsaid": "does not say",
    "absent": "absent",
}
_SIGNED = "sentences and cases on this page are what is signed"


@dataclass(frozen=True, slots=True)
class Book:
    """Everything that pages are made of. ``conventions`` is empty where no cases are at hand."""

    knowledge: Knowledge
    content: Reviewable
    cases: Mapping[str, CaseRecord]
    conventions: str


def book_of(directory: Path, cases: Path | None, overlay: Path | None = None) -> Book:
    """Raises KnowledgeError for knowledge that cannot be used, OSError or ValueError for cases."""
    return Book(
        load_knowledge(directory, overlay),
        content_of(directory, cases, overlay),
        read_case_records(cases) if cases is not None else {},
        conventions_text(cases) if cases is not None else "",
    )


def rule_pages(root: Path) -> Mapping[str, str]:
    """Every page by the name of its file."""
    book = book_of(root / "fhir_mappings/knowledge/relapsed_all", root / "tests/clinical/relapsed_all")
    return {page_name(rule): rule_page(rule, book) for rule in book.content.rules}


def page_name(rule: Rule) -> str:
    """The file of a rule's page."""
    return f"{rule.id.lower()}.md"


def rule_page(rule: Rule, book: Book) -> str:
    """The page of one rule in Markdown."""
    review = book.content.review(rule)
    parts = [
        f"# {rule.title}\n\n`{rule.id}`: {review.state}, {review.why}. Words, numbers, {_SIGNED}.\n\n",
        "".join(f"> {cell(line)}\n>\n" for line in rule.guideline).removesuffix(">\n") + "\n",
        *_numbers(rule),
        *_decisions(rule, book),
        *_sentences(rule),
        *_card(rule, book),
        *_open(rule, book),
    ]
    return "".join(parts).rstrip() + "\n"


def _numbers(rule: Rule) -> Iterator[str]:
    lines = [line for line in rule.data if not line.startswith("words ")]
    if lines:
        yield "## Numbers\n\n"
        yield "".join(f"* {_named(line)}\n" for line in lines) + "\n"


def _sentences(rule: Rule) -> Iterator[str]:
    lines = [line.removeprefix("words ") for line in rule.data if line.startswith("words ")]
    if lines:
        yield "## Sentences\n\n"
        yield "".join(f"* {_named(line)}\n" for line in lines) + "\n"


def _named(line: str) -> str:
    """A line of the rule's data: what it is, in code, and what it says."""
    key, _, text = line.partition(": ")
    return f"`{key}`: {cell(text).replace(' UNCONFIRMED', ' **not confirmed**')}"


def _decisions(rule: Rule, book: Book) -> Iterator[str]:
    found = [book.cases[case] for case in rule.home if case in book.cases]
    if not found:
        return
    yield "## Decision table\n\n"
    shared = {str(case.asked.get("common", "")) for case in found} - {""}
    for text in sorted(shared):
        yield f"On record in cases of this table: {cell(_on_record(text))}.\n\n"
    yield table(("Case", "What it shows", "On record", "Right answer"), (_row(case) for case in found))


def _row(case: CaseRecord) -> tuple[str, str, str, str]:
    asked = case.asked
    person: Mapping[str, Any] = asked.get("patient", {})
    who = f"{person.get('sex')}, born {person.get('born')}, index {asked.get('index')}"
    if "at" in asked:
        who += f", asked {asked['at']}"
    if asked.get("conventions") is False:
        who += ", nothing taken for granted"
    if asked.get("without"):
        who += f", not taken for granted: {', '.join(asked['without'])}"
    if asked.get("criteria_set"):
        who += f", the set {asked['criteria_set']} decides"
    record = [_on_record(str(asked[key])) for key in ("record", "draft_orders") if asked.get(key)]
    return case.id, case.name, "; ".join([who, *record]), expected(case.expect)


def _on_record(text: str) -> str:
    rows = table_of(text)[1:]
    return "; ".join(" ".join(part for part in row if part) for row in rows)


def expected(expect: Mapping[str, Any]) -> str:
    """What a case expects, in one line."""
    status = [str(expect["status"])] if "status" in expect else []
    rest = [
        f"{_NAMES.get(key, key.replace('_', ' '))}: {_told(value)}"
        for key, value in expect.items()
        if key != "status"
    ]
    return "; ".join([*status, *rest])


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_told(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _card(rule: Rule, book: Book) -> Iterator[str]:
    """The first card that shows one of the rule's sentences, or the first of its first case with cards."""
    for case in (book.cases[one] for one in (*rule.home, *rule.cases) if one in book.cases):
        cards = cards_of(case, book.conventions, book.knowledge)
        if cards:
            card = _showing(cards, rule)
            yield f"## A card\n\nCase `{case.id}`:\n\n> **{cell(card['summary'])}**\n"
            for line in filter(None, _without_end(card.get("detail", "").splitlines())):
                yield f"> {line}\n"
            yield "\n"
            return


def _showing(cards: list[dict[str, Any]], rule: Rule) -> dict[str, Any]:
    texts = [line.partition(": ")[2].partition("{")[0].strip() for line in rule.data]
    long = [text for text in texts if len(text) > 15]
    for card in cards:
        if any(text in card["summary"] or text in card.get("detail", "") for text in long):
            return card
    return cards[0]


def _without_end(lines: Iterable[str]) -> Iterator[str]:
    """The detail without the lines that end every card."""
    for line in lines:
        if line.strip() == "---":
            return
        yield line


def _open(rule: Rule, book: Book) -> Iterator[str]:
    unconfirmed = [line.partition(": ")[0] for line in rule.data if line.endswith(" UNCONFIRMED")]
    also = len(set(rule.cases) - set(rule.home))
    yield "## What it leaves open\n\n"
    gaps = [line for line in rule.data if line.startswith("words gap.")]
    if gaps:
        yield f"* Asks for what is missing in {len(gaps)} sentences whose keys begin with `gap.`.\n"
    if unconfirmed:
        named = ", ".join(f"`{key.removeprefix('words ').removeprefix('threshold ')}`" for key in unconfirmed)
        yield f"* Rests on no source that was read: {named}.\n"
    yield f"* Cases with another home that touch it: {also}.\n"
    changed = [one for one in book.knowledge.site.changes] if book.knowledge.site is not None else []
    shown = [one for one in changed if any(one.key.rpartition(".")[2] in line for line in rule.data)]
    for one in shown:
        yield f"* Changed by the site: `{one.key}` from {cell(one.was)} to {cell(one.value)}, {one.on}, "
        yield f"{cell(one.name)}: {cell(one.reason)}\n"
    yield "* Where sources leave a choice: [decisions](../decisions.md). All rules: [rules](../rules.md).\n"
