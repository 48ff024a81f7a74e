"""``relapse-cds knowledge``: read a rule, sign it, see which are approved and what changed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cds_service.cli.faults import Unusable
from cds_service.cli.knowledge_diff import run as run_diff

if TYPE_CHECKING:
    from cds_service.documents.rule_pages import Book
    from fhir_mappings.knowledge.review.content import Reviewable, Rule

Read = TypeVar("Read")


def add_parser(subparsers: Any) -> None:
    """``knowledge review|sign|status|diff``."""
    parser = subparsers.add_parser(
        "knowledge",
        help="read, sign and list the clinical rules",
        description="A clinician reads a rule with its numbers, sentences and cases, and signs it. "
        "A later change of any of these returns the rule to draft.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    review = actions.add_parser("review", help="print what a reviewer must read")
    review.add_argument("rule", nargs="?", metavar="RULE", help="id of a rule, as status lists it")
    review.add_argument("--all", action="store_true", help="every rule")
    review.set_defaults(run=_review)
    sign = actions.add_parser("sign", help="record that a reviewer approved a rule as it is now")
    sign.add_argument("rule", metavar="RULE")
    sign.add_argument("--reviewer", required=True, metavar="NAME")
    sign.add_argument("--date", metavar="ISO", help="day of the review (default: today)")
    sign.set_defaults(run=_sign)
    status = actions.add_parser("status", help="list every rule: approved or draft, and why")
    status.set_defaults(run=_status)
    diff = actions.add_parser("diff", help="say in words what changed since another version")
    diff.add_argument("version", metavar="VERSION|DIR", help="a folder of knowledge, or a tag or commit")
    diff.add_argument("--directory", type=Path, metavar="DIR", help="the newer one (default: the packaged)")
    diff.set_defaults(run=run_diff)
    for action in (review, sign, status):
        action.add_argument(
            "--directory", type=Path, metavar="DIR", help="knowledge (default: the packaged one)"
        )
        action.add_argument(
            "--overlay", type=Path, metavar="DIR", help="what a site changes (knowledge_overlay)"
        )
        action.add_argument(
            "--cases", type=Path, metavar="DIR", help="clinical cases (default: the checkout's)"
        )


def _review(args: argparse.Namespace) -> int:
    if bool(args.rule) == args.all:
        raise Unusable("knowledge review: name one RULE, or give --all")
    from cds_service.documents.rule_pages import rule_page

    book = _book(args)
    for rule in book.content.rules if args.all else (_rule(book.content, args.rule),):
        sys.stdout.write(rule_page(rule, book) + "\n")
    return 0


def _sign(args: argparse.Namespace) -> int:
    from fhir_mappings.knowledge.review.content import PACKAGED, CasesMissing, sign

    content = _content(args)
    rule = _rule(content, args.rule)
    folder = args.overlay or args.directory or PACKAGED
    try:
        path = sign(rule, content, _reviewer(args.reviewer), _day(args.date), folder)
    except CasesMissing:
        raise Unusable(
            "knowledge sign: the clinical cases are not here; sign in a checkout, or give --cases"
        ) from None
    except OSError as fault:
        raise Unusable(f"knowledge sign: {fault.filename} cannot be written: {fault.strerror}") from None
    sys.stdout.write(f"{rule.id} is approved; written to {path}\n")
    return 0


def _status(args: argparse.Namespace) -> int:
    content = _content(args)
    reviews = [content.review(rule) for rule in content.rules]
    width = max(len(review.rule.id) for review in reviews)
    for review in reviews:
        sys.stdout.write(f"{review.rule.id:<{width}}  {review.state:<8}  {review.why}\n")
    approved = sum(review.state == "approved" for review in reviews)
    sys.stdout.write(f"\n{approved} of {len(reviews)} rules approved\n")
    if approved < len(reviews):
        sys.stdout.write("The content is a draft: every card says so.\n")
    return 0


def _content(args: argparse.Namespace) -> Reviewable:
    from fhir_mappings.assess import content_of

    return _read(args, content_of)


def _book(args: argparse.Namespace) -> Book:
    from cds_service.documents.rule_pages import book_of

    return _read(args, book_of)


def _read(args: argparse.Namespace, read: Callable[[Path, Path | None, Path | None], Read]) -> Read:
    """What ``read`` makes of the folders that were named. Raises Unusable."""
    from fhir_mappings.assess import KnowledgeError
    from fhir_mappings.knowledge.review.content import PACKAGED, cases_beside

    directory = (args.directory or PACKAGED).resolve()
    try:
        return read(directory, args.cases or cases_beside(directory), args.overlay)
    except KnowledgeError as error:
        sys.stderr.write(f"{error}\n")
        raise Unusable("the knowledge cannot be used; see above") from None
    except (OSError, ValueError):
        raise Unusable("--cases: cannot be read; name the folder of the clinical cases") from None


def _rule(content: Reviewable, rule_id: str) -> Rule:
    rule = content.rule(rule_id)
    if rule is None:
        raise Unusable(f"no rule {rule_id}; `relapse-cds knowledge status` lists them")
    return rule


def _reviewer(name: str) -> str:
    if len(name.strip()) < 2 or len(name) > 100 or not name.isprintable():
        raise Unusable("--reviewer: write the name of a person, 2 to 100 printable characters")
    return name.strip()


def _day(text: str | None) -> date:
    today = datetime.now(UTC).date()
    try:
        day = date.fromisoformat(text) if text else today
    except ValueError:
        raise Unusable("--date: write a day such as 2026-11-30") from None
    if day > today:
        raise Unusable("--date: lies in the future; write the day on which the rule was read")
    return day
