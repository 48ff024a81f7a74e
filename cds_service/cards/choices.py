"""What a client, a site and a call choose about the cards, in one bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Literal

from cds_service.cards.content import AddedLink

Quiet = Callable[[str, str], bool]
"""Whether the card of a topic (code, evidence key) is to stay away after feedback."""

Evidence = Literal["smart", "card", "none"]


@dataclass(frozen=True, slots=True)
class CardChoices:
    """How the cards of one answer are made.

    ``profile`` is a key of ``PROFILES``. ``base_url`` is our public address; without it no link to
    ourselves is made. ``max_cards`` is the most cards, ``topics_off`` the codes of topics that are not
    wanted. ``quiet`` is asked with a card's topic code and evidence key. ``explain`` lists the records used.
    ``scope`` keeps the identifiers of one tenant apart from those of another. ``added`` are further links by
    topic code, such as those of matched studies. ``keys`` are evidence keys by topic code, where a card rests
    on more than the patient's record; such a card is another card as soon as its key is another. ``full``
    gives every sentence on its card. ``evidence`` is where the rest stands: on the page that a SMART link
    opens, on one last card, or nowhere for this client. ``plain_text`` writes details without Markdown.
    ``omit`` are members of a card that the client cannot take.
    """

    profile: str = "strict"
    base_url: str = ""
    max_cards: int = 4
    topics_off: Set[str] = frozenset()
    quiet: Quiet | None = None
    explain: bool = False
    scope: str = ""
    added: Mapping[str, Sequence[AddedLink]] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    full: bool = False
    evidence: Evidence = "none"
    plain_text: bool = False
    omit: Set[str] = frozenset()


AS_THEY_COME = CardChoices()
"""Brief cards for any client."""
