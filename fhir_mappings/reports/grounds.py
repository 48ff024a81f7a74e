"""What one statement rests on: how far its words may be trusted, and which material they speak of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.report_language import Assertion, Cue, Subject
from fhir_mappings.clinical.written_reports import About, DescribedResult, Effect, Trust
from fhir_mappings.reports.context import Context
from fhir_mappings.reports.effects import effect_of
from fhir_mappings.reports.lexicon import Lexicon
from fhir_mappings.reports.linking import Link, linked
from fhir_mappings.reports.marks import Marked
from fhir_mappings.reports.phrases import Match
from fhir_mappings.reports.quantities import Quantity

_AWAY = {"history": "historical", "question": "hypothetical", "method": "limit", "reference": "reference"}
_NOUNS = frozenset({"fusion", "rearrangement", "transcript", "translocation", "gene", "rearranged"})
_EVIDENCE = frozenset(
    {"evidence", "sign", "signs", "hinweis", "anhalt", "nachweis", "evidencia", "indication"}
)
_SEEN = frozenset(
    {"identified", "seen", "detected", "present", "found", "observed", "nachweisbar", "nachgewiesen"}
)
_FLOW = ("flow", "facs", "cytometr", "immunophenotyp", "durchfluss", "citometria")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a statement inherits: the report, the material of its section, and the subject before it."""

    about: About
    area: str
    donor: str = ""
    carried: Subject | None = None
    shares_known: bool = False
    flow: bool = False
    asked: str = ""
    """The concept that the statement before asked about: "Relapse? Not seen."."""


@dataclass(frozen=True, slots=True)
class Judged:
    """How far some words may be trusted, and the words that decided it."""

    trust: Trust
    reason: str = ""
    cue: str = ""


_TURNING = ("other-person", "reference", "limit", "superseded", "hypothetical", "historical")
_FIGURES_ONLY = ("reference", "limit", "superseded")


