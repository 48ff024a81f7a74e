"""The clinical cases as small tables: what is on record, and the answer that is right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from cds_service.documents.markdown_tables import cell, table
from fhir_mappings.knowledge.review.content import CaseRecord, conventions_text, read_case_records

_NAMES = {
    "seed_003": "timing by seed 003",
    "seed_003_months": "months by seed 003",
    "seed_000": "timing by seed 000",
    "seed_000_months": "months by seed 000",
    "bfm": "timing by BFM",
    "cr1_over_18_months": "first remission over 18 months",
    "met": "criteria met",
    "not_met": "criteria not met",
    "unknown": "criteria open",
    "consensus": "also met by",
    "no_consensus": "not met by",
    "never": "never offered",
    "quiet": "nothing to show",
    "pack": "usual sections",
    "milder": "below a warning",
    "ignored": "listed as ignored",
    "says": "says",
    "unsaid": "does not say",
    "absent": "sections absent",
}


def cases_chapter(folder: Path) -> Iterator[str]:
    """Every case of the folder, one section for each file."""
    cases = read_case_records(folder)
    yield f"## Cases\n\n{len(cases)} cases. The question is asked at 09:00 of the day "
    yield "after the index day unless "
    yield "another moment is given. `R+` and `P+` stand for the finding with timing, work-up, trial and "
    yield "options.\n\n"
    yield "### Taken for granted\n\nUnless a case says otherwise:\n\n"
    yield "```toml\n" + conventions_text(folder).strip() + "\n```\n\n"
    for name, group in groupby(cases.values(), key=lambda case: case.file):
        found = list(group)
        yield f"### {name.replace('_', ' ').capitalize()}\n\n{_opening(folder / f'{name}.toml')}"
        common = str(found[0].asked.get("common", ""))
        if common:
            yield "On record in every case of this chapter:\n\n" + _record(common)
        for case in found:
            yield from _case(case)


def _opening(path: Path) -> str:
    """The comment at the top of the file."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# "))
    return " ".join(lines) + "\n\n" if lines else ""


def _case(case: CaseRecord) -> Iterator[str]:
    yield f"#### {case.id}\n\n{cell(case.name)}\n\n"
    person: Mapping[str, Any] = case.asked.get("patient", {})
    asked = f"Patient: {person.get('sex')}, born {person.get('born')}. Index day {case.asked.get('index')}."
    if "at" in case.asked:
        asked += f" Asked on {case.asked['at']}."
    if case.asked.get("conventions") is False:
        asked += " Nothing is taken for granted."
    if case.asked.get("criteria_set"):
        asked += f" At a site where the set {case.asked['criteria_set']} decides."
    if case.asked.get("without"):
        asked += f" Not taken for granted: {', '.join(case.asked['without'])}."
    yield asked + "\n\n"
    if case.asked.get("record"):
        yield _record(str(case.asked["record"]))
    if case.asked.get("draft_orders"):
        yield "Draft orders:\n\n" + _record(str(case.asked["draft_orders"]))
    yield table(("Expected", ""), _expected(case.expect))


def _record(text: str) -> str:
    rows = [[part.strip() for part in line.split("|")] for line in text.strip().splitlines()]
    rows = [row for row in rows if set("".join(row)) - set("-+ ")]
    width = len(rows[0])
    return table(rows[0], ((row + [""] * width)[:width] for row in rows[1:]))


def _expected(expect: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in expect.items():
        yield _NAMES.get(key, key.replace("_", " ")), _told(value)


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(f"{key}: {item}" for key, item in value.items())
    if isinstance(value, list):
        return "; ".join(map(str, value)) or "none"
    return str(value)
