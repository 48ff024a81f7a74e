"""The content of the knowledge for those who review it: rules, their text and cases, and who signed what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from fhir_mappings.knowledge.assembly import PACKAGED_KNOWLEDGE
from fhir_mappings.knowledge.review.boundary_tables import table_of as table_of
from fhir_mappings.knowledge.review.case_records import CaseRecord as CaseRecord
from fhir_mappings.knowledge.review.case_records import cases_beside as cases_beside
from fhir_mappings.knowledge.review.case_records import conventions_text as conventions_text
from fhir_mappings.knowledge.review.case_records import read_case_records as read_case_records
from fhir_mappings.knowledge.review.differences import differences as differences
from fhir_mappings.knowledge.review.rules import Rule as Rule
from fhir_mappings.knowledge.review.signatures import (
    FILE_NAME,
    ReviewEntry,
    code_digest,
    page_digest,
    read_reviews,
    reviews_text,
)
from fhir_mappings.knowledge.review.signatures import Reviewable as Reviewable
from fhir_mappings.knowledge.review.signatures import RuleReview as RuleReview

PACKAGED = PACKAGED_KNOWLEDGE


class CasesMissing(Exception):
    """A rule can be signed only where its cases are: in a checkout of the repository."""


def sign(rule: Rule, content: Reviewable, reviewer: str, on: date, directory: Path = PACKAGED) -> Path:
    """Writes that ``reviewer`` approved ``rule`` as it is now; returns the file. Raises CasesMissing."""
    if content.conventions is None:
        raise CasesMissing
    entry = ReviewEntry(
        rule=rule.id,
        reviewer=reviewer,
        date=on,
        page_digest=page_digest(rule),
        cases_digest=content.cases_digest(rule),
        code_digest=code_digest(rule),
    )
    path = directory / FILE_NAME
    others = [other for other in _entries(directory).values() if other.rule != rule.id]
    path.write_text(reviews_text([*others, entry]), encoding="utf-8")
    return path


def _entries(directory: Path) -> Mapping[str, ReviewEntry]:
    return read_reviews(directory / FILE_NAME, [])
