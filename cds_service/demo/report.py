"""What the demonstration says in the terminal, and whether an answer is the expected one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cds_service.cards.plain import cards_as_text
from cds_service.demo.demo_patients import DemoPatient
from cds_service.demo.ehr import HookReply

_RULE = "=" * 100


@dataclass(frozen=True, slots=True)
class Outcome:
    """One patient and what the service answered."""

    patient: DemoPatient
    reply: HookReply

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics of the cards, in order."""
        return tuple(card["source"].get("topic", {}).get("code", "") for card in self.reply.cards)

    @property
    def status(self) -> str:
        """The status word of the assessment, or what came instead."""
        return str(self.reply.assessment.get("status", f"HTTP {self.reply.status}"))

    @property
    def headline(self) -> str:
        """The summary of the first card with its urgency, or why there is none."""
        if self.reply.status != 200:
            return f"refused: HTTP {self.reply.status}"
        if not self.reply.cards:
            return "(no card: nothing to say)"
        first = self.reply.cards[0]
        return f"[{first['indicator']}] {first['summary']}"

    @property
    def differences(self) -> tuple[str, ...]:
        """What is not as the patient's file expects; empty when all is."""
        expect = self.patient.expect
        found = []
        if self.status != expect.status:
            found.append(f"status is {self.status}, expected {expect.status}")
        if self.topics != expect.topics:
            found.append(f"cards are {_listed(self.topics)}, expected {_listed(expect.topics)}")
        return tuple(found)


def story_text(outcome: Outcome) -> str:
    """One patient: name, age, story, and the cards (or the words for none) as text."""
    patient, reply = outcome.patient, outcome.reply
    head = f"{_RULE}\n{patient.name}, {patient.age_years} years, {patient.sex}\n{patient.story}\n"
    if reply.status != 200:
        return f"{head}\n  The service refused: HTTP {reply.status}. {_diagnostics(reply)}\n"
    return f"{head}\n{cards_as_text(reply.cards) or '  No card: there is nothing to say.'}\n"


def closing_table(outcomes: Sequence[Outcome], width: int) -> str:
    """A line per patient: name, age, chart, cards and the headline of the first, and what is not as expected.

    ``width`` is that of the terminal, in characters; a headline that is too long is folded.
    """
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("Patient", "Chart", "Cards", "Headline of the first card"):
        table.add_column(heading, justify="right" if heading == "Cards" else "left")
    for outcome in outcomes:
        who = f"{outcome.patient.name}, {outcome.patient.age_years}"
        # The words of a chart are no markup: every cell is a Text.
        table.add_row(*map(Text, (who, outcome.patient.id, str(len(outcome.reply.cards)), outcome.headline)))
    as_expected = sum(not outcome.differences for outcome in outcomes)
    lines = [_printed(table, width), f"{as_expected} of {len(outcomes)} answers are as expected."]
    for outcome in outcomes:
        lines += [f"DIFFERS  {outcome.patient.id}: {difference}" for difference in outcome.differences]
    return "\n".join(lines)


def _printed(table: Table, width: int) -> str:
    console = Console(width=width, file=StringIO(), color_system=None)
    console.print(table)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in text.splitlines())


def _listed(topics: Sequence[str]) -> str:
    return ", ".join(topics) or "none"


def _diagnostics(reply: HookReply) -> str:
    """The first diagnostics of an OperationOutcome."""
    issues = reply.body.get("issue")
    first = issues[0] if isinstance(issues, list) and issues and isinstance(issues[0], dict) else {}
    return str(first.get("diagnostics", ""))
