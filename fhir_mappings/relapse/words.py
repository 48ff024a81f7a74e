"""Evidence that stands in words only: it raises the answer to PROBABLE at most and never lowers it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import (
    Certainty,
    Diagnosis,
    DiagnosisKind,
    Facts,
    Phase,
    ProcedureDone,
    Result,
    Specimen,
)
from fhir_mappings.clinical.moments import Moment, within_days
from fhir_mappings.clinical.quantities import Measured, Presence, Value
from fhir_mappings.clinical.samples import same_specimen
from fhir_mappings.clinical.written_reports import DescribedResult, Effect, ReadState, Trust
from fhir_mappings.relapse.written_reports import ReadReport

MOST_WORDS = 25
"""Words of a quotation on a card."""

_AREAS = {"marrow": Specimen.MARROW, "blood": Specimen.BLOOD, "csf": Specimen.CSF}
_FAMILIES = {
    "marrow-lymphoblasts": "marrow", "marrow-blasts": "marrow", "marrow-malignant": "marrow",
    "blood-lymphoblasts": "blood", "blood-blasts": "blood", "csf-blasts": "csf", "csf-cytology": "csf",
    "csf-blast-count": "csf", "csf-flow": "csf", "csf-wbc": "csf-wbc", "mrd": "mrd",
}  # fmt: skip
_DECIDING_AREAS = frozenset({"marrow", "csf", "residual", "testis", "blood"})
_AREA_FAMILIES = {
    "marrow": ("marrow",),
    "csf": ("csf",),
    "residual": ("mrd",),
    "blood": ("blood",),
    "testis": (),
}
_LEAST_SHARE = 5


@dataclass(frozen=True, slots=True)
class Quoted:
    """One described result with the report it stands in, as a card quotes it."""

    report: ReadReport
    result: DescribedResult

    @property
    def day(self) -> Moment | None:
        """The date of the sample, else of the report."""
        return self.result.date or self.report.source.collected

    @property
    def quote(self) -> str:
        """At most ``MOST_WORDS`` words of the sentence, the deciding ones among them."""
        text = self.report.text
        return quotation(text, self.result)


def quotation(text: str, result: DescribedResult, most: int = MOST_WORDS) -> str:
    """The sentence around a result on one line, shortened around the words that decided."""
    before = text[result.sentence_start : result.start].split()
    middle = text[result.start : result.end].split()[:most]
    after = text[result.end : result.sentence_end]
    # What is written on to the words ("62%," "blasts.") stays with them.
    joined = after[:1] and not after[:1].isspace()
    rest = after.split()
    room = max(0, most - len(middle))
    ahead = before[-min(len(before), max(room - len(rest), room // 2)) :] if room and before else []
    room -= len(ahead)
    if joined and rest:
        middle = [*middle[:-1], middle[-1] + rest[0]] if middle else middle
        rest = rest[1:]
    behind = rest[: max(0, room)]
    start = "… " if len(ahead) < len(before) else ""
    end = " …" if len(behind) < len(rest) else ""
    if result.start > 0 and before and not text[result.start - 1].isspace() and ahead:
        ahead = [*ahead[:-1], ahead[-1] + middle[0]]
        middle = middle[1:]
    return start + " ".join([*ahead, *middle, *behind]) + end


def family_of(concept: str) -> str:
    """What a concept is a result of: two of one family speak of the same thing."""
    return _FAMILIES.get(concept, concept)


def plain_words(reports: Iterable[ReadReport]) -> Iterator[Quoted]:
    """Every result that is plainly said."""
    for report in reports:
        for result in report.reading.results:
            if result.trust is Trust.KNOWN and result.concept:
                yield Quoted(report, result)


def with_words(facts: Facts, reports: Iterable[ReadReport]) -> Facts:
    """The facts with what is plainly said in words, where no coded result of the same specimen decides."""
    results: list[Result] = []
    diagnoses: list[Diagnosis] = []
    procedures: list[ProcedureDone] = []
    seen: set[tuple[str, str, str]] = set()
    for one in plain_words(reports):
        result = as_result(one)
        key = (result.resource, result.concept, repr(result.value))
        # Signs that a clinician calls CNS leukaemia are not refuted by a clear puncture of the day (0.45).
        decided = coded_beside(one, facts) is not None and not _is_cns_diagnosis(one)
        if key in seen or decided:
            continue
        seen.add(key)
        if one.result.course == "relapse" and one.result.presence == "present":
            diagnoses.append(_diagnosis(one, DiagnosisKind.ALL, Phase.RELAPSE, ""))
        elif _is_cns_diagnosis(one):
            diagnoses.append(_diagnosis(one, DiagnosisKind.CNS, Phase.ACTIVE, "cns"))
        elif one.result.concept == "testis-biopsy" and one.result.presence == "present":
            diagnoses.append(_diagnosis(one, DiagnosisKind.TESTIS, Phase.ACTIVE, "testis"))
            procedures.append(ProcedureDone(result.resource, "testis-biopsy", one.day))
        elif one.result.concept == "other-site" and one.result.presence == "present":
            diagnoses.append(_diagnosis(one, DiagnosisKind.OTHER_SITE, Phase.ACTIVE, "other site"))
        elif _is_unmeasured(one.result):
            continue
        elif one.result.course == "remission" and one.result.presence == "absent":
            results.append(replace(result, concept="disease-status", value=Presence.PRESENT))
        else:
            results.append(result)
    if not (results or diagnoses):
        return facts
    return replace(
        facts,
        results=(*facts.results, *results),
        diagnoses=(*facts.diagnoses, *diagnoses),
        procedures=(*facts.procedures, *procedures),
    )


def _is_cns_diagnosis(one: Quoted) -> bool:
    """CNS leukaemia that a problem list names in words: a diagnosis, not a cytology without its count."""
    result = one.result
    named = result.concept in ("csf-cytology", "csf-blasts", "csf-flow") and result.presence == "present"
    return named and one.report.source.area == "diagnosis"


def as_result(one: Quoted) -> Result:
    """A described result in the form of a coded one, marked by its words."""
    source, described = one.report.source, one.result
    return Result(
        resource=source.resource,
        concept=described.concept,
        value=_value(described),
        collected=one.day,
        status=source.status,
        specimen=_AREAS.get(described.area, Specimen.UNSTATED),
        specimen_ref=source.specimen_ref,
        code="words",
        date_basis=source.date_basis,
        version=source.version,
        quote=one.quote,
    )


def _value(described: DescribedResult) -> Value:
    if described.is_numeric:
        low = described.low
        if low is None and described.unit == "%":
            low = described.high.__class__(0) if described.high is not None else None
        return Measured(
            low, described.high, described.unit, described.quote, described.low_open, described.high_open
        )
    return {
        "present": Presence.PRESENT,
        "absent": Presence.ABSENT,
    }.get(described.presence, Presence.INDETERMINATE)


def _diagnosis(one: Quoted, kind: DiagnosisKind, phase: Phase, site: str) -> Diagnosis:
    source = one.report.source
    return Diagnosis(
        resource=source.resource,
        kind=kind,
        certainty=Certainty.CONFIRMED,
        phase=phase,
        phase_by_code=phase,
        onset=one.day,
        recorded=one.day,
        site=site,
        label=one.quote,
        code="words",
        version=source.version,
    )


def coded_beside(one: Quoted, facts: Facts) -> Result | None:
    """A coded result of the same specimen about the same thing: it decides, not the words."""
    mine = as_result(one)
    family = family_of(mine.concept)
    for result in facts.results:
        if result.quote or family_of(result.concept) != family or not _is_value(result):
            continue
        if same_specimen(result, mine):
            return result
    return None


def _is_value(result: Result) -> bool:
    return isinstance(result.value, Measured) or result.value in (Presence.PRESENT, Presence.ABSENT)


def disagreements(reports: Iterable[ReadReport], facts: Facts) -> tuple[tuple[Quoted, Result], ...]:
    """Words that say another thing than the coded result of the same specimen: both are shown."""
    found = []
    for one in plain_words(reports):
        coded = coded_beside(one, facts)
        if coded is not None and not _agree(one.result, coded):
            found.append((one, coded))
    return tuple(found)


def _agree(described: DescribedResult, coded: Result) -> bool:
    value = coded.value
    if isinstance(value, Measured) and described.is_numeric:
        low = described.low if described.low is not None else value.low
        high = described.high if described.high is not None else value.high
        if low is None or high is None or value.low is None or value.high is None:
            return True
        return low <= value.high + 1 and value.low <= high + 1
    if isinstance(value, Measured):
        if described.effect is Effect.POSITIVE:
            return value.is_at_least(Measured(None, None, "", "").most + _LEAST_SHARE) is not Answer.NO
        if described.effect is Effect.NEGATIVE:
            return value.is_at_least(Measured(None, None, "", "").most + _LEAST_SHARE) is not Answer.YES
        return True
    said = {"present": Presence.PRESENT, "absent": Presence.ABSENT}.get(described.presence)
    return said is None or value is said


def _is_unmeasured(described: DescribedResult) -> bool:
    """Blasts that are there in words without a figure: no threshold can be held against them."""
    family = family_of(described.concept)
    return family in ("marrow", "blood", "mrd") and described.presence == "present" and not described.course


def unmeasured(
    reports: Iterable[ReadReport], facts: Facts, start: Moment | None, today: Moment, days: int
) -> tuple[Quoted, ...]:
    """Blasts that a report plainly speaks of without a figure, where none is given beside."""
    plain = list(plain_words(reports))
    figured = {
        (one.report.source.resource, family_of(one.result.concept)) for one in plain if one.result.is_numeric
    }
    found = [
        one
        for one in plain
        if _is_unmeasured(one.result)
        and (one.report.source.resource, family_of(one.result.concept)) not in figured
        and _is_recent(one.day, start, today, days)
        and coded_beside(one, facts) is None
    ]
    return tuple(_one_each(found))


def doubtful_words(
    reports: Iterable[ReadReport], facts: Facts, start: Moment | None, today: Moment, days: int
) -> tuple[Quoted, ...]:
    """What is said with doubt since the remission and may be disease: never more than a suspicion."""
    found: list[Quoted] = []
    for report in reports:
        settled = {
            family_of(one.concept)
            for one in report.reading.results
            if one.trust is Trust.KNOWN and one.effect in (Effect.NEGATIVE, Effect.POSITIVE)
        }
        for described in report.reading.results:
            one = Quoted(report, described)
            if described.trust is not Trust.DOUBTFUL or not _may_be_disease(described):
                continue
            if not described.is_numeric and family_of(described.concept) in settled:
                continue
            if _is_recent(one.day, start, today, days) and coded_beside(one, facts) is None:
                found.append(one)
    return tuple(_one_each(found))


def _may_be_disease(described: DescribedResult) -> bool:
    if described.effect is Effect.NEGATIVE or described.concept in (
        "bcr-abl1",
        "kmt2a",
        "csf-wbc",
        "csf-rbc",
    ):
        return False
    if described.concept == "mrd":
        return described.is_numeric and described.high is not None and described.high >= 1
    if described.is_numeric and described.unit == "%":
        return described.high is None or described.high >= _LEAST_SHARE
    return described.presence != "absent"


def _one_each(found: Iterable[Quoted]) -> Iterator[Quoted]:
    """One for each report and kind of result: the first, which is the most telling line of a card."""
    seen: set[tuple[str, str]] = set()
    for one in found:
        key = (one.report.source.resource, family_of(one.result.concept))
        if key not in seen:
            seen.add(key)
            yield one


def _is_recent(day: Moment | None, start: Moment | None, today: Moment, days: int) -> bool:
    if day is None:
        return True
    if start is not None and day.last < start.first:
        return False
    return within_days(day, today, days) is not Answer.NO


def unread_reports(
    reports: Iterable[ReadReport], facts: Facts, start: Moment | None, today: Moment, days: int
) -> tuple[ReadReport, ...]:
    """Reports that could decide, newer than the last value used, of which nothing was understood.

    One whose specimen has a coded value is not among them, nor one of which another part was read.
    """
    reports = tuple(reports)
    read = {report.source.resource for report in reports if report.is_read}
    found: dict[str, ReadReport] = {}
    for report in reports:
        source = report.source
        if (
            report.reading.state is not ReadState.UNREAD
            or source.resource in read
            or source.resource in found
        ):
            continue
        if source.area not in _DECIDING_AREAS or not _is_recent(source.collected, start, today, days):
            continue
        if source.element in ("value", "component") and source.concept:
            continue  # a result without a usable value is told as such
        if not _has_newer_value(report, reports, facts):
            found[source.resource] = report
    return tuple(found.values())


def _has_newer_value(report: ReadReport, reports: Iterable[ReadReport], facts: Facts) -> bool:
    """Whether a value of the same kind was used that is as new as the report or newer."""
    day = report.source.collected
    families = _AREA_FAMILIES.get(report.source.area, ())
    if day is None:
        return False
    for result in facts.results:
        if family_of(result.concept) in families and _is_value(result) and result.collected is not None:
            if result.collected.last >= day.first:
                return True
    return any(
        other.day is not None and other.day.last >= day.first and family_of(other.result.concept) in families
        for other in plain_words(reports)
    )
