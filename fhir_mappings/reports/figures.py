"""The figures of one marked statement as described results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from fhir_mappings.clinical.report_language import Subject
from fhir_mappings.clinical.written_reports import DescribedResult, Trust
from fhir_mappings.reports.grounds import Grounds, Judged
from fhir_mappings.reports.linking import Link, is_close
from fhir_mappings.reports.marks import Figure
from fhir_mappings.reports.quantities import Quantity

_HUNDRED = Decimal(100)
_TOLD = frozenset({"normal-precursors", "other-blasts", "cellularity"})
"""Other cells whose figures are told as not used: they are taken for blasts most easily."""
_FLOW_WORDS = ("flow", "facs", "cytometr", "durchflusszytometr", "citometr")
_BESIDE = 7
_GENERIC = frozenset(
    {"this", "these", "they", "sample", "specimen", "diese", "esta", "here", "hier", "we", "present"}
)
_NO_SHARE = frozenset({"cells", "x", "interphase", "nuclei", "metaphases", "times", "-"})


class FigureDescriber(Grounds):
    """Describes the results of one statement that have a figure."""

    # ---- figures ------------------------------------------------------------------------------------
    def _figure(self, link: Link) -> Iterator[DescribedResult]:
        subject = link.subject.meaning if link.subject is not None else self._unnamed(link.figure)
        if subject is None:
            return
        quantity = link.figure.quantity
        if self._is_share_of_blasts(link):
            judged = Judged(
                Trust.NOT_THIS, "other-cells", self._between(link.figure.last, link.figure.last + 1)
            )
            area = self._area(link.figure.first, link.figure.last)
            yield self._result(link, quantity, "", judged, area)
            return
        if subject.role == "other":
            if subject.id in _TOLD and quantity.unit == "%" and link.subject is not None:
                judged = Judged(Trust.NOT_THIS, "other-cells", self._words(link.subject))
                area = self._area(link.figure.first, link.figure.last)
                yield self._result(link, quantity, "", judged, area)
            return
        if subject.role in ("leukocytes", "erythrocytes"):
            yield from self._count(link, subject)
        elif subject.role in ("blasts", "residual"):
            yield from self._share(link, subject)

    def _is_share_of_blasts(self, link: Link) -> bool:
        """ "90 % of blasts" is a share of the blasts themselves, such as those that carry a marker."""
        words, place = self._marked.words, link.figure.last
        if (
            link.subject is None
            or link.subject.meaning.role != "blasts"
            or words[place : place + 1] not in (("of",), ("der",))
        ):
            return False
        between = words[place + 1 : link.subject.first]
        return link.subject.first > place and set(between) <= {"the", "these", "all", "total"}

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
        judged = self._judged(link.figure.first, link.figure.last, link)
        if quantity.unit == "" and judged.trust is Trust.KNOWN:
            judged = Judged(Trust.DOUBTFUL, "no-unit", "")
        yield self._result(link, replace(quantity, unit="/uL"), concept, judged, area)

    def _share(self, link: Link, subject: Subject) -> Iterator[DescribedResult]:
        quantity, area = link.figure.quantity, self._area(link.figure.first, link.figure.last)
        if quantity.unit == "/uL":
            if area == "csf" and subject.role == "blasts" and quantity.kind != "chamber":
                judged = self._judged(link.figure.first, link.figure.last, link)
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

    def _is_told(self, link: Link) -> bool:
        """Whether a figure says something of its subject, and is no number of cells that were counted."""
        return bool(link.figure.quantity.unit) or self._may_be_share(link)

    def _may_be_share(self, link: Link) -> bool:
        """A figure without a unit that stands right beside its subject may be a percentage."""
        quantity = link.figure.quantity
        if quantity.kind not in ("single", "range") or not is_close(link) or _exceeds(quantity):
            return False
        return not _NO_SHARE & set(self._marked.words[link.figure.last : link.figure.last + 1])

    def _doubts(self, link: Link, subject: Subject, area: str, assumed: bool) -> Judged | None:
        gated = self._gated(link) or (self._by_flow(link) if subject.role == "blasts" else "")
        if gated and area in ("marrow", "", "blood"):
            return Judged(Trust.DOUBTFUL, "gated", gated)
        if link.of == "estimate":
            return Judged(Trust.DOUBTFUL, "estimate", self._between(link.figure.last, link.last))
        if link.figure.quantity.estimated:
            return Judged(Trust.DOUBTFUL, "estimate", self._quote(link.figure.first, link.figure.last))
        if subject.doubtful:
            named = self._words(link.subject) if link.subject is not None else ""
            return Judged(Trust.DOUBTFUL, "wording", named)
        if assumed and not (self._around.shares_known or self._is_percentage(link)):
            return Judged(Trust.DOUBTFUL, "no-unit", "")
        if link.subject is None and not self._around.about.concept and not self._marked.assertions:
            return Judged(Trust.DOUBTFUL, "no-subject", "")
        if not area and subject.role == "blasts" and not self._around.about.area:
            return Judged(Trust.DOUBTFUL, "no-specimen", "")
        return None

    def _is_percentage(self, link: Link) -> bool:
        """Whether a figure without a unit can only be a percentage: none at all, or the name says so."""
        quantity = link.figure.quantity
        named = self._words(link.subject).lower() if link.subject is not None else ""
        if link.subject is not None:
            first, last = link.subject.first, link.subject.last
            named += " ".join(
                self._marked.words[max(0, first - 1) : first] + self._marked.words[last : last + 1]
            )
        return quantity.high == 0 or any(sign in named for sign in ("percent", "anteil", "%"))

    def _gated(self, link: Link) -> str:
        cue = next((one for one in self._marked.cues if one.meaning.kind == "gated"), None)
        if cue is None or (link.subject is not None and link.subject.meaning.role == "residual"):
            return ""
        return self._words(cue)

    def _by_flow(self, link: Link) -> str:
        """The words that say that a share was counted by flow cytometry: it is one of a gate (A-18)."""
        if self._marked.statement.section == "flow":
            begin, end = self._marked.statement.heading
            return self._text[begin:end].strip(" :\n\t")
        first = max(0, link.figure.first - _BESIDE)
        for place in range(first, min(len(self._marked.words), link.last + _BESIDE)):
            same = self._marked.clauses[place] == self._marked.clauses[link.figure.first]
            if place >= link.last and self._marked.words[place] == ",":
                return ""
            if same and self._marked.words[place].startswith(_FLOW_WORDS):
                return self._quote(place, place + 1)
        return ""

    def _is_limit(self, link: Link) -> bool:
        first, last = link.figure.first, link.figure.last
        return self._context.cue("limit", first, last) is not None


def _exceeds(quantity: Quantity) -> bool:
    return any(bound is not None and bound > _HUNDRED for bound in (quantity.low, quantity.high))
