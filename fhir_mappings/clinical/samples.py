"""Usable results grouped as a clinician thinks of them: marrows, blood smears, lumbar punctures, MRD."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import Result
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.quantities import Measured, Presence
from fhir_mappings.clinical.verdict import Evidence

ZERO = Decimal(0)
HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Sample:
    """One dated numeric result: its canonical value and the Observation it stands on."""

    result: Result
    value: Measured
    day: Moment
    title: str

    def evidence(self, comparator: str = "", threshold: str = "") -> Evidence:
        """The sample as evidence, with the original text where it was converted."""
        canonical = f"{self.value.text} {self.value.unit}".strip()
        original = self.value.original
        return Evidence(
            resource=self.result.resource,
            what=f"{self.title}, in words" if self.result.quote else self.title,
            value=self.value.text,
            unit=self.value.unit,
            original="" if original == canonical else original,
            date=self.day.text,
            comparator=comparator,
            threshold=threshold,
        )


@dataclass(frozen=True, slots=True)
class CsfDraw:
    """One lumbar puncture. ``blasts`` is the cytology; ``wbc`` and ``rbc`` are per microlitre.

    ``bloody``: the record describes the fluid so in words.
    """

    day: Moment
    wbc: Sample | None
    rbc: Sample | None
    blasts: Answer
    blasts_from: Result | None = None
    bloody: bool = False

    def evidence(self, comparator: str = "", threshold: str = "") -> tuple[Evidence, ...]:
        """Count, cytology and erythrocytes as evidence."""
        found: list[Evidence] = []
        if self.wbc is not None:
            found.append(self.wbc.evidence(comparator, threshold))
        if self.blasts_from is not None:
            words = {Answer.YES: "present", Answer.NO: "absent", Answer.UNSURE: "undetermined"}[self.blasts]
            found.append(Evidence(self.blasts_from.resource, "CSF blasts", words, date=self.day.text))
        if self.rbc is not None:
            found.append(self.rbc.evidence())
        return tuple(found)


def numeric(
    results: Iterable[Result], titles: Mapping[str, str], none_below: Decimal | None = None
) -> tuple[Sample, ...]:
    """The dated numeric results of ``results``, which come in order of collection.

    ``none_below`` turns "no blasts" into the interval below that value, and "blasts present" into any
    value, so that a word is evidence as far as it reaches and no further.
    """
    found = []
    for result in results:
        value = result.value
        if isinstance(value, Presence) and none_below is not None:
            value = _worded(value, none_below)
        if isinstance(value, Measured) and result.collected is not None:
            title = titles.get(result.concept, result.concept)
            found.append(Sample(result, value, result.collected, title))
    return tuple(found)


def _worded(value: Presence, none_below: Decimal) -> Measured:
    if value is Presence.ABSENT:
        return Measured(ZERO, none_below, "%", value.value, high_open=True)
    return Measured(ZERO, HUNDRED, "%", value.value)


def group_csf(
    counts: Sequence[Sample], erythrocytes: Sequence[Sample], cytology: Sequence[Result]
) -> tuple[CsfDraw, ...]:
    """Lumbar punctures: results of one calendar day belong together.

    Several counts of one day (tubes, manual and automated) give the highest; blasts seen once are seen.
    """
    draws: dict[tuple[date, date], _Tubes] = {}
    for sample in counts:
        _of_day(draws, sample.day).counts.append(sample)
    for sample in erythrocytes:
        _of_day(draws, sample.day).erythrocytes.append(sample)
    for result in cytology:
        if result.collected is not None:
            _of_day(draws, result.collected).cytology.append(result)
    return tuple(draws[day].draw() for day in sorted(draws))


@dataclass(slots=True)
class _Tubes:
    """What was found in the tubes of one day."""

    day: Moment
    counts: list[Sample] = field(default_factory=list)
    erythrocytes: list[Sample] = field(default_factory=list)
    cytology: list[Result] = field(default_factory=list)

    def draw(self) -> CsfDraw:
        blasts, source = cytology_answer(self.cytology)
        count = highest_of(self.counts) if self.counts else None
        noted = [*self.cytology, *(sample.result for sample in (*self.counts, *self.erythrocytes))]
        bloody = any(result.note == "bloody" for result in noted)
        return CsfDraw(self.day, count, _lowest(self.erythrocytes), blasts, source, bloody)


def _of_day(draws: dict[tuple[date, date], _Tubes], moment: Moment) -> _Tubes:
    return draws.setdefault((moment.first, moment.last), _Tubes(moment))


def highest_of(samples: Sequence[Sample]) -> Sample:
    """The sample of the highest value; there is at least one."""
    return max(samples, key=_size)


def _lowest(samples: Sequence[Sample]) -> Sample | None:
    """The clearest tube: erythrocytes that clear from tube to tube came from the needle."""
    return min(samples, key=_size, default=None)


def _size(sample: Sample) -> tuple[Decimal, str]:
    return (sample.value.most, sample.result.resource)


def cytology_answer(results: Sequence[Result]) -> tuple[Answer, Result | None]:
    """Whether blasts were seen: yes if any result says so, no only if one says so and none is open."""
    answers = [(_blasts_seen(result), result) for result in results]
    for wanted in (Answer.YES, Answer.UNSURE, Answer.NO):
        for answer, result in answers:
            if answer is wanted:
                return answer, result
    return Answer.UNSURE, None


def _blasts_seen(result: Result) -> Answer:
    if isinstance(result.value, Measured):
        return result.value.is_above(ZERO)
    if result.value is Presence.PRESENT:
        return Answer.YES
    return Answer.NO if result.value is Presence.ABSENT else Answer.UNSURE


def same_specimen(one: Result, other: Result) -> bool:
    """Whether two results were measured on one specimen: by its reference, else by the collection day.

    A specimen contained in a result has no name beyond it, so that it can be the one another result contains.
    """
    named = one.specimen_ref and other.specimen_ref
    if named and not ("#" in one.specimen_ref and "#" in other.specimen_ref):
        return one.specimen_ref == other.specimen_ref
    if named and one.specimen_ref == other.specimen_ref:
        return True
    if one.collected is None or other.collected is None:
        return False
    return (
        one.collected.is_exact_day
        and other.collected.is_exact_day
        and one.collected.first == other.collected.first
    )
