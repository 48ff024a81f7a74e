"""Who has read and approved a rule, and whether it is still what was approved."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from fhir_mappings.knowledge.digests import text_digest
from fhir_mappings.knowledge.errors import Fault
from fhir_mappings.knowledge.loader import KnowledgeFile, read_toml
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.knowledge.review.case_records import cases_beside, conventions_canonical, read_case_records
from fhir_mappings.knowledge.review.rule_sources import sources_of
from fhir_mappings.knowledge.review.rules import Rule, RuleCode, rules_of

FILE_NAME = "reviews.toml"
DRAFT, APPROVED = "draft", "approved"
_HEADER = """\
# Who read and approved which rule, written by `relapse-cds knowledge sign`. A rule is a draft until it is
# signed, and again as soon as its page is another: page_digest covers its words, numbers and sentences,
# cases_digest the cases whose home it is. An installed package holds no cases; there page_digest alone
# decides. code_digest covers the code behind it: where it differs the status notes it, and nothing more.
"""
_Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class ReviewEntry(KnowledgeFile):
    """One ``[[review]]``."""

    rule: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+$")]
    reviewer: Annotated[str, StringConstraints(min_length=2, max_length=100, pattern=r"^[^\x00-\x1f]+$")]
    date: date
    page_digest: _Digest
    cases_digest: _Digest
    code_digest: _Digest


class ReviewsFile(KnowledgeFile):
    """``reviews.toml``."""

    review: tuple[ReviewEntry, ...] = Field(default=())


@dataclass(frozen=True, slots=True)
class RuleReview:
    """Where one rule stands: ``state`` and why, in words."""

    rule: Rule
    state: Literal["draft", "approved"]
    why: str


@dataclass(frozen=True, slots=True)
class Reviewable:
    """The rules of a knowledge directory and what was signed; without cases ``conventions`` is None."""

    rules: tuple[Rule, ...]
    entries: Mapping[str, ReviewEntry]
    canonical_cases: Mapping[str, str]
    conventions: str | None

    def rule(self, rule_id: str) -> Rule | None:
        """The rule of that id."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    def cases_digest(self, rule: Rule) -> str:
        """A digest of the cases whose home the rule is, and of what every case takes for granted."""
        return text_digest([self.conventions or "", *(self.canonical_cases[case] for case in rule.home)])

    def review(self, rule: Rule) -> RuleReview:
        """Whether the rule is approved, and why or why not."""
        entry = self.entries.get(rule.id)
        if entry is None:
            return RuleReview(rule, "draft", "not signed")
        signed = f"{entry.reviewer}, {entry.date.isoformat()}"
        if entry.page_digest != page_digest(rule):
            return RuleReview(rule, "draft", f"words or numbers changed since it was signed ({signed})")
        if self.conventions is not None and entry.cases_digest != self.cases_digest(rule):
            return RuleReview(rule, "draft", f"cases changed since it was signed ({signed})")
        notes = ["cases not at hand, not compared"] if self.conventions is None else []
        if entry.code_digest != code_digest(rule):
            notes.append("code changed since")
        return RuleReview(rule, "approved", "; ".join([signed, *notes]))


def page_digest(rule: Rule) -> str:
    """A digest of what the page of a rule says: title, guideline words, numbers, table rows, sentences."""
    return text_digest([rule.title, *rule.guideline, *rule.data])


def code_digest(rule: Rule) -> str:
    """A digest of the functions of a rule, with everything of this package that they use."""
    return text_digest(f"{name}\n{text}" for name, text in sources_of(rule.functions).items())


def read_reviews(path: Path, faults: list[Fault]) -> Mapping[str, ReviewEntry]:
    """What was signed, by rule; a rule signed twice is a fault."""
    file = read_toml(path, ReviewsFile, faults)
    entries: dict[str, ReviewEntry] = {}
    for entry in file.review if file is not None else ():
        if entry.rule in entries:
            faults.append(Fault(str(path), 0, entry.rule, "signed twice", "keep one entry for each rule"))
        entries[entry.rule] = entry
    return entries


def reviewable(
    knowledge: Knowledge,
    directory: Path,
    entries: Mapping[str, ReviewEntry],
    cases: Path | None,
    code: RuleCode,
) -> Reviewable:
    """Every rule of ``directory``, with the cases of the folder ``cases`` where there is one."""
    records = read_case_records(cases) if cases is not None else {}
    return Reviewable(
        rules_of(knowledge, directory, records, code),
        entries,
        {case.id: case.canonical for case in records.values()},
        conventions_canonical(cases) if cases is not None else None,
    )


def review_state(
    knowledge: Knowledge, directory: Path, entries: Mapping[str, ReviewEntry], code: RuleCode
) -> str:
    """``approved`` only where every rule is; in a checkout its cases are compared too."""
    rules = rules_of(knowledge, directory, {}, code)
    if any(rule.id not in entries for rule in rules):
        return DRAFT
    found = reviewable(knowledge, directory, entries, cases_beside(directory), code)
    return APPROVED if all(found.review(rule).state == APPROVED for rule in found.rules) else DRAFT


def unknown_rules(path: Path, rules: Iterable[Rule], entries: Mapping[str, ReviewEntry]) -> Iterable[Fault]:
    """Signed entries of rules that do not exist."""
    known = {rule.id for rule in rules}
    for rule_id in sorted(entries.keys() - known):
        yield Fault(str(path), 0, rule_id, "no such rule", "remove it, or see `relapse-cds knowledge status`")


def reviews_text(entries: Iterable[ReviewEntry]) -> str:
    """``reviews.toml`` with these entries, sorted by rule."""
    parts = [_HEADER]
    for entry in sorted(entries, key=lambda entry: entry.rule):
        parts.append(
            "\n[[review]]\n"
            f"rule = {json.dumps(entry.rule)}\n"
            f"reviewer = {json.dumps(entry.reviewer, ensure_ascii=False)}\n"
            f"date = {entry.date.isoformat()}\n"
            f"page_digest = {json.dumps(entry.page_digest)}\n"
            f"cases_digest = {json.dumps(entry.cases_digest)}\n"
            f"code_digest = {json.dumps(entry.code_digest)}\n"
        )
    return "".join(parts)
