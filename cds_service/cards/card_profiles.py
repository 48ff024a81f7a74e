"""How kinds of clients differ, as one table."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class ClientProfile:
    """What a kind of client accepts.

    ``selection_behavior``: value of ``card.selectionBehavior``. ``max_cards``: upper limit beside the
    setting, 0 for none. ``statements``: most statements of a section that is not part of the finding
    itself, 0 for all; a client with little room is told what was left out. ``rules``: whether the
    statement identifiers are listed. ``detail_limit``: most characters of a brief detail, 0 for no limit.
    """

    selection_behavior: str
    max_cards: int = 0
    statements: int = 0
    rules: bool = True
    detail_limit: int = 0


PROFILES = MappingProxyType(
    {
        "strict": ClientProfile("any"),
        "epic": ClientProfile("any"),
        "cerner": ClientProfile("at-most-one", statements=5, rules=False, detail_limit=600),
        "sandbox": ClientProfile("any"),
        "compact": ClientProfile("any", max_cards=3, statements=5, rules=False, detail_limit=600),
    }
)
