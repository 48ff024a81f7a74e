"""What stands below the picture: the finding, every criterion, timing, samples, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.cards.text import clean
from cds_service.evaluation.evaluator import Evaluation
from cds_service.timeline.naming import (
    UNITS,
    Citation,
    citations,
    fired_text,
    label,
    label_or_key,
    remarks_text,
    set_label,
    spoken,
    threshold_label,
    value_text,
)
from cds_service.timeline.unread import EmptyParts, empty_parts, silent_status
from fhir_mappings.assess import (
    CRITERION,
    Assessment,
    CriteriaSet,
    CriterionResult,
    Evidence,
    Knowledge,
    Met,
    NotMet,
    Statement,
    Status,
    Timeline,
    TimingClass,
    Unknown,
    plain,
    sentence,
)

_VERDICTS = {
    Met: ("met", "critical"),
    NotMet: ("not-met", "neutral"),
    Unknown: ("unknown", "warning"),
}


@dataclass(frozen=True, slots=True)
class CriterionRow:
    """One criterion of one set."""

    id: str
    asks: str
    verdict: str
    badge: str
    evidence: tuple[Evidence, ...]
    missing: tuple[tuple[str, str], ...]
    cites: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class SetRows:
    """The criteria of one set; ``note`` says what of it is not evaluated."""

    label: str
    decides: bool
    note: str
    rows: tuple[CriterionRow, ...]


@dataclass(frozen=True, slots=True)
class TimingRow:
    """One timing system."""

    system: str
    value: str
    arithmetic: str
    cites: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One sample, in words."""

    day: str
    what: str
    value: str
    original: str
    remarks: str
    fired: str
    resource: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """A phase, a mark or a treatment."""

    start: str
    end: str
    what: str
    basis: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that was not used, and why."""

    resource: str
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the page says, ready for the template."""

    patient: str
    person: str
    at: str
    status: str
    badge: str
    headline: str
    incomplete: bool
    summary: tuple[tuple[str, str], ...]
    reasons: tuple[str, ...]
    sets: tuple[SetRows, ...]
    timing: tuple[TimingRow, ...]
    timing_notes: tuple[str, ...]
    lines: tuple[EventRow, ...]
    samples: tuple[SampleRow, ...]
    events: tuple[EventRow, ...]
    not_evaluated: tuple[tuple[str, str], ...]
    left_out: tuple[LeftOut, ...]
    sentence: str
    empty: EmptyParts


def page_of(evaluation: Evaluation, timeline: Timeline, knowledge: Knowledge) -> Page:
    """The page of one evaluated chart."""
    found = evaluation.assessment
    finding = found.sections[0] if found.sections else None
    summary = finding.summary if finding is not None and not evaluation.is_incomplete else None
    samples = tuple(_samples(timeline, knowledge))
    empty = empty_parts(evaluation, knowledge)
    return Page(
        patient=clean(found.patient),
        person=_person(found, knowledge),
        at=timeline.at.strftime("%Y-%m-%d %H:%M %Z"),
        status=found.status.value,
        badge=finding.indicator.value if finding is not None and summary else "neutral",
        headline=_said(summary, knowledge) if summary else _status_words(evaluation, knowledge),
        incomplete=evaluation.is_incomplete,
        summary=tuple(_summary(found, knowledge)),
        reasons=tuple(_said(one, knowledge) for one in finding.statements) if finding else (),
        sets=tuple(_sets(found, knowledge)),
        timing=tuple(_timing(found, knowledge)),
        timing_notes=_timing_notes(found, knowledge),
        lines=tuple(_lines(timeline, knowledge)),
        samples=samples,
        events=tuple(sorted(_events(timeline, knowledge), key=lambda row: (row.start, row.what))),
        not_evaluated=tuple((clean(one.what), clean(one.why)) for one in found.not_evaluated),
        left_out=tuple(_left_out(found, timeline, knowledge)),
        sentence=_sentence(timeline, samples, empty, knowledge),
        empty=empty,
    )


def _said(statement: Statement, knowledge: Knowledge) -> str:
    """A statement as one line of text; the template escapes it."""
    return clean(sentence(statement, knowledge.words, clean))


def _status_words(evaluation: Evaluation, knowledge: Knowledge) -> str:
    return knowledge.words[f"timeline.status.{silent_status(evaluation, knowledge)}"].text


def _person(found: Assessment, knowledge: Knowledge) -> str:
    age = "" if found.age_years is None else label(knowledge, "years", count=str(found.age_years))
    return ", ".join(part for part in (found.sex if found.sex != "unknown" else "", age) if part)


def _summary(found: Assessment, knowledge: Knowledge) -> Iterator[tuple[str, str]]:
    if found.event is not None:
        yield label(knowledge, "summary.event"), f"{found.event.text} ({found.event_source})"
    if found.relapse_number:
        yield label(knowledge, "summary.number"), str(found.relapse_number)
    if found.phase:
        yield label(knowledge, "summary.phase"), spoken(found.phase)
    if found.site:
        yield label(knowledge, "summary.site"), spoken(found.site).replace("cns", "CNS")
    if found.status not in (Status.NONE, Status.OUT_OF_SCOPE, Status.NOT_EVALUABLE):
        yield label(knowledge, "summary.lineage"), found.lineage.value
        for name, marker in (("BCR::ABL1", found.bcr_abl1), ("CD19", found.cd19), ("CD22", found.cd22)):
            yield name, marker.value
    if found.latest_specimen:
        yield label(knowledge, "summary.specimen"), found.latest_specimen


