"""No more cards than a clinician can take in: what ranks low is told in the first card instead."""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.cards.topics import CardPlan


def merge_beyond(plans: Sequence[CardPlan], max_cards: int) -> list[CardPlan]:
    """At most ``max_cards`` plans (at least one); the lowest-ranked are merged into the first."""
    kept = list(plans[: max(max_cards, 1)])
    rest = tuple(plans[len(kept) :])
    if rest:
        kept[0] = CardPlan(kept[0].topic, kept[0].sections, kept[0].merged + rest)
    return kept
