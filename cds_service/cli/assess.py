"""``relapse-cds assess``: the assessment and the cards of one chart on disk."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from cds_service.cli.chart_files import Chart, read_chart
from cds_service.cli.configured import knowledge_for, moment
from cds_service.cli.faults import FAILED, Unusable
from cds_service.settings.model import Settings


def add_parser(subparsers: Any) -> None:
    """``assess FILE [--at ISO] [--criteria-set ID] [--repopulation READING] [--json]``."""
    parser = subparsers.add_parser(
        "assess",
        help="assess one chart: a FHIR Bundle, a folder of resources, or a hook request",
        description="Assesses one chart and prints the status, each criterion with its evidence, the "
        "timing, what is missing, and the cards. Needs no configuration and contacts nobody.",
    )
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="Bundle, folder of .json resources, or hook request body"
    )
    parser.add_argument("--at", metavar="ISO", help="the moment of evaluation (default: now); a date is UTC")
    parser.add_argument(
        "--criteria-set", metavar="ID", default="", help="the criteria set that decides (default: seed-000)"
    )
    parser.add_argument(
        "--repopulation",
        metavar="READING",
        default="",
        help="criterion B read as: rise, above-five or two-above-25 (default: rise)",
    )
    parser.add_argument("--json", action="store_true", help="print the assessment and its cards as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Assess and print."""
    from cds_service.cards import build_cards, cards_as_text
    from cds_service.cli.assessment_text import assessment_as_text, names_in
    from fhir_mappings.assess import as_json, told

    settings = Settings.embedded(criteria_set=args.criteria_set, repopulation=args.repopulation)
    at = moment(args.at)
    chart = read_chart(args.file)
    knowledge = knowledge_for(settings)
    assessment, missing = _assess(chart, at, settings, knowledge, args.file)
    cards = build_cards(assessment, knowledge, max_cards=settings.max_cards, explain=True)
    found = as_json(assessment, told(assessment, knowledge))
    if args.json:
        sys.stdout.write(json.dumps({**found, "cards": cards}, indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(assessment_as_text(found, names_in(knowledge)))
        sys.stdout.write(f"\n{cards_as_text(cards)}\n" if cards else "\nNo cards.\n")
    if missing:
        sys.stderr.write(f"relapse-cds: incomplete, a service would answer 412: {missing}\n")
        return FAILED
    return 0


def _assess(chart: Chart, at: datetime, settings: Settings, knowledge: Any, file: Path) -> tuple[Any, str]:
    from fhir_mappings.assess import ForeignResource, NoPatient, assess

    if chart.request:
        return _answer(chart.request, at, settings, knowledge, file)
    try:
        return assess([*chart.entries, *chart.unreadable], at, knowledge), ""
    except NoPatient as fault:
        raise Unusable(f"{file}: {fault}; give the data of one patient") from None
    except ForeignResource as foreign:
        raise Unusable(f"{file}: a {foreign.resource_type} belongs to another patient") from None


def _answer(body: bytes, at: datetime, settings: Settings, knowledge: Any, file: Path) -> tuple[Any, str]:
    """The assessment of a hook request from its prefetch alone, and what kept it from being complete."""
    from cds_service.cli.hook_body import evaluate_body
    from cds_service.evaluation.evaluator import check_complete
    from cds_service.http.problem import Refusal

    evaluation = evaluate_body(body, at, settings, knowledge, file)
    try:
        check_complete(evaluation)
    except Refusal as refusal:
        return evaluation.assessment, refusal.diagnostics
    return evaluation.assessment, ""
