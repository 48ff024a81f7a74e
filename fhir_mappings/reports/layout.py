"""A report as statements: headings open sections, wrapped lines are joined, sentences are cut, rows kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fhir_mappings.reports.text import words_of

LONGEST = 800
"""Characters of a statement; a longer run of text is cut, so that no line can make reading slow."""

_ABBREVIATED = frozenset(
    "approx ca vs e.g i.e eg ie no nr ref dr prof resp incl excl z.b u.a v.a z.n a.v i.v st fig max min"
    " ggf bzw evtl d.h o.b c cf al mrs mr ms".split()
)
_LEADER = re.compile(r"(?:\.\s?){3,}|_{3,}|-{4,}")
_LABEL = re.compile(r"\s*(?:[-*]\s+|\(?[0-9a-h][.)]\s+)?(?:[^\n:.]|::){1,60}:(?!:)(?:\s|$)")
_BULLET = re.compile(r"\s*(?:[-*]\s+|\(?\d{1,2}[.)]\s+)")
_ROW = re.compile(
    r"\s*[^\d\n:]{2,40}?[\s.:]+[<>~]?\s?\d[\d.,]*\d?\s*%?(?:\s*[hl*])?(?:\s+(?:[(\[<>]|\d)[^\n]{0,40})?\s*$"
)
_CELLS = re.compile(r"\s*\|\s*|\t+|\s{3,}")
_STOP = re.compile(r"[.!](?=\s)|(?<=[a-z0-9)])\?(?=\s+\S)")
_WORD_BEFORE = re.compile(r"[a-zß.]*$")
_ASIDE = ("history", "question")
_ENDED = frozenset(".;:!?")


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence, line or table row: ``text[start:end]``.

    ``section`` is that of ``areas.toml``; ``heading`` where its words stand; ``area`` is the material that
    the heading names.
    """

    start: int
    end: int
    section: str
    heading: tuple[int, int] = (0, 0)
    is_row: bool = False


@dataclass(slots=True)
class _Section:
    name: str = "body"
    heading: tuple[int, int] = (0, 0)
    is_inline: bool = False


@dataclass(frozen=True, slots=True)
class Headings:
    """The headings of the knowledge, by their words."""

    sections: Mapping[str, str]
    _known: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, headings: Mapping[str, str]) -> Headings:
        """``headings`` maps each heading to its section."""
        return cls({" ".join(words_of(words)): section for words, section in headings.items()})

    def section_of(self, words: str) -> str | None:
        """The section that a folded line opens; None where it is no heading."""
        words = words.strip(" \t\r*#=_-.()[]").removesuffix(":").strip()
        if not words or len(words) > 60:
            return None
        found = self.sections.get(words)
        if found is None and not words.isalpha():
            found = self.sections.get(" ".join(words_of(words)))
        return found


def statements_of(folded: str, headings: Headings) -> Iterator[Statement]:
    """The statements of a folded text in order."""
    section = _Section()
    for start, end in _paragraphs(folded):
        yield from _of_paragraph(folded, start, end, headings, section)


def _paragraphs(folded: str) -> Iterator[tuple[int, int]]:
    """Runs of lines that belong together: a blank line, or a line that stands for itself, ends one."""
    start = -1
    place = 0
    for line in folded.splitlines(keepends=True):
        end = place + len(line)
        if not line.strip():
            if start >= 0:
                yield start, place
            start = -1
        elif start < 0:
            start = place
        place = end
    if start >= 0:
        yield start, len(folded)


def _of_paragraph(
    folded: str, start: int, end: int, headings: Headings, section: _Section
) -> Iterator[Statement]:
    begun = start
    previous = ""
    place = start
    if section.is_inline and section.name in _ASIDE:
        # "Clinical history: ..." speaks of its own paragraph; what follows an empty line is the report again.
        section.name, section.heading, section.is_inline = "body", (start, start), False
    for line in folded[start:end].splitlines(keepends=True):
        opened = _opens(line, headings)
        if opened is not None or (place > begun and _stands_alone(previous, line)):
            if place > begun:
                yield from _sentences(folded, begun, place, headings, section)
            begun = place
        if opened is not None:
            name, width = opened
            section.name, section.heading = name, (place, place + width)
            section.is_inline = bool(line[width:].strip())
            if not line[width:].strip():
                begun = place + len(line)
                previous = ""
                place += len(line)
                continue
        previous = line
        place += len(line)
    if begun < end:
        yield from _sentences(folded, begun, end, headings, section)


