"""Three-valued answers: doubt is a value of its own, never None or False."""

from __future__ import annotations

from enum import Enum


class Answer(Enum):
    """Yes, no, or not decidable from what is recorded."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"

    @classmethod
    def of(cls, truth: bool) -> Answer:
        """The definite answer for a known truth value."""
        return cls.YES if truth else cls.NO

    def __bool__(self) -> bool:
        raise TypeError("an Answer has three values: compare it with Answer.YES, NO or UNSURE")


def both(one: Answer, other: Answer) -> Answer:
    """Kleene conjunction: NO wins, then UNSURE."""
    if Answer.NO in (one, other):
        return Answer.NO
    return Answer.UNSURE if Answer.UNSURE in (one, other) else Answer.YES


def either(one: Answer, other: Answer) -> Answer:
    """Kleene disjunction: YES wins, then UNSURE."""
    if Answer.YES in (one, other):
        return Answer.YES
    return Answer.UNSURE if Answer.UNSURE in (one, other) else Answer.NO
