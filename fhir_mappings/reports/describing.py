"""One marked statement to described results: figures first, then what is said without a figure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.report_language import Assertion, Cue, Subject
from fhir_mappings.clinical.written_reports import About, DescribedResult, Effect, Trust
from fhir_mappings.reports.context import Context
from fhir_mappings.reports.lexicon import Lexicon
from fhir_mappings.reports.linking import Link, is_close, linked
from fhir_mappings.reports.marks import Figure, Marked
from fhir_mappings.reports.phrases import Match
from fhir_mappings.reports.quantities import Quantity

_HUNDRED = Decimal(100)
_TOLD = frozenset({"normal-precursors", "other-blasts", "cellularity"})
"""Other cells whose figures are told as not used: they are taken for blasts most easily."""
_AWAY = {"history": "historical", "question": "hypothetical", "method": "limit", "reference": "reference"}
_NOUNS = frozenset({"fusion", "rearrangement", "transcript", "translocation", "gene", "rearranged"})
_EVIDENCE = frozenset({"evidence", "sign", "signs", "hinweis", "anhalt", "nachweis", "evidencia", "indication"})
_SEEN = frozenset({"identified", "seen", "detected", "present", "found", "observed", "nachweisbar", "nachgewiesen"})
_FLOW = ("flow", "facs", "cytometr", "immunophenotyp", "durchfluss", "citometria")
_GENERIC = frozenset({"this", "these", "they", "sample", "specimen", "diese", "esta"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a statement inherits: the report, the material of its section, and the subject before it."""

    about: About
    area: str
    donor: str = ""
    carried: Subject | None = None
    shares_known: bool = False
    flow: bool = False


@dataclass(frozen=True, slots=True)
class _Judged:
    """How far some words may be trusted, and the words that decided it."""

    trust: Trust
    reason: str = ""
    cue: str = ""


