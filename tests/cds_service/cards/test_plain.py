"""Cards for a terminal."""

from __future__ import annotations

from cds_service.cards import CardChoices, build_cards, cards_as_text
from tests.cds_service.cards.assessments import (
    BASE,
    FINDING,
    HSCT,
    KNOWLEDGE,
    TIMING,
    assessment,
    section,
    statement,
)


def test_reads_like_the_card() -> None:
    text = cards_as_text(
        build_cards(assessment(FINDING, TIMING, HSCT), KNOWLEDGE, CardChoices(full=True, base_url=BASE))
    )
    lines = text.splitlines()
    assert lines[0] == "[CRITICAL] Relapsed ALL: isolated marrow, 78 % lymphoblasts on 2024-06-03"
    assert "  - Meets criterion A: marrow lymphoblasts 78 % (> 50 %) on 2024-06-03." in lines
    assert "  Timing" in lines
    assert "[WARNING] Plan HSCT evaluation early." in lines
    assert "  Proposal: Draft an HSCT evaluation" in lines
    assert f"  Link: Timeline of this patient's leukaemia <{BASE}/timeline/>" in lines
    assert "  Source: Dr.Oracle: relapsed ALL" in lines
    assert "**" not in text


def test_escaped_text_is_readable_again_and_lines_are_wrapped() -> None:
    value = "<b>50 % & more: see www.example.org, a*b</b> " * 4
    text = cards_as_text(
        build_cards(
            assessment(section("HSCT", statement("text", value=value))), KNOWLEDGE, CardChoices(full=True)
        )
    )
    assert "<b>50 % & more: see www.example.org, a*b</b>" in text
    assert all(len(line) <= 100 for line in text.splitlines() if "Link:" not in line)


def test_a_card_of_another_service_cannot_steer_the_terminal() -> None:
    card = {
        "summary": "a\x1b[31mb",
        "indicator": "info",
        "source": {"label": "x\x07y"},
        "detail": "\x1b]0;t\x07z",
    }
    text = cards_as_text([card])
    assert not any(ord(character) < 32 and character != "\n" for character in text)
    assert text.startswith("[INFO] a[31mb")


def test_no_cards_no_text() -> None:
    assert cards_as_text([]) == ""