def _sets(found: Assessment, knowledge: Knowledge) -> Iterator[SetRows]:
    for one in knowledge.criteria_sets:
        rows = [
            _criterion(result, one, knowledge) for result in found.criteria if result.criteria_set == one.id
        ]
        if rows:
            yield SetRows(one.label, one.default, one.incomplete_note, tuple(rows))


def _criterion(result: CriterionResult, criteria: CriteriaSet, knowledge: Knowledge) -> CriterionRow:
    verdict, badge = _VERDICTS[type(result.verdict)]
    missing = result.verdict.missing if isinstance(result.verdict, Unknown) else ()
    return CriterionRow(
        id=result.id,
        asks=asked_by(result.id, criteria, knowledge),
        verdict=label(knowledge, f"verdict.{verdict}"),
        badge=badge,
        evidence=result.verdict.because,
        missing=tuple((clean(item.what), clean(item.why)) for item in missing),
        cites=citations(result.cites, knowledge, criteria.source),
    )


def asked_by(letter: str, criteria: CriteriaSet, knowledge: Knowledge) -> str:
    """What a criterion asks, in the knowledge's words and the set's numbers."""
    parameters = CRITERION[letter].of(criteria)
    return _said(CRITERION[letter].asks(parameters), knowledge) if parameters is not None else ""


def _timing(found: Assessment, knowledge: Knowledge) -> Iterator[TimingRow]:
    if found.timing is None:
        return
    yield _timing_row(knowledge.sources["seed-003"].label, found.timing.seed_003, ("seed-003",), knowledge)
    yield _timing_row(knowledge.sources["seed-000"].label, found.timing.seed_000, ("seed-000",), knowledge)
    for name, key, part in (("BFM", "timing.bfm", found.timing.bfm), ("COG", "timing.cog", found.timing.cog)):
        yield _timing_row(name, part, knowledge.words[key].cites, knowledge)


def _timing_row(name: str, part: TimingClass, cites: tuple[str, ...], knowledge: Knowledge) -> TimingRow:
    months = label(knowledge, "months", count=str(part.months)) if part.months is not None else ""
    return TimingRow(name, spoken(part.value), part.arithmetic or months, citations(cites, knowledge))


def _timing_notes(found: Assessment, knowledge: Knowledge) -> tuple[str, ...]:
    section = found.section("TIMING")
    return tuple(_said(one, knowledge) for one in section.statements) if section is not None else ()


def _lines(timeline: Timeline, knowledge: Knowledge) -> Iterator[EventRow]:
    for level in timeline.levels:
        title, unit = label(knowledge, f"panel.{level.panel}"), UNITS[level.panel]
        for use in level.uses:
            name = (
                f"{set_label(use.criteria_set, knowledge)}, {use.id}"
                if use.criteria_set
                else threshold_label(use.id, knowledge)
            )
            yield EventRow(title, f"{use.comparator} {plain(level.value)} {unit}", name, "")


def _samples(timeline: Timeline, knowledge: Knowledge) -> Iterator[SampleRow]:
    for point in timeline.points:
        yield SampleRow(
            day=point.day.text,
            what=clean(point.what),
            value=value_text(point, knowledge),
            original=clean(point.original),
            remarks=remarks_text(point, knowledge),
            fired=fired_text(point.fired, knowledge),
            resource=clean(point.resource),
        )


def _events(timeline: Timeline, knowledge: Knowledge) -> Iterator[EventRow]:
    now = label(knowledge, "now")
    for phase in timeline.phases:
        end = phase.end.text if phase.end is not None else now
        number = f" {phase.number}" if phase.number > 1 else ""
        what = label(knowledge, f"phase.{phase.kind}") + number
        yield EventRow(phase.start.text, end, what, label_or_key(knowledge, "basis", phase.basis))
    for mark in timeline.marks:
        yield EventRow(mark.day.text, "", label(knowledge, f"mark.{mark.kind}"), clean(mark.site))
    for one in timeline.treatments:
        unknown = now if one.running else label(knowledge, "not-recorded")
        end = one.end.text if one.end is not None else unknown
        title = clean(one.title).capitalize()
        yield EventRow(one.start.text, end, title, label(knowledge, "treatment"))


def _left_out(found: Assessment, timeline: Timeline, knowledge: Knowledge) -> Iterator[LeftOut]:
    for one in timeline.set_aside:
        value = f" {one.original}" if one.original else ""
        date = f" ({one.date})" if one.date else ""
        yield LeftOut(clean(one.resource), clean(one.what + value) + date, spoken(one.why))
    for item in found.ignored:
        what = knowledge.titles.get(item.concept, spoken(item.concept))
        yield LeftOut(clean(item.resource), clean(what), spoken(item.why))


def _sentence(
    timeline: Timeline, samples: tuple[SampleRow, ...], empty: EmptyParts, knowledge: Knowledge
) -> str:
    """The picture in one sentence, for those who hear it."""
    if not samples:
        return label(knowledge, "no-sample", found=empty.samples)
    counts = []
    for key in UNITS:
        count = sum(point.panel == key for point in timeline.points)
        panel = label(knowledge, f"panel.{key}").partition(",")[0]
        counts.append(label(knowledge, "counted", count=str(count), panel=panel))
    return label(
        knowledge,
        "samples",
        count=str(len(samples)),
        first=samples[0].day,
        last=samples[-1].day,
        counts=", ".join(counts),
        met=str(sum(bool(point.fired) for point in timeline.points)),
    )
