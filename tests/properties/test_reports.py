"""What holds for any report: history adds nothing, its form changes nothing, no text breaks or slows it."""

from __future__ import annotations

import os
import random
import time
import unicodedata
from collections.abc import Callable

import pytest

from fhir_mappings.assess import Knowledge
from fhir_mappings.clinical.written_reports import About, DescribedResult
from fhir_mappings.fhir.attachments import text_of
from fhir_mappings.reports.reading import read_report
from tests.clinical.report_cases import ReportCase, report_cases, value_of

CASES = [case for case in report_cases() if not case.about.concept]
PLAIN = [case for case in CASES if "\n" not in case.text and "\t" not in case.text and "|" not in case.text]
MUTATED = int(os.environ.get("RELAPSE_CDS_MUTATED_REPORTS", "1500"))
"""Mutated reports that are tried; ``make reports-long`` tries a hundred thousand."""


def said(text: str, about: About, knowledge: Knowledge) -> list[tuple[str, str, str, str]]:
    """What is read and used, without where it stands."""
    reading = read_report(text, about, knowledge.report_language)
    return [_plain(one) for one in reading.results if one.is_used]


def _plain(one: DescribedResult) -> tuple[str, str, str, str]:
    quote = unicodedata.normalize("NFKC", one.quote).lower()
    return (one.concept, value_of(one), one.trust.value, " ".join(quote.split()))


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_a_history_section_never_adds_a_finding(case: ReportCase, knowledge: Knowledge) -> None:
    history = (
        "CLINICAL HISTORY\nB-ALL 2021 with 91% blasts, relapse in 2022 (marrow 70% blasts), CNS3. "
        "MRD was 5%. Rule out relapse.\n\nMICROSCOPIC DESCRIPTION\n"
    )
    before = said(case.text, case.about, knowledge)
    after = said(history + case.text, case.about, knowledge)
    assert [one for one in after if one not in before] == []


def _wrapped(text: str) -> str:
    words, lines, width = text.split(" "), [""], 28
    for word in words:
        if len(lines[-1]) + len(word) > width and lines[-1]:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


FORMS: dict[str, Callable[[str], str]] = {
    "upper case": str.upper,
    "lower case": str.lower,
    "wrapped": _wrapped,
    "line ends": lambda text: _wrapped(text).replace("\n", "\r\n"),
    "html": lambda text: (
        text_of(f"<html><body><p>{_marked_up(text)}</p></body></html>".encode(), "text/html").text
    ),
}


def _marked_up(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@pytest.mark.parametrize("form", FORMS)
def test_the_form_of_a_text_changes_nothing(form: str, knowledge: Knowledge) -> None:
    changed = [
        (case.text, before, after)
        for case in PLAIN
        if (before := said(case.text, case.about, knowledge))
        != (after := said(FORMS[form](case.text), case.about, knowledge))
    ]
    assert changed == []


_PIECES = (
    "%",
    "blasts",
    "no ",
    "not ",
    "\n",
    "\n\n",
    "(",
    ")",
    ";",
    "0-5",
    "<",
    "10-4",
    "1/2",
    "relapse",
    "\x00",
    "é",
    "\U0001d539",
    "|",
    "\t",
    ".",
    ",",
)


def _mutated(source: random.Random, text: str) -> str:
    for _ in range(source.randint(1, 6)):
        place = source.randint(0, len(text))
        kind = source.random()
        if kind < 0.4:
            text = text[:place] + source.choice(_PIECES) + text[place:]
        elif kind < 0.7:
            text = text[:place] + text[place + source.randint(1, 9) :]
        elif kind < 0.9:
            text = text[:place] + chr(source.randint(1, 0x2FFF)) + text[place:]
        else:
            text = text * 2
    return text[:4000]


def test_no_mutated_report_raises_and_every_quotation_is_verbatim(knowledge: Knowledge) -> None:
    source = random.Random(20261201)
    for _ in range(MUTATED):
        case = source.choice(CASES)
        text = _mutated(source, case.text)
        for one in read_report(text, case.about, knowledge.report_language).results:
            assert text[one.start : one.end] == one.quote


HOSTILE = {
    "spaces": lambda n: "blasts" + " " * n + "62",
    "digits": lambda n: "blasts " + "1" * n,
    "commas": lambda n: "blasts 1" + ",111" * (n // 4),
    "comparators": lambda n: "blasts " + "< " * (n // 2),
    "words": lambda n: "12 " + "aaaa " * (n // 5) + "per million",
    "no": lambda n: "no " * (n // 3) + "blasts",
    "dots": lambda n: "blasts " + ". " * (n // 2) + "12 %",
    "brackets": lambda n: "blasts " + "(" * n,
    "subjects": lambda n: "blasts " * (n // 7),
    "figures": lambda n: "blasts 12 % " * (n // 12),
    "rows": lambda n: "Blasts   12 %\n" * (n // 14),
    "dates": lambda n: "2023-11-15 " * (n // 11) + "blasts",
    "sensitivity": lambda n: "10" + " " * n + "-" + " " * n,
}


@pytest.mark.parametrize("line", HOSTILE)
def test_a_hostile_line_costs_no_more_than_its_length(line: str, knowledge: Knowledge) -> None:
    def cost(length: int) -> float:
        text = HOSTILE[line](length)
        begun = time.process_time()
        read_report(text, About("marrow"), knowledge.report_language)
        return time.process_time() - begun

    cost(2_000)
    short = min(cost(20_000) for _ in range(3))
    long = min(cost(80_000) for _ in range(2))
    # Four times the length; a quadratic reader would take sixteen times as long.
    assert long < 9 * short + 0.05
