"""How long the cards are: ``python -m benchmarks.card_length [--full]``.

Every clinical case and every demonstration patient, as a client sees them: words of a detail by white
space, table rows included. The budgets stand in ``cds_service.cards.brief``; a card that exceeds one does so
because a doubt or a warning outranks it.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from cds_service.cards import CardChoices, build_cards
from cds_service.cards.brief import FINDING_WORDS, OTHER_WORDS
from cds_service.demo.demo_patients import load_patients
from fhir_mappings.assess import Assessment, Knowledge, assess, choose, decode, load_knowledge
from tests.clinical.case_files import read_cases

CASES = Path(__file__).resolve().parent.parent / "tests" / "clinical" / "relapsed_all"
TODAY = date(2026, 6, 15)
CHART_WORDS = 300
FINDING = "allFinding"


@dataclass(frozen=True, slots=True)
class Shown:
    """The cards of one chart."""

    name: str
    assessment: Assessment
    cards: tuple[dict[str, Any], ...]

    @property
    def words(self) -> int:
        """Words of all details together."""
        return sum(map(words_of, self.cards))


def words_of(card: dict[str, Any]) -> int:
    """Words of a detail, by white space."""
    return len(card["detail"].split())


def topic_of(card: dict[str, Any]) -> str:
    """The code of the card's topic."""
    return str(card["source"]["topic"]["code"])


def budget_of(card: dict[str, Any]) -> int:
    """The most words the card may have."""
    return FINDING_WORDS if topic_of(card) == FINDING else OTHER_WORDS


def charts(knowledge: Knowledge) -> Iterator[tuple[str, Sequence[Any], datetime, Knowledge]]:
    """Name, resources, moment and knowledge of every clinical case and demonstration patient."""
    for case in read_cases(CASES):
        yield case.id, case.resources, case.at, choose(knowledge, case.criteria_set)
    for patient in load_patients(TODAY):
        at = datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=UTC)
        yield f"demo-{patient.id}", patient.resources, at, knowledge


def shown(choices: CardChoices) -> Iterator[Shown]:
    """The cards of every chart that has any."""
    for name, resources, at, knowledge in charts(load_knowledge()):
        read = [decode(json.dumps(one).encode()).resource for one in resources]
        assessment = assess(read, at, knowledge)
        if cards := build_cards(assessment, knowledge, choices):
            yield Shown(name, assessment, tuple(cards))


def main(arguments: Sequence[str]) -> int:
    """Prints the figures."""
    found = list(
        shown(CardChoices(base_url="https://x.example", evidence="smart", full="--full" in arguments))
    )
    cards = [
        (words_of(card), topic_of(card), one.name, budget_of(card)) for one in found for card in one.cards
    ]
    _line("finding", [count for count, topic, _name, _most in cards if topic == FINDING])
    _line("other card", [count for count, topic, _name, _most in cards if topic != FINDING])
    _line("chart", [one.words for one in found])
    _line("cards a chart", [len(one.cards) for one in found])
    over = [card for card in cards if card[0] > card[3]]
    charts_over = [one.name for one in found if one.words > CHART_WORDS]
    print(f"over budget: {len(over)} of {len(cards)} cards, {len(charts_over)} of {len(found)} charts")
    for count, topic, name, most in sorted(over, reverse=True)[:10]:
        print(f"  {count} words (at most {most})  {topic}  {name}")
    print("longest")
    for count, topic, name, _most in sorted(cards, reverse=True)[:10]:
        print(f"  {count} words  {topic}  {name}")
    return 0


def _line(name: str, counts: list[int]) -> None:
    ordered = sorted(counts)
    ninetieth = ordered[len(ordered) * 9 // 10]
    print(f"{name:14} median {statistics.median(ordered):6.1f}  90th {ninetieth:4}  most {ordered[-1]:4}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