class Describer:
    """Describes the results of one statement."""

    def __init__(self, text: str, marked: Marked, lexicon: Lexicon, around: Surroundings) -> None:
        self._text, self._marked, self._lexicon, self._around = text, marked, lexicon, around
        self._context = Context(marked, around.about.date)
        self._links = linked(marked, lexicon)

    def results(self) -> list[DescribedResult]:
        """Every result of the statement, in order."""
        limits = [link for link in self._links if self._is_limit(link)]
        figures = [
            result
            for link in self._links
            if link not in limits
            for result in self._figure(link)
        ]  # fmt: skip
        figures = _without_restated(figures)
        words = [*self._categories(), *self._assertions(), *self._mentions(limits), *self._implied()]
        kept = [one for one in words if not _is_said_by_figure(one, figures)]
        return sorted([*figures, *_without_doubles(kept)], key=lambda one: (one.start, one.end))

    # ---- figures ------------------------------------------------------------------------------------
    def _figure(self, link: Link) -> Iterator[DescribedResult]:
        subject = link.subject.meaning if link.subject is not None else self._unnamed(link.figure)
        if subject is None:
            return
        quantity = link.figure.quantity
        if subject.role == "other":
            if subject.id in _TOLD and quantity.unit == "%" and link.subject is not None:
                judged = _Judged(Trust.NOT_THIS, "other-cells", self._words(link.subject))
                yield self._result(link, replace(quantity), "", judged, self._area(link.figure.first, link.figure.last))
            return
        if subject.role in ("leukocytes", "erythrocytes"):
            yield from self._count(link, subject)
        elif subject.role in ("blasts", "residual"):
            yield from self._share(link, subject)

    def _unnamed(self, figure: Figure) -> Subject | None:
        """The subject of a figure that names none: the one before it, or what the report is about."""
        words = set(self._marked.words)
        if figure.quantity.unit == "/uL":
            return self._lexicon.subjects.get("leukocytes")
        if self._around.carried is not None and words & _GENERIC:
            return self._around.carried
        named = [one for one in self._marked.subjects if one.meaning.role != "other"]
        if named or figure.quantity.unit != "%":
            return None
        return self._implied_subject() if (self._around.about.concept or words & _GENERIC) else None

    def _implied_subject(self) -> Subject | None:
        about = self._around.about
        if about.concept:
            for subject in self._lexicon.language.subjects:
                if about.concept in subject.concepts.values() and not subject.doubtful:
                    return subject
            return None
        area = {"residual": "mrd", "marrow": "blasts", "blood": "blasts"}.get(about.area or "marrow")
        return self._lexicon.subjects.get(area) if area else None

    def _count(self, link: Link, subject: Subject) -> Iterator[DescribedResult]:
        quantity, area = link.figure.quantity, self._area(link.figure.first, link.figure.last)
        concept = subject.concepts.get("csf", "")
        if area != "csf" or quantity.unit == "%":
            return
        if quantity.unit == "" and not is_close(link):
            return
        judged = self._judged(link.figure.first, link.figure.last)
        if quantity.unit == "" and judged.trust is Trust.KNOWN:
            judged = _Judged(Trust.DOUBTFUL, "no-unit", "")
        yield self._result(link, replace(quantity, unit="/uL"), concept, judged, area)

    def _share(self, link: Link, subject: Subject) -> Iterator[DescribedResult]:
        quantity, area = link.figure.quantity, self._area(link.figure.first, link.figure.last)
        if quantity.unit == "/uL":
            if area == "csf" and subject.role == "blasts" and quantity.kind != "chamber":
                judged = self._judged(link.figure.first, link.figure.last)
                yield self._result(link, quantity, "csf-blast-count", judged, area)
            return
        assumed = quantity.unit == ""
        if assumed and not self._may_be_share(link):
            return
        if _exceeds(quantity):
            return
        concept = self._concept(subject, area, quantity)
        judged = self._judged(link.figure.first, link.figure.last, link)
        if judged.trust is Trust.KNOWN:
            judged = self._doubts(link, subject, area, assumed) or judged
        yield self._result(link, replace(quantity, unit="%"), concept, judged, area)

    def _may_be_share(self, link: Link) -> bool:
        """A figure without a unit that stands right beside its subject may be a percentage."""
        quantity = link.figure.quantity
        if quantity.kind not in ("single", "range") or not is_close(link) or _exceeds(quantity):
            return False
        following = self._marked.words[link.figure.last : link.figure.last + 1]
        return not (following and following[0] in ("cells", "x", "interphase", "nuclei", "metaphases", "times", "-"))

    def _doubts(self, link: Link, subject: Subject, area: str, assumed: bool) -> _Judged | None:
        gated = self._gated(link)
        if gated and area in ("marrow", "", "blood"):
            return _Judged(Trust.DOUBTFUL, "gated", gated)
        if link.of == "estimate":
            return _Judged(Trust.DOUBTFUL, "estimate", self._between(link.figure.last, link.last))
        if link.figure.quantity.estimated:
            return _Judged(Trust.DOUBTFUL, "estimate", self._quote(link.figure.first, link.figure.last))
        if subject.doubtful:
            named = self._words(link.subject) if link.subject is not None else ""
            return _Judged(Trust.DOUBTFUL, "wording", named)
        if assumed and not (self._around.shares_known or self._is_percentage(link)):
            return _Judged(Trust.DOUBTFUL, "no-unit", "")
        if link.subject is None and not self._around.about.concept and not self._marked.assertions:
            return _Judged(Trust.DOUBTFUL, "no-subject", "")
        if not area and subject.role == "blasts" and not self._around.about.area:
            return _Judged(Trust.DOUBTFUL, "no-specimen", "")
        return None

    def _is_percentage(self, link: Link) -> bool:
        """Whether a figure without a unit can only be a percentage: none at all, or the name says so."""
        quantity = link.figure.quantity
        named = self._words(link.subject).lower() if link.subject is not None else ""
        return quantity.high == 0 or "percent" in named or "anteil" in named

    def _gated(self, link: Link) -> str:
        cue = next((one for one in self._marked.cues if one.meaning.kind == "gated"), None)
        if cue is None or (link.subject is not None and link.subject.meaning.role == "residual"):
            return ""
        return self._words(cue)

    def _is_limit(self, link: Link) -> bool:
        first, last = link.figure.first, link.figure.last
        return self._context.cue("limit", first, last) is not None

    # ---- words --------------------------------------------------------------------------------------
    def _categories(self) -> Iterator[DescribedResult]:
        for one in self._marked.categories:
            category = one.meaning
            area = self._area(one.first, one.last)
            if category.area == "marrow" and area not in ("marrow", ""):
                continue
            if category.area == "marrow" and not self._is_marrow_class(one.first, one.last):
                continue
            concept = "csf-cytology" if category.area == "csf" else "marrow-blasts"
            judged = self._judged(one.first, one.last)
            quantity = Quantity(0, 0, category.low, category.high, category.open == "low", category.open == "high", "%", "class")
            presence = category.presence
            result = self._worded(one.first, one.last, concept, judged, presence, category.area)
            if not presence:
                result = replace(
                    result, low=quantity.low, high=quantity.high, low_open=quantity.low_open,
                    high_open=quantity.high_open, unit="%",
                )  # fmt: skip
            yield self._with_effect(replace(result, negated=presence == "absent"))

    def _is_marrow_class(self, first: int, last: int) -> bool:
        """ "M1" alone is a class only beside a word of the marrow; it may be a vertebra or a macrophage."""
        return last - first > 1 or any(area.meaning.id == "marrow" for area in self._marked.areas)

    def _assertions(self) -> Iterator[DescribedResult]:
        for one in self._marked.assertions:
            if any(
                other is not one and other.first <= one.first and one.last <= other.last
                for other in self._marked.assertions
            ):
                continue
            if one.meaning.area in ("", self._area(one.first, one.last)):
                yield self._assertion(one)

    def _assertion(self, one: Match[Assertion]) -> DescribedResult:
        first, last = one.first, one.last
        said = one.meaning.says
        area = self._area(first, last)
        concept = self._assertion_concept(one, area)
        subject = next(
            (s for s in self._marked.subjects if s.meaning.role == "blasts" and 0 <= s.first - last <= 1), None
        )
        judged = self._judged(first, last)
        negation = self._context.negation(first, last)
        if judged.reason in ("hypothetical",) and negation is not None and negation.first >= last:
            judged = _Judged(Trust.KNOWN)
        if judged.reason == "uncertain" and judged.cue and negation is None:
            return self._uncertain(one, concept, judged, area)
        if negation is not None:
            quoted = self._negated_span(negation, first, last)
            presence = "absent" if said == "present" else "present"
            if said == "absent" and judged.trust is Trust.KNOWN:
                judged = _Judged(Trust.DOUBTFUL, "negated", self._words(negation))
            return self._worded(*quoted, concept, judged, presence, area, said == "present")
        end = subject.last if subject is not None else last
        if said == "present" and judged.trust is Trust.KNOWN and self._words(one).lower().startswith(("not ", "no ", "kein", "nicht", "fail")):
            judged = _Judged(Trust.DOUBTFUL, "negated", self._words(one))
        return self._worded(first, end, concept, judged, said, area, said == "absent")

    def _uncertain(
        self, one: Match[Assertion], concept: str, judged: _Judged, area: str
    ) -> DescribedResult:
        cue = self._context.cue("uncertain", one.first, one.last)
        first, last = one.first, one.last
        if cue is not None:
            first, last = (cue.first, one.last) if cue.last == one.first else (cue.first, cue.last)
        return self._worded(first, last, concept, judged, "indeterminate", area)

    def _assertion_concept(self, one: Match[Assertion], area: str) -> str:
        if "residual disease" in self._words(one).lower() and self._around.about.area == "residual":
            return "mrd"
        named = {"csf": "csf-cytology", "testis": "testis-biopsy", "elsewhere": "other-site", "blood": "blood-blasts"}
        return named.get(area, "marrow-blasts")

    def _mentions(self, limits: list[Link]) -> Iterator[DescribedResult]:
        """Subjects of which something is said without a figure."""
        figured = {id(link.subject) for link in self._links if link.subject is not None and link not in limits}
        for one in self._marked.subjects:
            role = one.meaning.role
            if role not in ("blasts", "residual", "gene") or (id(one) in figured and role != "gene"):
                continue
            if one.meaning.short or not one.meaning.concepts:
                continue
            yield from self._mention(one, limits)

    def _mention(self, one: Match[Subject], limits: list[Link]) -> Iterator[DescribedResult]:
        first, last = one.first, one.last
        area = self._area(first, last)
        concept = self._concept(one.meaning, area, None)
        judged = self._judged(first, last)
        negation = self._context.negation(first, last)
        amount = self._amount(one)
        if judged.reason == "hypothetical" and negation is not None and negation.first >= last:
            judged = _Judged(Trust.KNOWN)
        if negation is not None and not self._is_nearer(amount, negation, one):
            if judged.reason == "uncertain" and self._is_within(negation, judged):
                negation = None
        if negation is not None and not self._is_nearer(amount, negation, one):
            quoted = self._negated_span(negation, first, last, one.meaning)
            result = self._worded(*quoted, concept, judged, "absent", area, True)
            yield self._below_limit(result, one.meaning, limits)
            return
        if amount is not None:
            presence = amount[2]
            if one.meaning.role == "blasts" and presence == "indeterminate" and judged.trust is Trust.KNOWN:
                judged = _Judged(Trust.DOUBTFUL, "amount", self._quote(amount[0], amount[1]))
            elif one.meaning.doubtful and judged.trust is Trust.KNOWN:
                judged = _Judged(Trust.DOUBTFUL, "wording", self._words(one))
            if judged.reason == "uncertain":
                presence = "indeterminate"
            span = (amount[0], amount[1])
            if one.meaning.role == "gene":
                span = (min(first, amount[0]), max(last, amount[1]))
            elif presence == "present" and area in ("csf", "testis", "elsewhere"):
                span = (first, last)
            yield self._worded(*span, concept, judged, presence, area)
            return
        if one.meaning.role == "gene":
            return
        if judged.reason == "uncertain":
            cue = self._context.cue("uncertain", first, last)
            if cue is not None:
                yield self._worded(cue.first, cue.last, concept, judged, "indeterminate", area)
                return
        if judged.trust is Trust.KNOWN:
            judged = _Judged(Trust.DOUBTFUL, "no-amount", self._words(one))
        yield self._worded(first, last, concept, judged, "indeterminate", area)

    def _is_within(self, negation: Match[Cue], judged: _Judged) -> bool:
        return self._words(negation).lower() in judged.cue.lower()

    def _is_nearer(self, amount: tuple[int, int, str] | None, negation: Match[Cue], one: Match[Subject]) -> bool:
        """Whether a word of amount governs the subject rather than a negation farther off."""
        if amount is None or amount[2] != "present":
            return False
        begin, end = amount[0], amount[1]
        if self._context.negation(begin, end) is not None:
            return False
        away = one.first - negation.last if negation.last <= one.first else negation.first - one.last
        near = one.first - end if end <= one.first else begin - one.last
        return near < away

    def _amount(self, one: Match[Subject]) -> tuple[int, int, str] | None:
        """The word of amount beside a subject: tokens and what it says."""
        marked = self._marked
        best: tuple[int, int, int, str] | None = None
        for amount in marked.amounts:
            if marked.clauses[amount.first] != marked.clauses[one.first]:
                continue
            begin, end = (amount.last, one.first) if amount.last <= one.first else (one.last, amount.first)
            if begin > end or end - begin > 6 or "," in marked.words[begin:end]:
                continue
            if any(begin <= other.first < end for other in marked.subjects if other is not one):
                continue
            away = end - begin
            if best is None or away < best[0]:
                best = (away, amount.first, amount.last, amount.meaning.presence)
        if best is None:
            return None
        begin, end = best[1], best[2]
        if best[3] == "indeterminate" and end <= one.first:
            end = one.last
        return begin, end, best[3]

    def _below_limit(self, result: DescribedResult, subject: Subject, limits: list[Link]) -> DescribedResult:
        """A residual disease "not detected" lies below the detection limit that the statement names."""
        found = next((link.figure.quantity for link in limits if link.figure.quantity.unit == "%"), None)
        if subject.role != "residual" or found is None:
            return result
        return self._with_effect(replace(result, high=found.high or found.low, high_open=True, unit="%"))

    def _implied(self) -> Iterator[DescribedResult]:
        """The whole text is the value of a coded result: "DETECTED (p190)", "none seen"."""
        about, marked = self._around.about, self._marked
        if not about.concept or self._links or marked.assertions or marked.categories:
            return
        if any(one.meaning.role != "other" for one in marked.subjects):
            return
        subject = self._implied_subject()
        if subject is None and about.concept not in ("csf-cytology", "bcr-abl1", "kmt2a"):
            return
        negation = next((one for one in marked.cues if one.meaning.kind == "negated"), None)
        uncertain = next((one for one in marked.cues if one.meaning.kind == "uncertain"), None)
        if uncertain is not None:
            judged = _Judged(Trust.DOUBTFUL, "uncertain", self._words(uncertain))
            yield self._worded(uncertain.first, uncertain.last, about.concept, judged, "indeterminate", about.area)
        elif negation is not None:
            judged = self._judged(negation.first, negation.last)
            yield self._worded(negation.first, negation.last, about.concept, judged, "absent", about.area, True)
        elif marked.amounts:
            amount = marked.amounts[0]
            judged = self._judged(amount.first, amount.last)
            yield self._worded(amount.first, amount.last, about.concept, judged, amount.meaning.presence, about.area)

    # ---- trust --------------------------------------------------------------------------------------
    def _judged(self, first: int, last: int, link: Link | None = None) -> _Judged:
        section = self._marked.statement.section
        if section in _AWAY:
            begin, end = self._marked.statement.heading
            return _Judged(Trust.NOT_THIS, _AWAY[section], self._text[begin:end].strip(" :\n\t"))
        if self._around.donor:
            return _Judged(Trust.NOT_THIS, "other-person", self._around.donor)
        timepoint = self._context.cue("timepoint", first, last)
        if timepoint is not None and self._context.comes_back(first):
            return _Judged(Trust.NOT_THIS, "historical", self._words(timepoint))
        for kind in ("other-person", "reference", "limit", "superseded", "hypothetical", "historical"):
            cue = self._context.cue(kind, first, last)
            if cue is not None:
                return _Judged(Trust.NOT_THIS, kind, self._words(cue))
        old = self._context.old_date(first, last)
        if old is not None:
            return _Judged(Trust.NOT_THIS, "historical", self._quote(*old))
        if link is not None and self._is_bracketed_range(link):
            return _Judged(Trust.NOT_THIS, "reference", self._quote(link.figure.first, link.figure.last))
        cue = self._context.cue("uncertain", first, last)
        if cue is not None:
            return _Judged(Trust.DOUBTFUL, "uncertain", self._words(cue))
        return _Judged(Trust.KNOWN)

    def _is_bracketed_range(self, link: Link) -> bool:
        """ "6 % (0-3)": a range in brackets behind a figure of the same subject is the normal range."""
        figure, marked = link.figure, self._marked
        if figure.quantity.kind != "range" or marked.groups[figure.first] == 0:
            return False
        return any(
            other.subject is link.subject and other.figure.first < figure.first
            and marked.groups[other.figure.first] != marked.groups[figure.first]
            for other in self._links
        )  # fmt: skip

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
        if subject.role == "blasts" and self._around.about.area == "residual" and area in ("", "marrow", "blood"):
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
        evidence = [
            place for place in range(negation.first, first) if words[place] in _EVIDENCE
        ]
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
        self, link: Link, quantity: Quantity, concept: str, judged: _Judged, area: str
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
            concept=concept, quote=self._text[begin:end], start=begin, end=end, sentence_start=statement.start,
            sentence_end=statement.end, trust=judged.trust, effect=Effect.OPEN, cue=judged.cue,
            reason=judged.reason, low=_trim(quantity.low), high=_trim(quantity.high), low_open=quantity.low_open,
            high_open=quantity.high_open, unit=quantity.unit, negated=negation is not None, area=area,
            date=self._date(first, last),
        )  # fmt: skip
        return self._with_effect(result)

    def _worded(
        self, first: int, last: int, concept: str, judged: _Judged, presence: str, area: str,
        negated: bool = False,
    ) -> DescribedResult:  # fmt: skip
        begin, end = self._marked.span(first, last)
        statement = self._marked.statement
        result = DescribedResult(
            concept=concept, quote=self._text[begin:end], start=begin, end=end, sentence_start=statement.start,
            sentence_end=statement.end, trust=judged.trust, effect=Effect.OPEN, cue=judged.cue,
            reason=judged.reason, presence=presence, negated=negated, area=area, date=self._date(first, last),
        )  # fmt: skip
        return self._with_effect(result)

    def _date(self, first: int, last: int) -> Moment | None:
        """The date a statement of another sample names, else that of the report."""
        for moment, _begin, _end in self._context.dated(first, last):
            return moment
        return self._around.about.date

    def _with_effect(self, result: DescribedResult) -> DescribedResult:
        return replace(result, effect=effect_of(result, self._lexicon))