class Grounds:
    """One marked statement and what it inherits; results are made here."""

    def __init__(self, text: str, marked: Marked, lexicon: Lexicon, around: Surroundings) -> None:
        self._text, self._marked, self._lexicon, self._around = text, marked, lexicon, around
        self._context = Context(marked, around.about.date)
        self._links = linked(marked, lexicon)
        self._markers = lexicon.subjects["marker"].words if "marker" in lexicon.subjects else ()

    # ---- trust --------------------------------------------------------------------------------------
    def _judged(self, first: int, last: int, link: Link | None = None) -> Judged:
        section = self._marked.statement.section
        if section in _AWAY:
            begin, end = self._marked.statement.heading
            return Judged(Trust.NOT_THIS, _AWAY[section], self._text[begin:end].strip(" :\n\t"))
        if self._around.donor:
            return Judged(Trust.NOT_THIS, "other-person", self._around.donor)
        timepoint = self._context.cue("timepoint", first, last)
        if timepoint is not None and self._context.comes_back(first):
            return Judged(Trust.NOT_THIS, "historical", self._words(timepoint))
        # A normal range, a limit and a corrected value are figures; words are not taken for them.
        kinds = _FIGURES_ONLY if link is None else ()
        for kind in _TURNING:
            if kind in kinds:
                continue
            cue = self._context.cue(kind, first, last)
            if cue is not None:
                return Judged(Trust.NOT_THIS, kind, self._words(cue))
        old = self._context.old_date(first, last)
        if old is not None:
            return Judged(Trust.NOT_THIS, "historical", self._quote(*old))
        if link is not None and self._is_bracketed_range(link):
            return Judged(Trust.NOT_THIS, "reference", self._quote(link.figure.first, link.figure.last))
        cue = self._context.cue("uncertain", first, last)
        if cue is not None:
            return Judged(Trust.DOUBTFUL, "uncertain", self._words(cue))
        return Judged(Trust.KNOWN)

    def _is_bracketed_range(self, link: Link) -> bool:
        """ "6 % (0-3)": a range in brackets behind a figure of the same subject is the normal range."""
        figure, marked = link.figure, self._marked
        if figure.quantity.kind != "range" or marked.groups[figure.first] == 0:
            return False
        return any(
            other.subject is link.subject
            and other.figure.first < figure.first
            and marked.groups[other.figure.first] != marked.groups[figure.first]
            for other in self._links
        )

    # ---- places and words ---------------------------------------------------------------------------
    def _area(self, first: int, last: int) -> str:
        """The material some words speak of: named in the clause, the statement, the section, the report."""
        marked = self._marked
        named = [one for one in marked.areas if marked.clauses[one.first] == marked.clauses[first]]
        before = [one for one in named if one.first < last]
        if before:
            chosen = before[-1].meaning.id
        elif named:
            chosen = named[0].meaning.id
        elif marked.areas:
            chosen = marked.areas[0].meaning.id
        else:
            chosen = self._around.area
        chosen = "" if chosen in ("residual", "genetics") else chosen
        if chosen == "marrow" and self._around.area in ("testis", "elsewhere", "csf") and not before:
            chosen = self._around.area
        return chosen

    def _concept(self, subject: Subject, area: str, quantity: Quantity | None) -> str:
        if (
            subject.role == "blasts"
            and self._around.about.area == "residual"
            and area in ("", "marrow", "blood")
        ):
            return "mrd"
        if "any" in subject.concepts:
            return subject.concepts["any"]
        if area == "csf" and subject.role == "blasts":
            if quantity is None:
                return "csf-cytology"
            return "csf-flow" if self._is_flow() else "csf-blasts"
        return subject.concepts.get(area or "marrow", "")

    def _is_flow(self) -> bool:
        words = " ".join(self._marked.words)
        return self._around.flow or self._marked.statement.section == "flow" or any(w in words for w in _FLOW)

    def _negated_span(
        self, negation: Match[Cue], first: int, last: int, subject: Subject | None = None
    ) -> tuple[int, int]:
        words = self._marked.words
        if negation.first >= last:
            if subject is not None and subject.role == "gene":
                return first, negation.last
            return negation.first, negation.last
        evidence = [place for place in range(negation.first, first) if words[place] in _EVIDENCE]
        if evidence:
            return negation.first, evidence[0] + 1
        end = last
        while end < len(words) and (words[end] in _SEEN or (words[end] in _NOUNS and end == last)):
            end += 1
        if "of" in words[negation.last : first] and first - negation.last > 1:
            return negation.first, end
        return negation.first, end

    def _words(self, one: Match[Subject] | Match[Cue] | Match[Assertion]) -> str:
        return self._quote(one.first, one.last)

    def _between(self, first: int, last: int) -> str:
        return self._quote(first, last) if first < last else ""

    def _quote(self, first: int, last: int) -> str:
        begin, end = self._marked.span(first, last)
        return self._text[begin:end]

    def _result(
        self, link: Link, quantity: Quantity, concept: str, judged: Judged, area: str
    ) -> DescribedResult:
        begin, end = quantity.start, quantity.end
        first, last = link.figure.first, link.figure.last
        gated = next((c for c in self._marked.cues if c.meaning.kind == "gated" and c.first == last), None)
        if gated is not None and judged.reason == "gated":
            end = self._marked.tokens.ends[gated.last - 1]
        if link.subject is not None and link.subject.meaning.short and link.subject.last == first:
            begin = self._marked.tokens.starts[link.subject.first]
        cells = [place for place in (self._text.find(sign, begin, end) for sign in "\t|") if place > begin]
        end = min([end, *cells])
        end -= len(self._text[begin:end]) - len(self._text[begin:end].rstrip())
        negation = None
        if link.subject is not None:
            negation = self._context.negation(link.subject.first, link.subject.last)
        statement = self._marked.statement
        result = DescribedResult(
            concept=concept,
            quote=self._text[begin:end],
            start=begin,
            end=end,
            sentence_start=statement.start,
            sentence_end=statement.end,
            trust=judged.trust,
            effect=Effect.OPEN,
            cue=judged.cue,
            reason=judged.reason,
            low=_trim(quantity.low),
            high=_trim(quantity.high),
            low_open=quantity.low_open,
            high_open=quantity.high_open,
            unit=quantity.unit,
            negated=negation is not None,
            area=area,
            date=self._date(first, last),
        )  # fmt: skip
        return self._with_effect(result)

    def _worded(
        self, first: int, last: int, concept: str, judged: Judged, presence: str, area: str,
        negated: bool = False,
    ) -> DescribedResult:  # fmt: skip
        begin, end = self._marked.span(first, last)
        statement = self._marked.statement
        result = DescribedResult(
            concept=concept,
            quote=self._text[begin:end],
            start=begin,
            end=end,
            sentence_start=statement.start,
            sentence_end=statement.end,
            trust=judged.trust,
            effect=Effect.OPEN,
            cue=judged.cue,
            reason=judged.reason,
            presence=presence,
            negated=negated,
            area=area,
            date=self._date(first, last),
        )  # fmt: skip
        return self._with_effect(result)

    def _date(self, first: int, last: int) -> Moment | None:
        """The date a statement of another sample names, else that of the report."""
        for moment, _begin, _end in self._context.dated(first, last):
            return moment
        return self._around.about.date

    def _with_effect(self, result: DescribedResult) -> DescribedResult:
        return replace(result, effect=effect_of(result, self._lexicon))


def _trim(number: Decimal | None) -> Decimal | None:
    if number is None:
        return None
    if number.as_tuple().exponent < -8:  # type: ignore[operator]
        number = round(number, 8)
    return number
