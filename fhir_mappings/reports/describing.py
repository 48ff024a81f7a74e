"""One marked statement to described results: figures first, then what is said without a figure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fhir_mappings.clinical.report_language import Assertion, Cue, Subject
from fhir_mappings.clinical.written_reports import DescribedResult, Trust
from fhir_mappings.reports.effects import is_said_by_figure, without_doubles, without_restated
from fhir_mappings.reports.figures import FigureDescriber
from fhir_mappings.reports.grounds import Judged
from fhir_mappings.reports.linking import Link
from fhir_mappings.reports.phrases import Match

_ASSERTED = {
    "csf": "csf-cytology",
    "testis": "testis-biopsy",
    "elsewhere": "other-site",
    "blood": "blood-blasts",
}
_DENYING = ("not ", "no ", "kein", "nicht", "fail", "pas ")
_NO_SHARE = frozenset({"cells", "x", "interphase", "nuclei", "metaphases", "times", "-"})


class Describer(FigureDescriber):
    """Describes every result of one statement."""

    def results(self) -> list[DescribedResult]:
        """Every result of the statement, in order."""
        limits = [link for link in self._links if self._is_limit(link)]
        figures = [
            result
            for link in self._links
            if link not in limits
            for result in self._figure(link)
        ]  # fmt: skip
        figures = without_restated(figures)
        words = [*self._categories(), *self._assertions(), *self._mentions(limits), *self._implied()]
        kept = [one for one in words if not is_said_by_figure(one, figures)]
        return sorted([*figures, *without_doubles(kept)], key=lambda one: (one.start, one.end))

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
            presence = category.presence
            result = self._worded(one.first, one.last, concept, judged, presence, category.area)
            if not presence:
                result = replace(
                    result, low=category.low, high=category.high, low_open=category.open == "low",
                    high_open=category.open == "high", unit="%",
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
                found = self._assertion(one)
                told = found.presence == "absent" or found.reason == "uncertain"
                if told or not one.meaning.only_denied:
                    yield replace(found, course=one.meaning.course)

    def _assertion(self, one: Match[Assertion]) -> DescribedResult:
        first, last = one.first, one.last
        said = one.meaning.says
        area = self._area(first, last)
        concept = self._assertion_concept(one, area)
        subject = next(
            (s for s in self._marked.subjects if s.meaning.role == "blasts" and 0 <= s.first - last <= 1),
            None,
        )
        judged = self._judged(first, last)
        negation = self._context.negation(first, last)
        judged = self._answered(judged, negation, first, last)
        if judged.reason == "uncertain" and judged.cue and negation is None:
            return self._uncertain(one, concept, judged, area)
        if negation is not None:
            quoted = self._negated_span(negation, first, last)
            presence = "absent" if said == "present" else "present"
            if said == "absent" and judged.trust is Trust.KNOWN:
                judged = Judged(Trust.DOUBTFUL, "negated", self._words(negation))
            return self._worded(*quoted, concept, judged, presence, area, said == "present")
        end = subject.last if subject is not None else last
        denied = self._words(one).lower().startswith(_DENYING)
        if said == "present" and judged.trust is Trust.KNOWN and denied:
            judged = Judged(Trust.DOUBTFUL, "negated", self._words(one))
        return self._worded(first, end, concept, judged, said, area, said == "absent")

    def _answered(self, judged: Judged, negation: Match[Cue] | None, first: int, last: int) -> Judged:
        """A question that the statement itself answers: "question of relapse: none seen"."""
        if judged.reason != "hypothetical" or negation is None:
            return judged
        asked = self._context.cue("hypothetical", first, last)
        later = asked is not None and asked.meaning.reach == "next" and negation.first >= asked.last
        return Judged(Trust.KNOWN) if later or negation.first >= last else judged

    def _uncertain(self, one: Match[Assertion], concept: str, judged: Judged, area: str) -> DescribedResult:
        cue = self._context.cue("uncertain", one.first, one.last)
        first, last = one.first, one.last
        if cue is not None:
            first, last = (cue.first, one.last) if cue.last == one.first else (cue.first, cue.last)
        return self._worded(first, last, concept, judged, "indeterminate", area)

    def _assertion_concept(self, one: Match[Assertion], area: str) -> str:
        if "residual disease" in self._words(one).lower() and self._around.about.area == "residual":
            return "mrd"
        return _ASSERTED.get(area, "marrow-blasts")

    def _mentions(self, limits: list[Link]) -> Iterator[DescribedResult]:
        """Subjects of which something is said without a figure."""
        figured = {
            id(link.subject)
            for link in self._links
            if link.subject is not None
            and link not in limits
            and self._is_told(link)
            and not self._is_past(link)
        }
        for one in self._marked.subjects:
            role = one.meaning.role
            if role not in ("blasts", "residual", "gene") or (id(one) in figured and role != "gene"):
                continue
            if one.meaning.short or not one.meaning.concepts:
                continue
            past = any(link.subject is one for link in self._links)
            yield from (
                found
                for found in self._mention(one, limits)
                if not (past and found.presence == "indeterminate")
            )

    def _is_past(self, link: Link) -> bool:
        """Whether a figure is of an earlier sample, so that the statement may say something of this one."""
        return self._judged(link.figure.first, link.figure.last, link).reason == "historical"

    def _mention(self, one: Match[Subject], limits: list[Link]) -> Iterator[DescribedResult]:
        first, last = one.first, one.last
        area = self._area(first, last)
        concept = self._concept(one.meaning, area, None)
        judged = self._judged(first, last)
        negation = self._context.negation(first, last)
        amount = self._amount(one)
        judged = self._answered(judged, negation, first, last)
        if negation is not None and not self._is_nearer(amount, negation, one):
            if judged.reason == "uncertain" and self._is_within(negation, judged):
                negation = None
        if negation is not None and not self._is_nearer(amount, negation, one):
            if one.meaning.id == "abnormal-population" and "t" in self._marked.words[first:last]:
                return  # "no abnormal T-cell population" says nothing of the other lineage
            if judged.reason == "historical":
                # "MRD previously 1.2 %, now negative": the negation may be of this sample.
                judged = self._judged(negation.first, negation.last)
            quoted = self._negated_span(negation, first, last, one.meaning)
            result = self._worded(*quoted, concept, judged, "absent", area, True)
            yield self._below_limit(result, one.meaning, limits)
            return
        if amount is not None:
            presence = amount[2]
            if one.meaning.role == "blasts" and presence == "indeterminate" and judged.trust is Trust.KNOWN:
                judged = Judged(Trust.DOUBTFUL, "amount", self._quote(amount[0], amount[1]))
            elif one.meaning.doubtful and judged.trust is Trust.KNOWN:
                judged = Judged(Trust.DOUBTFUL, "wording", self._words(one))
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
            judged = Judged(Trust.DOUBTFUL, "no-amount", self._words(one))
        yield self._worded(first, last, concept, judged, "indeterminate", area)

    def _is_within(self, negation: Match[Cue], judged: Judged) -> bool:
        return self._words(negation).lower() in judged.cue.lower()

    def _is_nearer(
        self, amount: tuple[int, int, str] | None, negation: Match[Cue], one: Match[Subject]
    ) -> bool:
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
            if (
                self._is_of_a_marker(amount.first)
                or begin > end
                or end - begin > 6
                or "," in marked.words[begin:end]
            ):
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

    def _is_of_a_marker(self, place: int) -> bool:
        """ "TdT-positive" says of which kind the cells are, and nothing of their number."""
        before = self._marked.words[place - 1] if place else ""
        return before in ("-", "+") or before in self._markers

    def _below_limit(self, result: DescribedResult, subject: Subject, limits: list[Link]) -> DescribedResult:
        """A residual disease "not detected" lies below the detection limit that the statement names."""
        found = next((link.figure.quantity for link in limits if link.figure.quantity.unit == "%"), None)
        if subject.role != "residual" or found is None:
            return result
        return self._with_effect(replace(result, high=found.high or found.low, high_open=True, unit="%"))

    def _implied(self) -> Iterator[DescribedResult]:
        """The whole text is the value of a coded result: "DETECTED (p190)", "none seen"."""
        about, marked = self._around.about, self._marked
        concept = about.concept or self._around.asked
        if not concept or self._links or marked.assertions or marked.categories:
            return
        if any(one.meaning.role != "other" for one in marked.subjects):
            return
        subject = self._implied_subject()
        if subject is None and concept not in ("csf-cytology", "bcr-abl1", "kmt2a"):
            return
        negation = next((one for one in marked.cues if one.meaning.kind == "negated"), None)
        uncertain = next((one for one in marked.cues if one.meaning.kind == "uncertain"), None)
        if uncertain is not None:
            judged = Judged(Trust.DOUBTFUL, "uncertain", self._words(uncertain))
            span = (uncertain.first, uncertain.last)
            yield self._worded(*span, concept, judged, "indeterminate", about.area)
        elif negation is not None:
            judged = self._judged(negation.first, negation.last)
            yield self._worded(negation.first, negation.last, concept, judged, "absent", about.area, True)
        elif marked.amounts:
            amount = marked.amounts[0]
            judged = self._judged(amount.first, amount.last)
            said = amount.meaning.presence
            yield self._worded(amount.first, amount.last, concept, judged, said, about.area)
