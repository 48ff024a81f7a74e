"""``relapse-cds assess``: the assessment and the cards of charts on disk."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cds_service.cli.chart_files import Chart, read_charts
from cds_service.cli.configured import knowledge_for, moment, site_settings, site_tenant
from cds_service.cli.faults import FAILED, Unusable
from cds_service.settings.model import Settings, Tenant


def add_parser(subparsers: Any) -> None:
    """``assess FILE... [--at ISO] [--config FILE] [--criteria-set ID] [--repopulation READING] [--json]``."""
    parser = subparsers.add_parser(
        "assess",
        help="assess charts: FHIR Bundles, folders of resources, NDJSON, or hook requests",
        description="Assesses charts and prints for each the status, each criterion with its evidence, the "
        "timing, what is missing, and the cards. Each FILE is one chart; NDJSON may hold several patients. "
        "Files may be packed with gzip. Without --config and RELAPSE_CDS_CONFIG it needs no configuration. "
        "Contacts nobody.",
    )
    parser.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="Bundle, folder, NDJSON or hook request body"
    )
    parser.add_argument("--at", metavar="ISO", help="the moment of evaluation (default: now); a date is UTC")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="a site's configuration: its codes, knowledge, criteria"
    )
    parser.add_argument(
        "--tenant", metavar="ID", default="", help="whose local codes count, where several are configured"
    )
    parser.add_argument(
        "--criteria-set", metavar="ID", default="", help="the criteria set that decides (default: seed-000)"
    )
    parser.add_argument(
        "--repopulation",
        metavar="READING",
        default="",
        help="criterion B read as: rise, above-five or two-above-25 (default: rise)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print each assessment and its cards as JSON, several as lines"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Assess and print, one chart after the other."""
    settings = site_settings(args.config)
    chosen = {"criteria_set": args.criteria_set, "repopulation": args.repopulation}
    settings = settings.model_copy(update={key: value for key, value in chosen.items() if value})
    site = _Site(settings, site_tenant(settings, args.tenant), knowledge_for(settings), moment(args.at))
    charts = [(file, chart) for file in args.files for chart in read_charts(file)]
    return max(_print(file, chart, site, args.json, alone=len(charts) == 1) for file, chart in charts)


@dataclass(frozen=True, slots=True)
class _Site:
    """Whose charts they are, and by what they are assessed."""

    settings: Settings
    tenant: Tenant
    knowledge: Any
    at: datetime


def _print(file: Path, chart: Chart, site: _Site, as_lines: bool, *, alone: bool) -> int:
    from cds_service.cards import CardChoices, build_cards, cards_as_text
    from cds_service.cli.assessment_text import assessment_as_text, names_in
    from fhir_mappings.assess import as_json, told

    assessment, missing = _assess(chart, site, file)
    cards = build_cards(assessment, site.knowledge, CardChoices(max_cards=site.settings.max_cards))
    found = as_json(assessment, told(assessment, site.knowledge))
    if as_lines:
        whole = {**found, "cards": cards} if alone else {"file": str(file), **found, "cards": cards}
        sys.stdout.write(json.dumps(whole, indent=2 if alone else None, ensure_ascii=False) + "\n")
    else:
        if not alone:
            sys.stdout.write(f"==== {file}\n")
        sys.stdout.write(assessment_as_text(found, names_in(site.knowledge)))
        sys.stdout.write(f"\n{cards_as_text(cards)}\n" if cards else "\nNo cards.\n")
    if missing:
        sys.stderr.write(f"relapse-cds: {file}: incomplete, a service would answer 412: {missing}\n")
        return FAILED
    return 0


def _assess(chart: Chart, site: _Site, file: Path) -> tuple[Any, str]:
    from fhir_mappings.assess import ForeignResource, Given, NoPatient, assess

    if chart.request:
        return _answer(chart.request, site, file)
    resources: list[Given] = [*chart.entries, *chart.unreadable]
    try:
        return assess(
            resources, site.tenant.local(site.at), site.knowledge, local_codes=site.tenant.codes
        ), ""
    except NoPatient as fault:
        raise Unusable(f"{file}: {fault}; give the data of one patient") from None
    except ForeignResource as foreign:
        raise Unusable(f"{file}: a {foreign.resource_type} belongs to another patient") from None


def _answer(body: bytes, site: _Site, file: Path) -> tuple[Any, str]:
    """The assessment of a hook request from its prefetch alone, and what kept it from being complete."""
    from cds_service.cli.hook_body import evaluate_body
    from cds_service.evaluation.evaluator import check_complete
    from cds_service.http.problem import Refusal

    evaluation = evaluate_body(body, site.at, site.settings, site.knowledge, file)
    try:
        check_complete(evaluation)
    except Refusal as refusal:
        return evaluation.assessment, refusal.diagnostics
    return evaluation.assessment, ""
