"""What the demonstration says in the terminal, and whether an answer is the expected one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


def closing_table(outcomes: Sequence[Outcome]) -> str:
    """A line per patient: name, status, number of cards, milliseconds, and whether that was expected."""
    rows = [("Patient", "Chart", "Status", "Cards", "ms", "")]
    rows += [
        (
            outcome.patient.name,
            outcome.patient.id,
            outcome.status,
            str(len(outcome.reply.cards)),
            f"{outcome.reply.milliseconds:.0f}",
            "as expected" if not outcome.differences else "DIFFERS",
        )
        for outcome in outcomes
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    lines.insert(1, "-" * max(map(len, lines)))
    for outcome in outcomes:
        lines += [f"  {outcome.patient.id}: {difference}" for difference in outcome.differences]
    return "\n".join([_RULE, *lines])


def _listed(topics: Sequence[str]) -> str:
    return ", ".join(topics) or "none"


def _diagnostics(reply: HookReply) -> str:
    """The first diagnostics of an OperationOutcome."""
    issues = reply.body.get("issue")
    first = issues[0] if isinstance(issues, list) and issues and isinstance(issues[0], dict) else {}
    return str(first.get("diagnostics", ""))
