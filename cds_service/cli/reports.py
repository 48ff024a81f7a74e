"""``relapse-cds reports``: what is read in written reports, and why the rest is not."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from cds_service.cards.text import clean
from cds_service.cli.configured import knowledge_for, moment
from cds_service.cli.faults import Unusable
from cds_service.settings.model import Settings

_TYPES = {
    ".txt": "text/plain",
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "application/xhtml+xml",
    ".rtf": "application/rtf",
    ".pdf": "application/pdf",
}
AREAS = ("marrow", "blood", "csf", "testis", "residual", "genetics")
_CONTEXT = 60


def add_parser(subparsers: Any) -> None:
    """``reports FILE... | --text TEXT [--about AREA] [--concept ID] [--date DATE] [--json]``."""
    parser = subparsers.add_parser(
        "reports",
        help="show what is read in written reports, and why not",
        description="Reads the text of reports as a call would and prints each result that was found: its "
        "words, its figures, how far they are trusted and the words that decided it. A file is plain text, "
        "HTML, RTF, a PDF with a text layer, or a chart (.json) whose reports are read. Contacts nobody.",
    )
    parser.add_argument(
        "file", type=Path, nargs="*", metavar="FILE", help="a report, or a chart as FHIR JSON"
    )
    parser.add_argument("--text", metavar="TEXT", help="a sentence or report instead of a file")
    parser.add_argument(
        "--about", choices=AREAS, default="marrow", help="what the report is of (default: marrow)"
    )
    parser.add_argument("--concept", metavar="ID", default="", help="the result whose value the text is")
    parser.add_argument("--date", metavar="DATE", help="when the sample was taken, for dates in the text")
    parser.add_argument("--at", metavar="ISO", help="the moment of evaluation of a chart (default: now)")
    parser.add_argument("--json", action="store_true", help="print the reports as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read and print."""
    from fhir_mappings.assess import report_as_json

    if bool(args.file) == (args.text is not None):
        raise Unusable("reports: name files, or give one text with --text")
    found = [report_as_json(report) for report in _reports(args)]
    if args.json:
        sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    else:
        for report in found:
            sys.stdout.write("\n".join(_lines(report)) + "\n")
    return 0


def _reports(args: argparse.Namespace) -> Iterator[Any]:
    from fhir_mappings.assess import About, Moment, describe_text

    knowledge = knowledge_for(Settings.embedded())
    if args.concept and args.concept not in knowledge.vocabulary.result_concepts:
        raise Unusable(f"--concept: no such result concept: {args.concept}")
    about = About(args.about, args.concept, Moment.on(_day(args.date)) if args.date else None)
    if args.text is not None:
        yield describe_text(args.text.encode(), "text/plain; charset=utf-8", about, knowledge)
    for path in args.file:
        if path.suffix.lower() == ".json":
            yield from _of_chart(path, args, knowledge)
        else:
            yield describe_text(_bytes(path), _TYPES.get(path.suffix.lower(), ""), about, knowledge)


def _of_chart(path: Path, args: argparse.Namespace, knowledge: Any) -> Iterator[Any]:
    from cds_service.cli.chart_files import read_chart
    from fhir_mappings.assess import ForeignResource, NoPatient, assess

    chart = read_chart(path)
    try:
        found = assess([*chart.entries, *chart.unreadable], moment(args.at), knowledge)
    except (NoPatient, ForeignResource) as fault:
        raise Unusable(f"{path}: {fault}") from None
    yield from found.reports


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Unusable("--date: write a day as 2026-11-27") from None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror or 'cannot be read'}") from None


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    where = " ".join(part for part in (report.get("resource", ""), report.get("element", "")) if part)
    why = f" ({report['why']})" if report.get("why") else ""
    yield clean(f"{where}: {report['kind']}, {report.get('date', 'no date')}: {report['state']}{why}")
    for finding in report.get("findings", ()):
        before, after = finding.get("before", "")[-_CONTEXT:], finding.get("after", "")[:_CONTEXT]
        yield "  " + clean(f"{finding['certainty']} {finding.get('concept') or '-'} {_value(finding)}")
        yield "            " + clean(f"…{_flat(before)}[{_flat(finding['quote'])}]{_flat(after)}…")
        if finding.get("reason") or finding.get("cue"):
            yield "            " + clean(
                f"because: {finding.get('reason', '')} “{_flat(finding.get('cue', ''))}”"
            )


def _value(finding: Mapping[str, Any]) -> str:
    low, high = finding.get("low"), finding.get("high")
    if low is None and high is None:
        return f"{finding.get('presence', '')} -> {finding['effect']}"
    if low == high:
        shown = f"{low}"
    elif low is None:
        shown = f"{'<' if finding.get('open') == 'high' else '<='}{high}"
    elif high is None:
        shown = f"{'>' if finding.get('open') == 'low' else '>='}{low}"
    else:
        shown = f"{low} to {high}"
    return f"{shown} {finding.get('unit', '')} -> {finding['effect']}"


def _flat(text: str) -> str:
    return text.replace("\n", " ⏎ ").replace("\t", " | ")
