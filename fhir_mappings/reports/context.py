"""How far a cue reaches: which words of a statement it decides about."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.report_language import Cue
from fhir_mappings.reports.marks import Marked
from fhir_mappings.reports.phrases import Match

_LISTING = frozenset({"or", "nor", "and", "oder", "noch", "und", "o", "ni", "y", "ou"})
_VERBS = frozenset(
    {"are", "is", "was", "were", "account", "accounts", "comprise", "make", "sind", "ist", "son"}
)
_GRAFT = ("transplant", "graft", "hsct", "bmt", "donation", "stem", "trasplante", "greffe", "spende")
_OLD_DAYS = 14
"""A date this long before the sample speaks of another sample."""


class Context:
    """The cues of one statement. Places are tokens, ``first`` to ``last`` (excluded)."""

    def __init__(self, marked: Marked, reference: Moment | None) -> None:
        self._marked = marked
        self._reference = reference

    def cue(self, kind: str, first: int, last: int) -> Match[Cue] | None:
        """The cue of a kind that reaches some words, the nearest where there are several."""
        found = [
            one for one in self._marked.cues if one.meaning.kind == kind and self._reaches(one, first, last)
        ]
        return min(found, key=lambda one: _distance(one, first, last), default=None)

    def negation(self, first: int, last: int) -> Match[Cue] | None:
        """The negation of some words."""
        return self.cue("negated", first, last)

    def old_date(self, first: int, last: int) -> tuple[int, int] | None:
        """The tokens of a date of another sample that governs some words."""
        for _date, begin, end in self.dated(first, last):
            return begin, end
        return None

    def dated(self, first: int, last: int) -> Iterator[tuple[Moment, int, int]]:
        """The dates long before this sample that govern some words."""
        reference = self._reference
        marked = self._marked
        for one, begin, end in marked.dates:
            if reference is None or (reference.first - one.moment.last).days <= _OLD_DAYS:
                continue
            if not self._in_sight(begin, end, first, last):
                continue
            if end <= first and self._back_to_this_sample(end, first, last):
                continue
            if begin >= last and (marked.has(",", last, begin) or self._figures_between(last, begin)):
                continue
            yield one.moment, begin, end

    def _reaches(self, cue: Match[Cue], first: int, last: int) -> bool:
        if cue.first < last and first < cue.last:
            return False
        reach, marked = cue.meaning.reach, self._marked
        if cue.meaning.kind == "other-person" and self._is_of_a_graft(cue):
            return False
        if cue.meaning.kind == "other-person" and cue.first >= last:
            # "blasts 62 %; the donor's marrow was not seen" does not turn back.
            return reach == "report" or marked.clauses[cue.first] == marked.clauses[first]
        if reach in ("statement", "report"):
            return True
        if not self._in_sight(cue.first, cue.last, first, last):
            return False
        if reach == "clause":
            return True
        if reach == "next":
            return cue.last <= first <= cue.last + cue.meaning.within and not marked.has(")", cue.last, first)
        if reach == "last":
            return last <= cue.first <= last + cue.meaning.within and not self._figures_between(
                last, cue.first
            )
        if reach == "backward":
            return last <= cue.first and self._is_backward(cue, first, last)
        if cue.last > first:
            return False
        if reach == "phrase":
            return not marked.has(",", cue.last, first) and not self._back_to_this_sample(
                cue.last, first, last
            )
        if cue.meaning.kind == "negated":
            return self._is_negated_list(cue, first, last)
        return not self._back_to_this_sample(cue.last, first, last)

    def _is_of_a_graft(self, cue: Match[Cue]) -> bool:
        """ "After sister's marrow transplant": the graft came from another, the sample did not."""
        words = self._marked.words[cue.last : cue.last + 4]
        return any(word.startswith(_GRAFT) for word in words)

    def _in_sight(self, begin: int, end: int, first: int, last: int) -> bool:
        """In one clause, and out of a bracket nothing reaches."""
        marked = self._marked
        if marked.clauses[begin] != marked.clauses[first]:
            return False
        return marked.groups[begin] in (0, marked.groups[first])

    def _is_backward(self, cue: Match[Cue], first: int, last: int) -> bool:
        marked = self._marked
        if marked.has(",", last, cue.first) and not self._back_to_this_sample(last, cue.first, cue.last):
            return False
        if cue.meaning.kind == "negated" and _LISTING & set(marked.words[last : cue.first]) - {"or", "and"}:
            return False
        if self._back_to_this_sample(last, cue.first, cue.last):
            return True
        return not any(
            last <= other.first < cue.first and other.meaning.role in ("blasts", "residual", "gene", "other")
            and "or" not in marked.words[last : other.first] and "and" not in marked.words[last : other.first]
            for other in marked.subjects
        ) and not self._figures_between(last, cue.first)  # fmt: skip

    def _is_negated_list(self, cue: Match[Cue], first: int, last: int) -> bool:
        """A negation goes on over commas only in a list: "no A, B or C"."""
        marked = self._marked
        between = marked.words[cue.last : first]
        if "," in between:
            following = marked.words[last : last + 12]
            if not (_LISTING & {*between[between.index(",") :], *following}):
                return False
        if self._figures_between(cue.last, first):
            return False
        after = marked.words[last] if last < len(marked.words) else ""
        if "and" in between and after in _VERBS:
            return False
        return ":" not in between

    def _in_one_phrase(self, begin: int, end: int) -> bool:
        marked = self._marked
        return marked.clauses[begin - 1] == marked.clauses[end] and not marked.has(",", begin, end)

    def comes_back(self, first: int) -> bool:
        """Whether another clause of the statement speaks of the present sample."""
        marked = self._marked
        return any(
            cue.meaning.kind == "present" and marked.words[cue.first] not in ("to", "auf")
            and not self._in_one_phrase(min(first, cue.first), max(first, cue.first))
            for cue in marked.cues
        )  # fmt: skip

    def _figures_between(self, begin: int, end: int) -> bool:
        return any(begin <= figure.first < end for figure in self._marked.figures)

    def _back_to_this_sample(self, begin: int, first: int, last: int) -> bool:
        """Whether the sentence has come back from an earlier sample to this one."""
        for cue in self._marked.cues:
            if cue.meaning.kind != "present":
                continue
            if begin <= cue.first < first:
                return True
            near = last <= cue.first <= last + 2 and self._in_one_phrase(last, cue.first)
            if near and self._marked.words[cue.first] not in ("to", "auf"):
                return True
        return False


def _distance(cue: Match[Cue], first: int, last: int) -> int:
    return first - cue.last if cue.last <= first else cue.first - last
