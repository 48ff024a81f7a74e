"""The sentences of the knowledge are plain text, wherever they stand in a card."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from cds_service.cards.markdown import as_line
from cds_service.cards.rendering import SUMMARY_LIMIT, filled_in_markdown, in_plain_text
from fhir_mappings.knowledge.errors import Fault
from fhir_mappings.knowledge.words import Words, read_words
from tests.cds_service.cards.assessments import CONTENT, TOPICS, statement
from tests.cds_service.cards.test_markdown import rendered
from tests.oracle.cds_response import faults_of


def sentences() -> dict[str, str]:
    faults: list[Fault] = []
    words = read_words(CONTENT / "words.toml", faults)
    assert faults == []
    fixed = {f"lines.{key}": text for key, text in TOPICS[0].wording.lines.items()}
    return {key: found.text for key, found in words.items()} | fixed


SENTENCES = sentences()


def values(text: str) -> dict[str, str]:
    return {name: "12" for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", SENTENCES)
def test_a_sentence_is_one_line_of_text(key: str) -> None:
    text = SENTENCES[key]
    for page in rendered(as_line(filled_in_markdown(text, values(text)))):
        assert set(re.findall(r"<[^>]*>", page)) <= {"<p>", "</p>"}, page
    assert "\n" not in text


@pytest.mark.parametrize("key", SENTENCES)
def test_a_sentence_can_be_the_summary(key: str) -> None:
    text = SENTENCES[key]
    summary = in_plain_text(statement("it", **values(text)), {"it": Words(text, ())})
    assert len(summary) <= SUMMARY_LIMIT
    assert faults_of({"cards": [{"summary": summary, "indicator": "info", "source": {"label": "x"}}]}) == []
