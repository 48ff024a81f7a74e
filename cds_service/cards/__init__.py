"""Assessments as CDS Hooks cards: what to say is decided elsewhere, here it is said."""

from cds_service.cards.building import build_cards
from cds_service.cards.card_profiles import PROFILES
from cds_service.cards.choices import CardChoices
from cds_service.cards.identity import evidence_key, followers_of
from cds_service.cards.plain import cards_as_text
from cds_service.cards.rendering import UnknownWords

__all__ = [
    "PROFILES",
    "CardChoices",
    "UnknownWords",
    "build_cards",
    "cards_as_text",
    "evidence_key",
    "followers_of",
]