def effect_of(result: DescribedResult, lexicon: Lexicon) -> Effect:
    """What a described result would mean for a relapse if it is trusted."""
    if result.trust is Trust.NOT_THIS:
        return Effect.NOT_THIS
    side = lexicon.language.sides.get(result.concept)
    if result.is_numeric and result.high == 0:
        return Effect.NEGATIVE if result.unit == "%" else Effect.OPEN
    if result.is_numeric and side is not None:
        if result.reason == "gated":
            return Effect.OPEN
        # A residual disease that was measured is there, however little: only a bound below speaks of none.
        measured = result.concept == "mrd" and result.low is not None and result.low > 0
        if side.negative_below is not None and result.high is not None and not measured:
            if result.high < side.negative_below or (result.high == side.negative_below and result.high_open):
                return Effect.NEGATIVE
        if side.positive_from is not None and result.low is not None and result.low >= side.positive_from:
            return Effect.POSITIVE
        return Effect.OPEN
    if result.is_numeric or result.concept in ("bcr-abl1", "kmt2a", ""):
        return Effect.OPEN
    if result.presence == "absent":
        return Effect.NEGATIVE
    positive = ("csf-cytology", "testis-biopsy", "other-site", "marrow-blasts", "marrow-lymphoblasts")
    if result.presence == "present" and result.concept in positive:
        return Effect.POSITIVE
    return Effect.OPEN


