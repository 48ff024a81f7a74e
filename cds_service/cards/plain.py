"""Cards as readable text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cds_service.cards.markdown import as_text
from cds_service.cards.text import clean

WIDTH = 100


def cards_as_text(cards: Iterable[Mapping[str, Any]]) -> str:
    """The cards one below the other: indicator and summary, detail, proposals, links and source.

    Takes cards of any CDS service; whatever could steer a terminal is removed.
    """
    return "\n\n".join("\n".join(_lines(card)) for card in cards)


def _lines(card: Mapping[str, Any]) -> Iterator[str]:
    yield _wrapped(f"[{clean(str(card['indicator'])).upper()}] ", clean(card["summary"]))
    for line in card.get("detail", "").splitlines():
        if line.startswith("| "):
            yield f"  {clean(as_text(line))}"
            continue
        text = clean(as_text(line))
        marker, body = ("- ", text[2:]) if text.startswith("- ") else ("", text)
        yield _wrapped(f"  {marker}", body) if text != "---" else "  " + "-" * 20
    for suggestion in card.get("suggestions", ()):
        yield _wrapped("  Proposal: ", clean(suggestion["label"]))
    for link in card.get("links", ()):
        yield f"  Link: {clean(link['label'])} <{clean(link['url'])}>"
    yield _wrapped("  Source: ", clean(card["source"]["label"]))


def _wrapped(first: str, text: str) -> str:
    indent = " " * min(len(first), 4)
    whole = textwrap.TextWrapper(WIDTH, first, indent, break_long_words=False, break_on_hyphens=False)
    return whole.fill(text)
