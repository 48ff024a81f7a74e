"""One filler: every blank gets its value, and a piece of a sentence comes from the words."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from fhir_mappings.assess import Knowledge, Statement, UnknownWords, filled, sentence
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.knowledge.words import Words, blanks_of
from fhir_mappings.statements.headlines import ordinal
from fhir_mappings.statements.sentences import dated, phrase

ROOT = Path(__file__).parents[3]
WORDS = {"w": Words("Found {value} on {date}.", ("S-000-01",)), "plain": Words("Nothing.", ("S-000-01",))}


def test_blanks_are_filled_in_their_places() -> None:
    statement = Statement("w", {"value": "78 %", "date": "2024-06-03"})
    assert sentence(statement, WORDS) == "Found 78 % on 2024-06-03."
    assert sentence(statement, WORDS, str.upper) == "Found 78 % on 2024-06-03."
    assert sentence(Statement("w", {"value": "many", "date": "{date}"}), WORDS, str.upper) == (
        "Found MANY on {DATE}."
    )


def test_a_sentence_without_blanks_stays_as_it_is() -> None:
    assert sentence(Statement("plain", {"more": "x"}), WORDS) == "Nothing."


def test_a_blank_left_empty_and_words_nobody_has_are_refused() -> None:
    with pytest.raises(UnknownWords, match="'date'"):
        sentence(Statement("w", {"value": "78 %"}), WORDS)
    with pytest.raises(UnknownWords, match="no words 'other'"):
        sentence(Statement("other"), WORDS)
    with pytest.raises(UnknownWords):
        filled("{a} and {b}", {"a": "1"})


def test_a_date_that_is_not_on_record_is_said_so(knowledge: Knowledge) -> None:
    day = Moment.on(date(2024, 6, 3))
    assert dated(None, knowledge) == "an unknown date"
    assert dated(None, knowledge, "no-date") == "no date"
    assert dated(day, knowledge) == "2024-06-03"


@pytest.mark.parametrize(
    ("number", "said"), [(0, "first"), (1, "first"), (2, "second"), (3, "third"), (4, "4th"), (11, "11th")]
)
def test_relapses_are_counted_in_words(number: int, said: str, knowledge: Knowledge) -> None:
    assert ordinal(number, knowledge) == said


def test_every_phrase_is_used_and_every_phrase_in_use_exists(knowledge: Knowledge) -> None:
    rooms = ("statements", "timeline")
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for room in rooms
        for path in sorted((ROOT / "fhir_mappings" / room).rglob("*.py"))
    )
    keys = {key.removeprefix("phrase.") for key in knowledge.words if key.startswith("phrase.")}
    named = set(re.findall(r'"([a-z-]+(?:\.[a-z-]+)?)"', code))
    built = ("site.", "site-name.", "tempo.", "ordinal.", "trial.relapsed")
    assert {key for key in keys if key not in named and not key.startswith(built)} == set()
    for name in re.findall(r'phrase\([\w.]+, "([a-z.-]+)"', code):
        assert name in keys


def test_phrases_are_filled_with_what_they_ask_for(knowledge: Knowledge) -> None:
    assert blanks_of(knowledge.words["phrase.site.combined"].text) == {"sites", "last"}
    assert phrase(knowledge, "site.combined", sites="marrow", last="CNS") == "combined marrow and CNS"
    assert phrase(knowledge, "recorded-as", value="<5 %", original="below 5") == "<5 % (recorded as below 5)"
