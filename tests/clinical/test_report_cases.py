"""Every sentence and every whole report is read as it is written down."""

from __future__ import annotations

import pytest

from fhir_mappings.assess import Knowledge
from fhir_mappings.reports.lexicon import lexicon_of
from fhir_mappings.reports.reading import read_report
from fhir_mappings.reports.text import fold
from tests.clinical.report_cases import ReportCase, line_of, report_cases

CASES = report_cases()


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_the_text_is_read_as_written(case: ReportCase, knowledge: Knowledge) -> None:
    reading = read_report(case.text, case.about, knowledge.report_language)
    assert tuple(line_of(one) for one in reading.results) == case.says
    assert reading.state.value == case.state


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_every_quotation_stands_in_the_text(case: ReportCase, knowledge: Knowledge) -> None:
    for one in read_report(case.text, case.about, knowledge.report_language).results:
        assert one.quote == case.text[one.start : one.end]
        assert one.sentence_start <= one.start <= one.end <= one.sentence_end or one.quote
        assert one.cue in case.text


def test_there_are_as_many_cases_as_are_wanted() -> None:
    assert len(CASES) >= 196
    assert sum("\n" in case.text.strip() for case in CASES) >= 10


def test_every_deciding_word_has_a_beginning_that_a_long_report_is_gone_through_by(
    knowledge: Knowledge,
) -> None:
    language = knowledge.report_language
    stems = lexicon_of(language).stems
    # Every statement of a short report on fluid is looked at, so its own words need none.
    words = [word for one in language.assertions if one.area != "csf" for word in one.words]
    words += [word for one in language.categories for word in one.words]
    words += [
        word for one in language.subjects if one.role in ("blasts", "residual", "gene") for word in one.words
    ]
    spelt = [
        fold(word)
        .replace("*", "")
        .replace(" - ", "-")
        .replace(" :: ", "::")
        .replace("( ", "(")
        .replace(" ;", ";")
        for word in words
    ]
    missing = [word for word in spelt if not any(stem.strip() in f"{word} " for stem in stems)]
    assert missing == []
