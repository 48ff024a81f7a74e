"""Takes a batch of feedback into the store: matched to its cards or quarantined, all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cds_service.feedback.quiet import QuietTimes, quiet_rules
from cds_service.settings.model import NO_TENANT
from cds_service.store import FeedbackEvent, ShownCard, Store
from cds_service.wire.feedback import FeedbackItem, ReasonCoding

"""Stands for the sender of quarantined feedback who proved nothing."""


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a batch, in events. A repetition of what was stored before is not new."""

    new: int
    matched: int
    quarantined: int


def receive(
    store: Store,
    items: Sequence[FeedbackItem],
    *,
    tenant: str | None,
    service: str,
    at: datetime,
    times: QuietTimes,
) -> Received:
    """Stores a batch durably; the caller answers 200 only after this returns.

    A card that this tenant was never shown is quarantined: counted, exported, and without effect on any
    card. ``tenant`` None stands for a caller who need not prove who it is (``auth`` off or optional): the
    card's own tenant is taken, since only somebody who was shown the card knows its uuid.

    :raises StoreUnavailable: nothing was stored; answer 503.
    """
    shown = store.evaluations.find(tenant, [item.card for item in items])
    events = [
        event
        for item in items
        for event in _events(item, shown.get(item.card), tenant or NO_TENANT, service, at)
    ]
    rules = [
        rule for item in items if item.card in shown for rule in quiet_rules(item, shown[item.card], times)
    ]
    new = store.feedback.add(events, rules)
    matched = sum(event.status == "matched" for event in events)
    return Received(new, matched, len(events) - matched)


def _events(
    item: FeedbackItem, card: ShownCard | None, sender: str, service: str, at: datetime
) -> Iterator[FeedbackEvent]:
    override = item.override if item.outcome == "overridden" else None
    reason = (override.coding if override else None) or ReasonCoding.model_construct(code="")
    accepted = item.acceptedSuggestions if item.outcome == "accepted" else None
    for suggestion in [one.id for one in accepted] if accepted else [""]:
        yield FeedbackEvent(
            tenant=card.tenant if card else sender,
            service=service,
            card=item.card,
            topic=card.topic if card else "",
            rule_version=card.rule_version if card else "",
            outcome=item.outcome,
            suggestion=suggestion,
            reason_code=reason.code,
            reason_system=reason.system or "",
            reason_display=reason.display or "",
            comment=(override.userComment if override else None) or "",
            outcome_at=item.outcomeTimestamp,
            received_at=at,
            status="matched" if card else "quarantined",
        )
