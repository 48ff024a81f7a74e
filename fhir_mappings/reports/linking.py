"""Which figure belongs to which subject: the nearest in the order the statement is written in."""

from __future__ import annotations

from collections.abc import Sequence

from fhir_mappings.clinical.report_language import Subject
from fhir_mappings.reports.lexicon import Lexicon
from fhir_mappings.reports.marks import Figure, Marked
from fhir_mappings.reports.phrases import Match

_FAR = 25
_COSTS = {
    ",": 5,
    ";": 40,
    ".": 0,
    ":": 0,
    "(": 1,
    ")": 1,
    "=": 0,
    "|": 0,
    "/": 3,
    "-": 0,
    "+": 0,
    "[": 1,
    "]": 1,
}
_CLOSE = 2
_OF = frozenset({"of", "der", "de", "des", "from"})
_ALL = frozenset({"the", "all", "total", "los", "las", "les", "nucleated", "marrow", "these", "counted"})


class Link:
    """A figure with its subject, how far away it stands, and what its share is taken of."""

    __slots__ = ("cost", "figure", "last", "of", "subject")

    def __init__(self, figure: Figure, subject: Match[Subject] | None, cost: int, of: str, last: int) -> None:
        self.figure, self.subject, self.cost, self.of, self.last = figure, subject, cost, of, last


def linked(marked: Marked, lexicon: Lexicon) -> list[Link]:
    """Every figure with its subject; None where no subject of the statement is near enough."""
    return [_link(figure, marked, lexicon) for figure in marked.figures]


def _link(figure: Figure, marked: Marked, lexicon: Lexicon) -> Link:
    of, last = _share_of(figure, marked)
    inside = [one for one in marked.subjects if figure.first <= one.first and one.last <= figure.last]
    if inside:
        return Link(figure, inside[-1], 0, of, last)
    between = lexicon.language.figures.between
    candidates = []
    for subject in marked.subjects:
        if subject.first < last and figure.first < subject.last:
            continue
        cost = _cost(figure, last, subject, marked, between)
        candidates.append((cost, subject.first > figure.first, subject.first, subject))
    if not candidates:
        return Link(figure, None, _FAR, of, last)
    best = min(candidates, key=lambda one: (one[0], one[1] is not _figure_leads(marked), one[2]))
    alone = len(marked.subjects) == 1
    if best[0] > (2 * _FAR if alone else _FAR):
        return Link(figure, None, best[0], of, last)
    return Link(figure, best[3], best[0], of, last)


def _figure_leads(marked: Marked) -> bool:
    """Whether the statement writes "62 % blasts, 3 % lymphocytes" rather than "blasts 62 %"."""
    first_figure = marked.figures[0].first
    return all(subject.first > first_figure for subject in marked.subjects)


def _share_of(figure: Figure, marked: Marked) -> tuple[str, int]:
    """What a share is taken of ("of nucleated cells"), and the token after those words."""
    place, words = figure.last, marked.words
    if place >= len(words) or words[place] not in _OF:
        return "", figure.last
    begin = place + 1
    limit = min(begin + 3, len(words))
    while begin <= limit:
        named = [share for share in marked.shares if share.first == begin]
        if named:
            widest = max(named, key=lambda share: share.last)
            return widest.meaning.kind, widest.last
        if begin < len(words) and words[begin] in _ALL:
            begin += 1
            continue
        return "", figure.last
    return "", figure.last


def _cost(figure: Figure, last: int, subject: Match[Subject], marked: Marked, between: frozenset[str]) -> int:
    before = subject.last <= figure.first
    begin, end = (subject.last, figure.first) if before else (last, subject.first)
    if begin > end:
        return 0
    cost = _cost_between(begin, end, marked, between)
    for other in marked.subjects:
        if begin <= other.first and other.last <= end:
            cost += 12
    for other_figure in marked.figures:
        if begin <= other_figure.first and other_figure.last <= end and other_figure is not figure:
            # A subject keeps the figure that stands next to it; a bracket may repeat it.
            cost += 4 if marked.groups[figure.first] != marked.groups[other_figure.first] else 8
    if marked.clauses[figure.first] != marked.clauses[subject.first]:
        cost += 40
    if not before:
        cost += _is_label(subject, marked)
    return cost


def _cost_between(begin: int, end: int, marked: Marked, between: frozenset[str]) -> int:
    cost = 0
    words: Sequence[str] = marked.words
    for place in range(begin, end):
        word = words[place]
        if word in _COSTS:
            cost += _COSTS[word]
        elif word not in between:
            cost += 1
    return cost


def _is_label(subject: Match[Subject], marked: Marked) -> int:
    """A subject with its own figure or a colon behind it is a label of what follows."""
    words = marked.words
    if subject.last < len(words) and words[subject.last] in (":", "="):
        return 10
    if any(figure.first == subject.last for figure in marked.figures):
        return 3
    return 0


def is_close(link: Link) -> bool:
    """Whether the figure stands so near that a missing unit can only be its own."""
    return link.cost <= _CLOSE
