"""The same chart written another way gives the same answer, for every clinical case.

Names of code systems, contained or referenced, in a component or alone, once or twice, older versions beside
the newest, other resources, other time zones, another year: no decision may change but those named here.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from fhir_mappings.assess import Knowledge, load_knowledge
from tests.clinical import restating
from tests.clinical.case_files import Case
from tests.clinical.restating import CALENDAR_YEARS
from tests.clinical.test_invariance import answer, decided, each_case

RESTATEMENTS = (
    restating.under_aliases,
    restating.with_closing_slash,
    restating.without_points,
    restating.in_reports,
    restating.specimens_contained,
    restating.as_components,
    restating.delivered_twice,
    restating.with_older_versions,
    restating.in_another_zone,
    restating.beside_other_things,
    restating.in_text_with_comma,
    restating.diagnosis_in_words,
)
# Two draws of one day: a contained specimen has no name beyond its result (docs/clinical/decisions.md).
TWO_DRAWS = {"mrd-of-another-draw", "contradiction-other-draw"}
CHANGED = {"in_reports": TWO_DRAWS, "specimens_contained": TWO_DRAWS}


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


@each_case
def test_a_chart_written_another_way_is_decided_the_same(case: Case, knowledge: Knowledge) -> None:
    plain = decided(answer(case, case.resources, knowledge))
    changed = {
        restated.__name__
        for restated in RESTATEMENTS
        if decided(answer(case, restated(case.resources), knowledge)) != plain
    }
    assert changed == {name for name, cases in CHANGED.items() if case.id in cases}


@each_case
def test_a_calendar_later_everything_is_the_same(case: Case, knowledge: Knowledge) -> None:
    later = replace(case, at=case.at.replace(year=case.at.year + CALENDAR_YEARS))
    told = decided(answer(later, restating.a_calendar_later(case.resources, CALENDAR_YEARS), knowledge))
    plain = decided(answer(case, case.resources, knowledge))
    assert told == restating.a_calendar_later([plain], CALENDAR_YEARS)[0]
