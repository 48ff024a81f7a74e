"""Links of a card: configured targets only, never a text from a record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from typing import Any

from cds_service.cards.content import AddedLink, LinkTarget, Source
from cds_service.cards.text import clean

_HTTPS = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~%!$&()*+,;=:@/?#-]*)?")


def build_links(
    targets: Iterable[LinkTarget], sources: Mapping[str, Source], base_url: str, spoken: Set[str]
) -> list[dict[str, Any]]:
    """The links as CDS Hooks objects, each address once.

    ``spoken`` are the words of the assessment. A target below our own address is left out while
    ``base_url`` is empty, and so is a source without address: a link must be absolute.
    """
    found: dict[str, dict[str, Any]] = {}
    for target in targets:
        address = _address(target, sources, base_url)
        if address and not (target.unless & spoken):
            found.setdefault(address, {"label": target.label, "url": address, "type": target.type})
    return list(found.values())


def _address(target: LinkTarget, sources: Mapping[str, Source], base_url: str) -> str:
    if target.url:
        return target.url
    if target.source:
        return sources[target.source].url
    return below(base_url, target.path)


def added_links(links: Iterable[AddedLink]) -> list[dict[str, Any]]:
    """Links of a configured list as CDS Hooks objects; one that is no plain https address is left out."""
    return [
        {"label": clean(link.label), "url": link.url, "type": "absolute"}
        for link in links
        if clean(link.label) and _HTTPS.fullmatch(link.url)
    ]


def below(base_url: str, path: str) -> str:
    """An address of our own; empty while our public address is not known."""
    return f"{base_url.rstrip('/')}{path}" if base_url else ""
