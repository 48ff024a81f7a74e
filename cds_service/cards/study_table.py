"""Candidate studies as a table of at most three rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cds_service.cards.markdown import escape
from cds_service.cards.text import shorten
from fhir_mappings.assess import Statement, Words

MOST_STUDIES = 3
_TO_CONFIRM = 2
_ID_CHARACTERS = 30
_FIT = "unknown"
"""The value that names what is not on record of a study's criteria."""


def study_table(
    statements: Iterable[Statement], words: Mapping[str, Words], lines: Mapping[str, str]
) -> tuple[str, int]:
    """The table in GitHub-flavoured Markdown, and how many studies it leaves out; empty without a study."""
    parts = [one for one in statements if words[one.words].line == "study"]
    studies = [one for one in parts if _FIT not in one.values]
    unknown = {one.values["id"]: one.values[_FIT] for one in parts if _FIT in one.values}
    if not studies:
        return "", 0
    head = [lines[key] for key in ("study", "phase", "accrual", "distance", "to-confirm")]
    rows = [_row(one.values, unknown.get(one.values["id"], "")) for one in studies[:MOST_STUDIES]]
    table = [head, ["---"] * len(head), *([escape(cell) for cell in cells] for cells in rows)]
    text = "\n".join(f"| {' | '.join(cells)} |" for cells in table)
    return text, max(0, len(studies) - MOST_STUDIES)


def _row(values: Mapping[str, str], unknown: str) -> list[str]:
    confirm = ", ".join(part.strip() for part in unknown.split(",")[:_TO_CONFIRM]) or "-"
    return [
        shorten(values["id"], _ID_CHARACTERS),
        values["phase"],
        f"{values['status']}, {values['date']}",
        values["distance"],
        confirm,
    ]