def _opens(line: str, headings: Headings) -> tuple[str, int] | None:
    """The section a line opens, and how wide its heading is."""
    colon = line.find(":")
    if 0 < colon <= 60:
        found = headings.section_of(line[:colon])
        if found is not None and line[colon : colon + 2] != "::":
            return found, colon + 1
    if len(line) <= 70 and line.rstrip()[-1:] not in ".),;":
        found = headings.section_of(line)
        if found is not None:
            return found, len(line.rstrip())
    return None


def _stands_alone(previous: str, line: str) -> bool:
    """Whether a line begins something new, rather than going on where the line before broke off."""
    if _BULLET.match(line):
        return True
    ended = previous.rstrip()[-1:] in _ENDED
    if _LABEL.match(line):
        return ended or bool(_LABEL.match(previous)) or bool(_ROW.fullmatch(previous.rstrip("\r\n")))
    if _is_row(previous):
        return _is_row(line) or bool(_ROW.fullmatch(line.rstrip("\r\n")))
    return bool(_ROW.fullmatch(line.rstrip("\r\n"))) and bool(_ROW.fullmatch(previous.rstrip("\r\n")))


def _is_row(line: str) -> bool:
    return len(_CELLS.split(line.strip())) > 1 if line.strip() else False


def _sentences(
    folded: str, start: int, end: int, headings: Headings, section: _Section
) -> Iterator[Statement]:
    """A paragraph taken apart where a sentence ends; a heading may open one within a line."""
    text = folded[start:end]
    row = _is_row(text) and "\n" not in text.strip()
    for first, last in _cut(text):
        opened = _opens(text[first:last].lstrip(), headings)
        if opened is not None and first > 0:
            lead = len(text[first:last]) - len(text[first:last].lstrip())
            section.name = opened[0]
            section.heading = (start + first + lead, start + first + lead + opened[1])
        for piece, stop in _short(text, first, last):
            yield Statement(start + piece, start + stop, section.name, section.heading, row)


def _cut(text: str) -> Iterator[tuple[int, int]]:
    begun = 0
    for match in _STOP.finditer(text):
        place = match.start()
        if text[place] == "." and (_is_abbreviation(text, begun, place) or _in_leader(text, place)):
            continue
        yield begun, match.end()
        begun = match.end()
    if text[begun:].strip():
        yield begun, len(text)


def _is_abbreviation(text: str, begun: int, place: int) -> bool:
    if text[begun:place].strip().isdigit():
        return True
    before = _WORD_BEFORE.search(text[max(begun, place - 8) : place])
    stem = before.group() if before else ""
    return stem in _ABBREVIATED or (len(stem) == 1 and stem.isalpha())


def _in_leader(text: str, place: int) -> bool:
    around = text[max(0, place - 4) : place + 5]
    return bool(re.search(r"\.\s?\.", around))


def _short(text: str, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Pieces of at most ``LONGEST`` characters, cut at white space where there is any."""
    while last - first > LONGEST:
        stop = text.rfind(" ", first + 1, first + LONGEST)
        stop = stop if stop > first else first + LONGEST
        yield first, stop
        first = stop
    while first < last and text[first].isspace():
        first += 1
    while last > first and text[last - 1].isspace():
        last -= 1
    if first < last:
        yield first, last


def cells_of(folded: str, start: int, end: int) -> list[tuple[int, int]]:
    """The cells of a table row as offsets; an empty cell has no width."""
    found = []
    place = start
    for match in _CELLS.finditer(folded, start, end):
        found.append((place, match.start()))
        place = match.end()
    found.append((place, end))
    return found
