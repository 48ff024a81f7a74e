"""How well and how fast written reports are read: ``python -m benchmarks.report_reading``.

Prints over the cases of ``tests/clinical/relapsed_all/reports``: quotations, figures, effects, what was
read although nothing was to be read (goal 0), what was silent (goal 0), and the CPU time of ten long reports.
``--forms FILE`` measures a file of ``[[narrative]]`` tables (text, span, low, high, presence, effect).
"""

from __future__ import annotations

import argparse
import statistics
import time
import tomllib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from fhir_mappings.assess import load_knowledge
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.report_language import ReportLanguage
from fhir_mappings.clinical.written_reports import About, DescribedResult, ReadState
from fhir_mappings.fhir.attachments import text_of
from fhir_mappings.reports.reading import read_report
from tests.clinical.report_cases import SAMPLE, ReportCase, line_of, report_cases

_AREAS = {
    "m": "marrow",
    "f": "residual",
    "c": "csf",
    "b": "blood",
    "g": "genetics",
    "t": "testis",
    "s": "marrow",
}
_MEDIA = {"html": "text/html", "rtf": "application/rtf"}


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report_reading", description=__doc__)
    parser.add_argument("--forms", type=Path, metavar="FILE", help="a file of [[narrative]] tables")
    chosen = parser.parse_args(arguments)
    language = load_knowledge().report_language
    _print_cases(report_cases(), language)
    if chosen.forms:
        _print_forms(tomllib.loads(chosen.forms.read_text("utf-8"))["narrative"], language)
    _print_cost(language)
    return 0


def _print_cases(cases: list[ReportCase], language: ReportLanguage) -> None:
    wanted = found = quoted = valued = effects = extra = silent = 0
    for case in cases:
        reading = read_report(case.text, case.about, language)
        lines, expected = [line_of(one) for one in reading.results], list(case.says)
        wanted += len(expected)
        found += sum(line in lines for line in expected)
        quoted += _shared(lines, expected, lambda line: line.split(" = ")[0])
        valued += _shared(lines, expected, lambda line: line.split(" = ")[1].split(" : ")[0])
        effects += _shared(lines, expected, lambda line: line.rsplit(" ", 1)[1])
        extra += sum(line not in expected for line in lines)
        silent += case.state != "unread" and reading.state is ReadState.UNREAD
    print(f"cases                      {len(cases)} texts, {wanted} results")
    for name, number in (
        ("quotations", quoted),
        ("figures and words", valued),
        ("effects", effects),
        ("whole", found),
    ):
        print(f"{name + ' right':<26} {number} of {wanted} ({100 * number / wanted:.1f} %)")
    print(f"read that is not there     {extra}\nsilent                     {silent}")


def _shared(lines: list[str], expected: list[str], part: Callable[[str], str]) -> int:
    left = [part(line) for line in lines]
    right = 0
    for line in expected:
        if part(line) in left:
            left.remove(part(line))
            right += 1
    return right


def _print_forms(forms: list[dict[str, Any]], language: ReportLanguage) -> None:
    spans = values = effects = false = silent = numeric = exact = 0
    for form in forms:
        text = text_of(form["text"].encode(), _MEDIA.get(form.get("form", ""), "text/plain")).text
        about = About(_AREAS[form["id"][0]], "", Moment.on(SAMPLE))
        reading = read_report(text, about, language)
        hits = [one for one in reading.results if one.quote == form["span"]]
        hit = next((one for one in hits if _same_value(one, form)), None)
        spans += bool(hits)
        values += hit is not None
        effects += any(one.effect.value == form["effect"] for one in hits)
        numeric += "low" in form or "high" in form
        exact += ("low" in form or "high" in form) and hit is not None
        harmful = form["effect"] in ("negative", "not-this")
        claimed = [one for one in reading.results if one.effect.value == "positive"]
        false += harmful and any(one.trust.value == "known" for one in claimed)
        silent += form["effect"] == "positive" and reading.state is ReadState.UNREAD
    print(f"forms                      {len(forms)}: spans {spans}, values {values}, effects {effects}")
    print(f"numeric forms exact        {exact} of {numeric}; false positive {false}; silent {silent}")


def _same_value(one: DescribedResult, form: dict[str, Any]) -> bool:
    low, high = form.get("low"), form.get("high")
    if low is not None and one.low != Decimal(str(low)):
        return False
    if high is not None and one.high != Decimal(str(high)):
        return False
    return "presence" not in form or one.presence == form["presence"]


def _print_cost(language: ReportLanguage) -> None:
    long = "\n".join(case.text for case in report_cases() if case.id.startswith("whole_reports"))
    dense = "\n".join((long.splitlines() * 3)[:100])
    other = "\n".join(f"Sentence {number} of a report on the liver." for number in range(100))
    about = About("marrow", "", Moment.on(SAMPLE))
    for name, text in (("ten dense reports", dense), ("ten reports of other things", other)):
        seconds = []
        for _ in range(7):
            begun = time.process_time()
            for _ in range(10):
                read_report(text, about, language)
            seconds.append(time.process_time() - begun)
        cost = 1000 * statistics.median(seconds)
        print(f"{name + ', 100 lines':<40} {cost:.1f} ms CPU ({len(text)} characters)")


if __name__ == "__main__":
    raise SystemExit(main())