def _exceeds(quantity: Quantity) -> bool:
    return any(bound is not None and bound > _HUNDRED for bound in (quantity.low, quantity.high))


def _trim(number: Decimal | None) -> Decimal | None:
    if number is None:
        return None
    if number.as_tuple().exponent < -8:  # type: ignore[operator]
        number = round(number, 8)
    return number


def _without_restated(results: list[DescribedResult]) -> list[DescribedResult]:
    """A fraction beside the percentage it makes ("412 of 1,020,000 (0.04 %)") is told once."""
    kept = []
    for one in results:
        restated = any(
            other is not one and other.concept == one.concept and other.trust is one.trust
            and "%" in other.quote and "%" not in one.quote and _agree(one, other)
            for other in results
        )  # fmt: skip
        if not restated:
            kept.append(one)
    return kept


def _agree(one: DescribedResult, other: DescribedResult) -> bool:
    if one.low is None or other.low is None:
        return False
    room = max(abs(other.low) / 20, Decimal("0.5") if other.low >= 1 else Decimal(0))
    return abs(one.low - other.low) <= room


def _family(concept: str) -> str:
    """Concepts that speak of the same thing in one material."""
    return {"marrow-lymphoblasts": "marrow", "marrow-blasts": "marrow", "blood-lymphoblasts": "blood", "blood-blasts": "blood"}.get(concept, concept)


