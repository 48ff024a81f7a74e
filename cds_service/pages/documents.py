"""Documents in Markdown as pages: headings that can be linked to, tables that fit, links among themselves."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from posixpath import dirname, join, normpath

from markdown_it import MarkdownIt
from markdown_it.token import Token

_NEIGHBOUR = re.compile(r"((?:\.{1,2}/)?(?:[A-Za-z0-9_-]+/)?[A-Za-z0-9_-]+)\.md(#.*)?")
_NOT_IN_AN_ANCHOR = re.compile(r"[^a-z0-9]+")
_IN_CONTENTS = {"h2": 1, "h3": 2}


@dataclass(frozen=True, slots=True)
class Heading:
    """One entry of a table of contents; ``level`` is 1, or 2 for a part of the one before."""

    anchor: str
    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """A document; ``body`` is HTML made from Markdown with raw HTML off, without its first heading."""

    name: str
    title: str
    body: str
    contents: tuple[Heading, ...]


@lru_cache(maxsize=1)
def clinical_documents() -> dict[str, DocumentPage]:
    """The clinical documents of the package, by name."""
    place = _place()
    texts = {
        file.relative_to(place).as_posix().removesuffix(".md"): file.read_text("utf-8")
        for file in sorted(place.rglob("*.md"))
    }
    return {name: document_page(name, text, texts) for name, text in texts.items()}


def _place() -> Path:
    """Where the pages lie: in an installed package beside this module, in a checkout in ``docs``."""
    packaged = Path(__file__).parent / "clinical"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "docs" / "clinical"


def document_page(name: str, text: str, names: Collection[str] = ()) -> DocumentPage:
    """A document from its Markdown. A relative link leads to one of ``names`` or to nothing."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    tokens = markdown.parse(text)
    title, tokens = _without_title(name, tokens)
    contents = _with_anchors(tokens)
    _without_styles(tokens)
    for token in tokens:
        _with_links(token, name, names)
    body = markdown.renderer.render(_with_regions(tokens, title), markdown.options, {})
    # A cell without words heads nothing; code may be wider than a phone and is scrolled by key.
    body = body.replace("<th></th>", "<td></td>").replace("<pre>", '<pre tabindex="0">')
    return DocumentPage(name, title, body, contents)


def _without_title(name: str, tokens: list[Token]) -> tuple[str, list[Token]]:
    if len(tokens) > 2 and tokens[0].tag == "h1":
        return _words(tokens[1]), tokens[3:]
    return name, tokens


def _words(inline: Token) -> str:
    return "".join(child.content for child in inline.children or ())


def _with_anchors(tokens: list[Token]) -> tuple[Heading, ...]:
    """Gives every heading an id and returns the headings of the table of contents."""
    used: set[str] = set()
    found: list[Heading] = []
    for opening, inline in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        words = _words(inline)
        base = _NOT_IN_AN_ANCHOR.sub("-", words.lower()).strip("-") or "part"
        anchor, number = base, 1
        while anchor in used:
            number += 1
            anchor = f"{base}-{number}"
        used.add(anchor)
        opening.attrSet("id", anchor)
        if opening.tag in _IN_CONTENTS:
            found.append(Heading(anchor, words, _IN_CONTENTS[opening.tag]))
    return tuple(found)


def _with_regions(tokens: list[Token], title: str) -> list[Token]:
    """Every table in a region that scrolls, named by the heading above it."""
    found: list[Token] = []
    used: dict[str, int] = {}
    heading = title
    for before, token in pairwise([Token("", "", 0), *tokens]):
        if before.type == "heading_open":
            heading = _words(token)
        if token.type == "table_open":
            used[heading] = used.get(heading, 0) + 1
            number = f", {used[heading]}" if used[heading] > 1 else ""
            opening = Token("region_open", "div", 1, block=True)
            opening.attrs = {
                "class": "table-scroll",
                "tabindex": "0",
                "role": "region",
                "aria-label": f"Table: {heading}{number}",
            }
            found.append(opening)
        found.append(token)
        if token.type == "table_close":
            found.append(Token("region_close", "div", -1, block=True))
    return found


def _without_styles(tokens: list[Token]) -> None:
    """Alignment of cells as a class: the pages' policy admits no style attribute."""
    for token in tokens:
        if token.attrs.pop("style", None) == "text-align:right":
            token.attrSet("class", "number")


def _with_links(token: Token, name: str, names: Collection[str]) -> None:
    for child in token.children or ():
        if child.type != "link_open":
            continue
        address = str(child.attrGet("href") or "")
        neighbour = _NEIGHBOUR.fullmatch(address)
        target = normpath(join(dirname(name), neighbour[1])) if neighbour else ""
        if neighbour and target in names:
            child.attrSet("href", f"/clinical/{target}{neighbour[2] or ''}")
        elif address.startswith(("https://", "http://")):
            child.attrSet("rel", "noopener noreferrer")
        elif not address.startswith("#"):
            child.attrs.pop("href", None)
