"""Which figure belongs to which subject: the nearest in the order the statement is written in."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from fhir_mappings.clinical.report_language import Subject
from fhir_mappings.reports.lexicon import Lexicon
from fhir_mappings.reports.marks import Figure, Marked
from fhir_mappings.reports.phrases import Match

_FAR = 25
_COSTS = {
    ",": 5,
    ";": 0,
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
_COUNTED = ("leukocytes", "erythrocytes")
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
    counted = figure.quantity.unit == "/uL"
    near = _near(figure, marked)
    for subject in near.subjects:
        if subject.first < last and figure.first < subject.last:
            continue
        if counted and subject.meaning.role not in _COUNTED and figure.quantity.kind == "chamber":
            continue
        cost = _cost(figure, last, subject, marked, between, near)
        candidates.append((cost, subject.first > figure.first, subject.first, subject))
    if not candidates:
        return Link(figure, None, _FAR, of, last)
    leads = _figure_leads(marked)
    best = min(candidates, key=lambda one: (one[0], one[1] is not leads, one[2]))
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


class _Near:
    """The subjects and figures around a figure: those farther off can be neither its own nor in between."""

    __slots__ = ("figures", "subjects")

    def __init__(self, subjects: list[Match[Subject]], figures: list[Figure]) -> None:
        self.subjects, self.figures = subjects, figures


_SIDE = 4


def _near(figure: Figure, marked: Marked) -> _Near:
    subjects, figures = marked.subjects, marked.figures
    place = bisect_left(subjects, figure.first, key=lambda one: one.first)
    own = bisect_left(figures, figure.first, key=lambda one: one.first)
    return _Near(
        subjects[max(0, place - _SIDE) : place + _SIDE + 1],
        figures[max(0, own - 2 * _SIDE) : own + 2 * _SIDE + 1],
    )


def _cost(
    figure: Figure,
    last: int,
    subject: Match[Subject],
    marked: Marked,
    between: frozenset[str],
    near: _Near,
) -> int:
    before = subject.last <= figure.first
    begin, end = (subject.last, figure.first) if before else (last, subject.first)
    if begin > end:
        return 0
    cost = _cost_between(begin, end, marked, between)
    for other in near.subjects:
        if begin <= other.first and other.last <= end:
            cost += 12
    for other_figure in near.figures:
        if begin <= other_figure.first and other_figure.last <= end and other_figure is not figure:
            # A subject keeps the figure that stands next to it; a bracket may repeat it.
            inside = marked.groups[other_figure.first] > marked.groups[figure.first]
            aside = marked.groups[figure.first] != marked.groups[other_figure.first]
            cost += 0 if inside else 4 if aside else 8
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
        elif word not in between and not _in_brackets(place, begin, end, marked):
            cost += 1
    return cost


def _in_brackets(place: int, begin: int, end: int, marked: Marked) -> bool:
    """Words in brackets of their own between a subject and its figure: "blasts (normal 0-3): 2"."""
    outside = marked.groups[begin - 1] if begin else 0
    return marked.groups[place] > outside and end < len(marked.groups) and marked.groups[end] == outside


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
