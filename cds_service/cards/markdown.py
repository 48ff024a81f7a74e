"""GitHub-flavoured Markdown in which text from a record can only ever be text (ASVS 5.0, 1.3.5).

Escaping happens where a value is inserted. What cannot be markup inside a line stays as it is, so that
numbers, dates and words are readable even where a client shows the Markdown source.
"""

from __future__ import annotations

import re

from cds_service.cards.text import clean, shorten

WORD_JOINER = "\u2060"
MAX_VALUE = 300

_HARMLESS_INSIDE_A_LINE = (
    r"[A-Za-z0-9%,()?]++"
    r"|-(?!-)|\+(?!\+)|=(?!=)|/(?!/)"
    r"|(?<=[0-9])\.(?=[0-9])|\.(?= |\Z)|[;:](?= )|(?<=[A-Za-z0-9])::(?=[A-Za-z0-9])"
    r"|(?<=[A-Za-z])'(?=[A-Za-z])"
    r"|(?<=10)\^(?=-?[0-9])"
    r"|<(?=[ =]?[0-9])|<(?== )|>(?=[ =0-9])"
)
_PLAIN = re.compile(rf"(?! )(?:{_HARMLESS_INSIDE_A_LINE}| (?! |\Z))*")
_PUNCTUATION = re.compile(rf"{_HARMLESS_INSIDE_A_LINE}|([!-/:-@\[-`{{-~])")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", ":": "&#58;", ".": "&#46;"}
_ESCAPES = _ENTITIES | {"@": f"{WORD_JOINER}@{WORD_JOINER}"}

_BLOCK_START = re.compile(r"[=>#~|:]|[-+](?![0-9])|[*](?=\s|$)|[0-9]{1,9}[.)](?=\s|$)")

_BACK_TO_TEXT = re.compile(r"\\([!-/:-@\[-`{-~])|&(lt|gt|amp|#58|#46);|\*\*|" + WORD_JOINER)
_CHARACTERS = {"lt": "<", "gt": ">", "amp": "&", "#58": ":", "#46": "."}


def escape(value: str, limit: int = MAX_VALUE) -> str:
    """``value`` as Markdown that renders as exactly its cleaned text, in the middle of a line.

    ``limit`` is in UTF-16 code units of the text. The ``@`` stands between word joiners because
    e-mail autolinks survive entities and backslashes.
    """
    if len(value) <= limit and _PLAIN.fullmatch(value):
        return value
    return _PUNCTUATION.sub(_escaped, shorten(clean(value), limit))


def _escaped(match: re.Match[str]) -> str:
    character: str | None = match[1]
    if character is None:
        return match[0]
    return _ESCAPES.get(character, f"\\{character}")


def as_line(inline: str) -> str:
    """``inline`` Markdown as a line of its own that starts no list, heading, quotation, rule or table."""
    match = _BLOCK_START.match(inline)
    if match is None:
        return inline
    last = match.end() - 1
    return f"{inline[:last]}\\{inline[last:]}"


def bullet(inline: str) -> str:
    """One item of a list."""
    return f"- {as_line(inline)}"


def heading(inline: str) -> str:
    """A heading within a card: bold text, because clients size real headings for whole pages."""
    return f"**{inline}**"


def as_text(markdown: str) -> str:
    """The Markdown this package writes as plain text for a terminal."""
    return _BACK_TO_TEXT.sub(_character, markdown)


def _character(match: re.Match[str]) -> str:
    if match[1] is not None:
        return match[1]
    return _CHARACTERS[match[2]] if match[2] is not None else ""


_CELL = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"\|( ?-+ ?\|)+")


def detail_as_text(markdown: str) -> str:
    """A detail without any Markdown: a row of a table is a line, a list item too."""
    lines = markdown.split("\n")
    heads = {index - 1 for index, line in enumerate(lines) if _RULE.fullmatch(line)}
    kept = [
        _line_as_text(line)
        for index, line in enumerate(lines)
        if index not in heads and not _RULE.fullmatch(line) and line != "---"
    ]
    return "\n".join(line for index, line in enumerate(kept) if line or (index and kept[index - 1]))


def _line_as_text(line: str) -> str:
    if line.startswith("| "):
        cells = [as_text(cell.strip()) for cell in _CELL.split(line)[1:-1]]
        what, value, *rest = cells
        return f"{what}: {value}" + (f" ({'; '.join(rest)})" if rest else "")
    return as_text(line.removeprefix("- "))
