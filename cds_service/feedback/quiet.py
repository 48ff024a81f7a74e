"""How long a card stays away after a user has dealt with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol, Self

from cds_service.cards import followers_of
from cds_service.store import QuietRule, ShownCard
from cds_service.wire.feedback import FeedbackItem, ReasonCoding


class KnownReason(Protocol):
    """An override reason that we offered. ``quiet``: ``snooze``, ``days`` (``quiet_days``) or
    ``evidence``."""

    @property
    def code(self) -> str: ...
    @property
    def system(self) -> str: ...
    @property
    def quiet(self) -> str: ...
    @property
    def quiet_days(self) -> int: ...


@dataclass(frozen=True, slots=True)
class QuietTimes:
    """The configured snooze, and what each reason of ours says about it, by code."""

    snooze: timedelta
    reasons: Mapping[str, KnownReason] = field(default_factory=dict)

    @classmethod
    def of(cls, snooze_days: int, reasons: Iterable[KnownReason]) -> Self:
        """From the setting ``snooze_days`` and the reasons of every card topic."""
        return cls(timedelta(days=snooze_days), {reason.code: reason for reason in reasons})

    def until(self, item: FeedbackItem) -> datetime | None:
        """When the card may come back although its evidence is the same; None: not before it changes.

        Accepted, or "the data are wrong": only new evidence is news. Any other reason, known or not, or
        none: after the snooze, or after the days that the reason itself names.
        """
        if item.outcome == "accepted":
            return None
        reason = self._known(item.override.coding if item.override else None)
        if reason is None or reason.quiet == "snooze":
            return item.outcomeTimestamp + self.snooze
        if reason.quiet == "evidence":
            return None
        return item.outcomeTimestamp + timedelta(days=reason.quiet_days)

    def _known(self, coding: ReasonCoding | None) -> KnownReason | None:
        known = self.reasons.get(coding.code) if coding else None
        # The same code in another system is another reason; some EHRs leave the system out.
        return known if known and coding and coding.system in (None, "", known.system) else None


_TAKES_FOLLOWERS = frozenset({"data-wrong", "not-appropriate"})
"""Reasons against a finding that stand against what follows from it too."""


def quiet_rules(item: FeedbackItem, card: ShownCard, times: QuietTimes) -> list[QuietRule]:
    """The rule for the card's own topic, and that for the topics which follow it.

    The second is remade with every answer, so that a later "already known" lets them come back.
    """
    own = quiet_rule(item, card, times)
    coding = item.override.coding if item.override and item.outcome == "overridden" else None
    takes = coding is not None and coding.code in _TAKES_FOLLOWERS
    until = own.until if takes else item.outcomeTimestamp
    return [own, replace(own, topic=followers_of(own.topic), until=until)]


def quiet_rule(item: FeedbackItem, card: ShownCard, times: QuietTimes) -> QuietRule:
    """The rule that follows from what a user did with a card."""
    return QuietRule(
        tenant=card.tenant,
        patient=card.patient,
        topic=card.topic,
        evidence_key=card.evidence_key,
        since=item.outcomeTimestamp,
        until=times.until(item),
    )
