"""What the demonstration prints, and that it notices an answer that is not the expected one."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.demo.demo_patients import DemoPatient, Expectation
from cds_service.demo.ehr import HookReply
from cds_service.demo.report import Outcome, closing_table, story_text

CARD: dict[str, Any] = {
    "summary": "Something was found",
    "indicator": "info",
    "source": {"label": "A source", "topic": {"code": "allFinding"}},
}


def outcome(body: dict[str, Any], status: int = 200, topics: tuple[str, ...] = ("allFinding",)) -> Outcome:
    expect = Expectation("relapse", topics)
    patient = DemoPatient("ada", "Ada", "Beispiel", "female", 7, "A story.", expect, ())
    return Outcome(patient, HookReply(status, body, 12.3))


def answer(status: str, *cards: dict[str, Any]) -> dict[str, Any]:
    return {"cards": list(cards), "extension": {"org.relapse-cds.assessment": {"status": status}}}


@pytest.mark.parametrize(
    ("made", "differences"),
    [
        (outcome(answer("relapse", CARD)), ()),
        (outcome(answer("none", CARD)), ("status is none, expected relapse",)),
        (outcome(answer("relapse")), ("cards are none, expected allFinding",)),
        (outcome(answer("relapse", CARD, CARD)), ("cards are allFinding, allFinding, expected allFinding",)),
        (outcome(answer("relapse", CARD), topics=()), ("cards are allFinding, expected none",)),
        (outcome({"cards": [CARD]}), ("status is HTTP 200, expected relapse",)),
        (
            outcome({"issue": [{"diagnostics": "x"}]}, 412, ()),
            ("status is HTTP 412, expected relapse",),
        ),
    ],
)
def test_differences(made: Outcome, differences: tuple[str, ...]) -> None:
    assert made.differences == differences


def test_the_story_comes_with_name_age_and_cards() -> None:
    text = story_text(outcome(answer("relapse", CARD)))
    for part in ("Ada Beispiel, 7 years, female", "A story.", "Something was found", "A source"):
        assert part in text


def test_silence_and_refusal_are_told_apart() -> None:
    assert "nothing to say" in story_text(outcome(answer("none")))
    refused = story_text(outcome({"issue": [{"diagnostics": "marrow was not seen"}]}, 412))
    assert "HTTP 412. marrow was not seen" in refused
    assert "nothing to say" not in refused


def test_the_table_says_which_patient_differs_and_how() -> None:
    text = closing_table([outcome(answer("relapse", CARD)), outcome(answer("none"))], 100)
    assert "1 of 2 answers are as expected." in text
    assert "DIFFERS  ada: status is none, expected relapse" in text


@pytest.mark.parametrize(
    ("made", "headline"),
    [
        (outcome(answer("relapse", CARD)), "[info] Something was found"),
        (outcome(answer("relapse", CARD | {"summary": "[bold]<b>&"}, CARD)), "[info] [bold]<b>&"),
        (outcome(answer("none")), "(no card: nothing to say)"),
        (outcome({"issue": [{"diagnostics": "x"}]}, 412), "refused: HTTP 412"),
    ],
)
def test_every_patient_has_a_headline(made: Outcome, headline: str) -> None:
    assert headline in closing_table([made], 100)


def test_a_long_headline_is_folded_and_not_cut() -> None:
    words = " ".join(f"word{number}" for number in range(30))
    text = closing_table([outcome(answer("relapse", CARD | {"summary": words}))], 80)
    assert all(len(line) <= 80 for line in text.splitlines())
    assert [word for word in words.split() if word not in text] == []
