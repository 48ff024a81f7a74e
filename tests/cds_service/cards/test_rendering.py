"""Statements in words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cds_service.cards.rendering import (
    SUMMARY_LIMIT,
    UnknownWords,
    filled_in_markdown,
    in_markdown,
    in_plain_text,
)
from fhir_mappings.assessment import Statement
from fhir_mappings.knowledge.words import Words
from tests.cds_service.cards.assessments import RULE, WORDS, statement
from tests.cds_service.cards.test_markdown import rendered


def test_fills_the_blanks_of_the_words() -> None:
    said = in_markdown(statement("criterion.a", value="78", date="2024-06-03"), WORDS, "unconfirmed")
    assert said == "Meets criterion A: marrow lymphoblasts 78 % (> 50 %) on 2024-06-03."


def test_escapes_every_value() -> None:
    said = in_markdown(statement("text", value="<b>*x*</b>"), WORDS, "unconfirmed")
    assert said == "&lt;b&gt;\\*x\\*&lt;/b&gt;"


def test_says_that_a_figure_is_not_confirmed() -> None:
    said = in_markdown(statement("figure", value="84"), WORDS, "not confirmed")
    assert said == "Second remission 84 % (not confirmed)."


def test_unconfirmed_words_without_full_stop() -> None:
    words = {"w": Words("Some {value}", RULE, unconfirmed=True)}
    assert in_markdown(statement("w", value="text"), words, "not confirmed") == "Some text (not confirmed)"


@pytest.mark.parametrize(
    ("template", "values"),
    [
        ("{a}.{b}", {"a": "www", "b": "evil.example"}),
        ("{a}@{b}.com", {"a": "a", "b": "b"}),
        ("{a}:{b}", {"a": "http", "b": "//evil.example"}),
        ("www.{a}", {"a": "evil.example"}),
        ("{a}.example", {"a": "www"}),
        ("mail to {a}@example.org", {"a": "x"}),
    ],
)
def test_values_and_words_make_no_address_together(template: str, values: dict[str, str]) -> None:
    for page in rendered(filled_in_markdown(template, values)):
        assert "<a" not in page


def test_a_full_stop_after_a_value_stays_readable() -> None:
    assert filled_in_markdown("On {date}.", {"date": "2024-06-03"}) == "On 2024-06-03."
    assert filled_in_markdown("On {date}. Then.", {"date": "2024-06-03"}) == "On 2024-06-03. Then."


def as_markdown(said: Statement) -> str:
    return in_markdown(said, WORDS, "")


def as_summary(said: Statement) -> str:
    return in_plain_text(said, WORDS)


@pytest.mark.parametrize("render", [as_markdown, as_summary])
def test_missing_words_and_blanks_are_named(render: Callable[[Statement], str]) -> None:
    with pytest.raises(UnknownWords, match=r"no words 'nothing\.there'"):
        render(statement("nothing.there"))
    with pytest.raises(UnknownWords, match="no value for the blank 'date'"):
        render(statement("criterion.a", value="78"))


def test_a_summary_is_plain_text() -> None:
    said = statement("finding.summary", site="**CNS** <b>`x`</b>\n[a](b)", value="<0.01", date=">5")
    summary = in_plain_text(said, WORDS)
    assert summary == "Relapsed ALL: CNS bx/b a(b), <0.01 % lymphoblasts on >5"


def test_a_summary_is_cut() -> None:
    summary = in_plain_text(statement("finding.summary", site="word " * 60, value="78", date="today"), WORDS)
    assert len(summary) <= SUMMARY_LIMIT
    assert summary.endswith("word…")