def _is_said_by_figure(one: DescribedResult, figures: list[DescribedResult]) -> bool:
    """Words beside a figure of the same thing add nothing, unless they say the opposite."""
    beside = [
        figure for figure in figures
        if _family(figure.concept) == _family(one.concept) and figure.trust is not Trust.NOT_THIS
    ]  # fmt: skip
    if not beside:
        return False
    if one.trust is Trust.NOT_THIS:
        return True
    if one.trust is Trust.DOUBTFUL or one.effect is Effect.OPEN:
        return True
    return not any({figure.effect, one.effect} == {Effect.POSITIVE, Effect.NEGATIVE} for figure in beside)


def _without_doubles(results: list[DescribedResult]) -> list[DescribedResult]:
    """One result for one place; a bare mention beside a statement about the same thing goes."""
    kept: list[DescribedResult] = []
    for one in results:
        same = [other for other in results if other is not one and _family(other.concept) == _family(one.concept)]
        inside = any(
            other.start <= one.start and one.end <= other.end and other.end - other.start > one.end - one.start
            for other in same
        )
        bare = one.reason == "no-amount" and bool(same)
        twin = any((other.start, other.end, other.concept) == (one.start, one.end, one.concept) for other in kept)
        if not (inside or bare or twin):
            kept.append(one)
    return kept
