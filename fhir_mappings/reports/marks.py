"""One statement with everything in it that means something: subjects, cues, areas, figures, dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from fhir_mappings.clinical.report_language import Amount, Area, Assertion, Category, Cue, Subject
from fhir_mappings.reports.dates import WrittenDate, dates_in
from fhir_mappings.reports.layout import Statement
from fhir_mappings.reports.lexicon import Lexicon, Meaning, ShareOf, Silent
from fhir_mappings.reports.phrases import Match
from fhir_mappings.reports.quantities import Quantity
from fhir_mappings.reports.text import Tokens, tokens_of

Kind = TypeVar("Kind")
_SIGNS = ("+", "-", "(")
_MARKED = frozenset(
    {"+", "positive", "negative", "dim", "bright", "pos", "neg", "positiv", "negativ", "partial"}
)
_OPENING, _CLOSING = frozenset("(["), frozenset(")]")


@dataclass(frozen=True, slots=True)
class Figure:
    """A quantity at the tokens ``first`` to ``last`` (excluded)."""

    quantity: Quantity
    first: int
    last: int


@dataclass(slots=True)
class Marked:
    """A statement taken apart. ``clauses`` and ``groups`` number the clause and the bracket of each token."""

    statement: Statement
    tokens: Tokens
    subjects: list[Match[Subject]] = field(default_factory=list)
    areas: list[Match[Area]] = field(default_factory=list)
    cues: list[Match[Cue]] = field(default_factory=list)
    assertions: list[Match[Assertion]] = field(default_factory=list)
    categories: list[Match[Category]] = field(default_factory=list)
    amounts: list[Match[Amount]] = field(default_factory=list)
    shares: list[Match[ShareOf]] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    dates: list[tuple[WrittenDate, int, int]] = field(default_factory=list)
    clauses: list[int] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)

    @property
    def words(self) -> tuple[str, ...]:
        """The tokens as words."""
        return self.tokens.words

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Offsets of some tokens."""
        return self.tokens.starts[first], self.tokens.ends[last - 1]

    def has(self, word: str, first: int, last: int) -> bool:
        """Whether a word stands between two tokens."""
        return word in self.tokens.words[first:last]


def mark(folded: str, statement: Statement, lexicon: Lexicon) -> Marked:
    """Everything in one statement that means something."""
    tokens = tokens_of(folded, statement.start, statement.end)
    marked = Marked(statement, tokens)
    matches = _unhidden(lexicon.phrases.find(tokens.words))
    _sort(matches, marked)
    _add_figures(folded, statement, lexicon, marked)
    _number_clauses(marked)
    return marked


def _unhidden(matches: list[Match[Meaning]]) -> list[Match[Meaning]]:
    """Without the phrases that stand within a longer one; an area is seen wherever it stands."""
    hiding = [one for one in matches if not isinstance(one.meaning, (Area, ShareOf))]
    kept = []
    for one in matches:
        width = one.last - one.first
        hidden = any(
            other.first <= one.first
            and one.last <= other.last
            and other.last - other.first > width
            and not (other.first < one.first and _are_of_one_kind(one.meaning, other.meaning))
            for other in hiding
        )
        if not hidden or isinstance(one.meaning, (Area, ShareOf)):
            kept.append(one)
    return kept


def _are_of_one_kind(one: Meaning, other: Meaning) -> bool:
    """Two cues of one kind may reach in two directions: the longer does not hide the shorter."""
    return isinstance(one, Cue) and isinstance(other, Cue) and one.kind == other.kind


def _sort(matches: Sequence[Match[Meaning]], marked: Marked) -> None:
    for one in matches:
        meaning = one.meaning
        if isinstance(meaning, Subject):
            if not (meaning.id == "marker" and _is_adjective(one, marked)):
                marked.subjects.append(Match(meaning, one.first, one.last))
        elif isinstance(meaning, Area):
            marked.areas.append(Match(meaning, one.first, one.last))
        elif isinstance(meaning, Cue):
            marked.cues.append(Match(meaning, one.first, one.last))
        elif isinstance(meaning, Assertion):
            marked.assertions.append(Match(meaning, one.first, one.last))
        elif isinstance(meaning, Category):
            marked.categories.append(Match(meaning, one.first, one.last))
        elif isinstance(meaning, Amount):
            marked.amounts.append(Match(meaning, one.first, one.last))
        elif isinstance(meaning, ShareOf):
            marked.shares.append(Match(meaning, one.first, one.last))
        elif isinstance(meaning, Silent):
            continue
    _only_longest(marked)


def _is_adjective(one: Match[Meaning], marked: Marked) -> bool:
    """ "CD19+", "TdT-positive", "CD45 dim" say of which kind the cells are; they are no cells themselves."""
    words = marked.words
    after = words[one.last] if one.last < len(words) else ""
    later = words[one.last + 1] if one.last + 1 < len(words) else ""
    return after in _MARKED or (after in _SIGNS and (later in _MARKED or not later or not later[0].isdigit()))


def _only_longest(marked: Marked) -> None:
    """Of two subjects at one place the longer is meant."""
    marked.subjects = [
        one
        for one in marked.subjects
        if not any(
            other is not one and other.first <= one.first and one.last <= other.last
            and other.last - other.first > one.last - one.first
            for other in marked.subjects
        )
    ]  # fmt: skip


def _add_figures(folded: str, statement: Statement, lexicon: Lexicon, marked: Marked) -> None:
    start, end = statement.start, statement.end
    if not lexicon.figures.hint.search(folded, start, end):
        return
    tokens = marked.tokens
    marked.dates = [
        (one, tokens.index_at(one.start), tokens.index_at(one.end - 1) + 1)
        for one in dates_in(folded, start, end)
    ]
    for quantity in lexicon.figures.find(folded, start, end):
        if any(quantity.start < one.end and one.start < quantity.end for one, _first, _last in marked.dates):
            continue
        first, last = tokens.index_at(quantity.start), tokens.index_at(quantity.end - 1) + 1
        if quantity.kind == "none" or _is_part_of_a_name(first, last, quantity, marked):
            continue
        marked.figures.append(Figure(quantity, first, last))


def _is_part_of_a_name(first: int, last: int, quantity: Quantity, marked: Marked) -> bool:
    """ "t(9;22)", "CNS 3", "500-cell": figures that are names."""
    named: list[Match[Subject] | Match[Category]] = [*marked.subjects, *marked.categories]
    if quantity.kind == "single" and any(one.first <= first and last <= one.last for one in named):
        return True
    words = marked.words
    following = words[last : last + 2]
    return not quantity.unit and len(following) == 2 and following[0] == "-" and following[1].isalpha()


def _number_clauses(marked: Marked) -> None:
    breaks = {cue.first for cue in marked.cues if cue.meaning.kind == "break"}
    clause = group = groups = 0
    open_groups: list[int] = []
    for place, word in enumerate(marked.words):
        named = any(one.first < place < one.last for one in marked.subjects)
        if (word == ";" and not named) or place in breaks:
            clause += 1
        if word in _OPENING:
            groups += 1
            open_groups.append(group)
            group = groups
        marked.clauses.append(clause)
        marked.groups.append(group)
        if word in _CLOSING and open_groups:
            group = open_groups.pop()
