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


# Under names of their own: Python 3.11 looks members of an Enum up slowly, and samples are paired often.
_YES, _NO, _UNSURE = Answer.YES, Answer.NO, Answer.UNSURE


def both(one: Answer, other: Answer) -> Answer:
    """Kleene conjunction: NO wins, then UNSURE."""
    if _NO in (one, other):
        return _NO
    return _UNSURE if _UNSURE in (one, other) else _YES


def either(one: Answer, other: Answer) -> Answer:
    """Kleene disjunction: YES wins, then UNSURE."""
    if _YES in (one, other):
        return _YES
    return _UNSURE if _UNSURE in (one, other) else _NO
