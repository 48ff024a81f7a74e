"""No more cards than a clinician can take in: what ranks low is told in the first card instead."""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.cards.topics import CardPlan


def merge_beyond(plans: Sequence[CardPlan], max_cards: int) -> list[CardPlan]:
    """At most ``max_cards`` plans (at least one); the last are merged into the finding, else into the first.

    The finding is never merged away.
    """
    most = max(max_cards, 1)
    ordered = sorted(plans, key=lambda plan: not plan.topic.complete)[:most]
    kept = [plan for plan in plans if plan in ordered]
    rest = tuple(plan for plan in plans if plan not in kept)
    if rest:
        host = next((index for index, plan in enumerate(kept) if plan.topic.complete), 0)
        kept[host] = CardPlan(kept[host].topic, kept[host].sections, kept[host].merged + rest)
    return kept
