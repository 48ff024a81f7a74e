"""The chart as a picture over time, from the very values the assessment stands on.

Nothing is judged here: samples, phases and met criteria are those of the view, the course and the
standing that the engine decides by, so that the picture cannot disagree with the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from fhir_mappings.assessment import Status
from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.cns import TapReading
from fhir_mappings.clinical.facts import Facts, MedicationState, Result, ResultStatus, TreatmentCourse
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.quantities import Measured, Presence, Unusable, plain
from fhir_mappings.clinical.samples import Sample
from fhir_mappings.clinical.verdict import Met
from fhir_mappings.fhir.merging import merge_facts
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.relapse.disease import Disease, disease_of
from fhir_mappings.relapse.episodes import Course, Episode, Grade
from fhir_mappings.relapse.status import Standing
from fhir_mappings.relapse.usable_results import View, view_of
from fhir_mappings.relapse.weighing import weighed
from fhir_mappings.relapse.written_reports import READ, ReportPolicy, read_reports
from fhir_mappings.statements.sentences import phrase
from fhir_mappings.timeline.threshold_lines import levels_of
from fhir_mappings.timeline.values import (
    Fired,
    SetAside,
    Timeline,
    TimelineMark,
    TimelinePhase,
    TimelinePoint,
    TimelineTreatment,
)

_MARKED_PROCEDURES = frozenset(
    {
        "hsct-allogeneic", "hsct-autologous", "hsct-unspecified", "car-t", "tbi", "cranial-radiotherapy",
        "radiotherapy", "orchiectomy", "testis-biopsy",
    }
)  # fmt: skip
_PANEL_OF_CONCEPT = {
    "marrow-lymphoblasts": "marrow",
    "marrow-blasts": "marrow",
    "marrow-malignant": "marrow",
    "blood-lymphoblasts": "blood",
    "blood-blasts": "blood",
    "csf-wbc": "csf",
    "mrd": "mrd",
}


def timeline_of(facts: Facts, at: datetime, knowledge: Knowledge, reports: ReportPolicy = READ) -> Timeline:
    """The picture of a chart at ``at``, an aware instant; ``reports`` as they were read."""
    facts = merge_facts((facts,))
    view = view_of(facts, at, knowledge)
    disease = disease_of(view, knowledge)
    phases: tuple[TimelinePhase, ...] = ()
    marks: tuple[TimelineMark, ...] = ()
    fired: Mapping[str, tuple[Fired, ...]] = {}
    if disease.present and not any(person.deceased for person in facts.persons):
        chart = weighed(facts, at, knowledge, read_reports(facts, at, knowledge, reports))
        facts, view, disease, course, standing = (
            chart.facts, chart.view, chart.disease, chart.course, chart.standing,
        )  # fmt: skip
        fired = _fired(course, standing)
        phases = tuple(_phases(course, standing, disease))
        marks = tuple(sorted(_marks(view, course, facts, disease, fired), key=lambda one: one.day.sort_key))
    points = sorted(_points(view, knowledge.titles, fired), key=_when)
    return Timeline(
        at=at,
        points=tuple(points),
        levels=levels_of(knowledge),
        phases=phases,
        marks=marks,
        treatments=tuple(sorted(_treatments(view, facts, disease, knowledge), key=_began)),
        set_aside=tuple(_set_aside(view, knowledge.titles)),
    )


def _fired(course: Course, standing: Standing) -> Mapping[str, tuple[Fired, ...]]:
    """The met criteria by resource. Before any remission nothing is met, as the engine has it (A-16)."""
    found: dict[str, list[Fired]] = {}
    for episode in _drawn(course, standing):
        # What stands only in words claims no criterion until the report is confirmed.
        claimed = () if standing.in_words and episode is standing.episode else episode.results
        for result in claimed:
            if not isinstance(result.verdict, Met):
                continue
            mark = Fired(result.criteria_set, result.id, episode is standing.episode)
            for item in result.verdict.because:
                if mark not in found.setdefault(item.resource, []):
                    found[item.resource].append(mark)
    return {resource: tuple(marks) for resource, marks in found.items()}


def _drawn(course: Course, standing: Standing) -> Iterator[Episode]:
    """The episodes that are relapses or may be.

    Those after a remission, those that are coded (the code says that there was a remission), and the one
    the status speaks of.
    """
    for episode in course.episodes:
        if episode.before is not None or episode.coded is not None or episode is standing.episode:
            yield episode


def _phases(course: Course, standing: Standing, disease: Disease) -> Iterator[TimelinePhase]:
    episodes = list(_drawn(course, standing))
    # The first remission on record may be a transplant after disease that is not drawn.
    remission = course.first_remission or (episodes[0].before if episodes else course.remission)
    opened = disease.diagnosed
    if opened is not None and (remission is None or remission.basis != "undated"):
        until = remission.day if remission is not None else episodes[0].event if episodes else None
        if until is None or until.first >= opened.first:
            yield TimelinePhase("disease", opened, until, "diagnosis")
    for episode in episodes:
        if remission is not None and remission.day.first <= episode.event.first:
            yield TimelinePhase("remission", remission.day, episode.event, remission.basis)
        doubtful = episode.grade is Grade.CONSENSUS or episode.contradicted
        if episode is standing.episode and standing.status is Status.PROBABLE:
            doubtful = True
        kind = "possible-relapse" if doubtful else "relapse"
        end = episode.after.day if episode.after is not None else None
        yield TimelinePhase(kind, episode.event, end, episode.grade.value, episode.number)
        remission = episode.after
    if remission is not None:
        yield TimelinePhase("remission", remission.day, None, remission.basis)


def _marks(
    view: View, course: Course, facts: Facts, disease: Disease, fired: Mapping[str, tuple[Fired, ...]]
) -> Iterator[TimelineMark]:
    if disease.diagnosed is not None:
        yield TimelineMark("diagnosis", disease.diagnosed, _first_stated(disease, disease.diagnosed))
    for number, plan in enumerate(_plans(facts, disease, view)):
        if plan.end is not None and not plan.end.is_after(view.at):
            yield TimelineMark("end-of-later-plan" if number else "end-of-therapy", plan.end, plan.resource)
    for done in view.procedures:
        if done.kind in _MARKED_PROCEDURES and done.performed is not None:
            yield TimelineMark(done.kind, done.performed, done.resource, done.site)
    for finding in course.findings:
        resource = finding.evidence[0].resource
        kind = "finding" if finding.proven is Answer.YES else "suspected-finding"
        yield TimelineMark(kind, finding.day, resource, finding.site, fired.get(resource, ()))


def _first_stated(disease: Disease, diagnosed: Moment) -> str:
    """The Condition that the date of the diagnosis comes from, not a later one of its relapse."""
    dated = ((found.onset or found.recorded, found.resource) for found in disease.all_diagnoses)
    return next(resource for day, resource in dated if day is not None and day.first == diagnosed.first)


def _points(
    view: View, titles: Mapping[str, str], fired: Mapping[str, tuple[Fired, ...]]
) -> Iterator[TimelinePoint]:
    for name, samples in (("marrow", view.marrow), ("blood", view.blood), ("mrd", view.mrd)):
        for sample in samples:
            yield _point(name, sample, fired.get(sample.result.resource, ()))
    for sample in view.gated:
        yield _point("marrow", sample, (), "gated")
    for tap in view.taps:
        yield _tap_point(tap, titles, fired)
    for result in view.preliminary:
        panel = _PANEL_OF_CONCEPT.get(result.concept)
        if panel is not None and result.collected is not None and isinstance(result.value, Measured):
            sample = Sample(result, result.value, result.collected, titles[result.concept])
            yield _point(panel, sample, (), ResultStatus.PRELIMINARY.value)


def _point(panel: str, sample: Sample, fired: tuple[Fired, ...], use: str = "used") -> TimelinePoint:
    worded = isinstance(sample.result.value, Presence)
    evidence = sample.evidence()
    return TimelinePoint(
        panel=panel,
        resource=sample.result.resource,
        what=sample.title,
        day=sample.day,
        value=sample.value.original if worded else _shown(sample.value),
        unit="" if worded else sample.value.unit,
        low=sample.value.low,
        high=sample.value.high,
        original="" if worded else evidence.original,
        use=use,
        fired=fired,
    )


def _tap_point(
    tap: TapReading, titles: Mapping[str, str], fired: Mapping[str, tuple[Fired, ...]]
) -> TimelinePoint:
    draw = tap.draw
    counts = draw.wbc.result if draw.wbc is not None else None
    erythrocytes = draw.rbc.result if draw.rbc is not None else None
    names = [found.resource for found in (counts, draw.blasts_from, erythrocytes) if found is not None]
    point = TimelinePoint(
        "csf", names[0], titles["csf-wbc"], draw.day, "", "", None, None,
        remarks=tuple(_remarks(tap)),
        fired=tuple(dict.fromkeys(mark for name in names for mark in fired.get(name, ()))),
    )  # fmt: skip
    if draw.wbc is None:
        return point
    value, original = draw.wbc.value, draw.wbc.evidence().original
    return replace(
        point, value=_shown(value), unit=value.unit, low=value.low, high=value.high, original=original
    )


def _remarks(tap: TapReading) -> Iterator[str]:
    words = {Answer.YES: "blasts-present", Answer.NO: "blasts-absent", Answer.UNSURE: "blasts-undetermined"}
    yield words[tap.draw.blasts]
    if tap.cns_class:
        yield tap.cns_class
    if tap.traumatic is Answer.YES:
        yield "traumatic-tap"


def _shown(value: Measured) -> str:
    """The value for reading: what can only be said to lie below a bound is written as that bound."""
    if value.exact is None and value.high is not None and value.low in (None, 0):
        return f"{'<' if value.high_open else '≤'}{plain(value.high)}"
    return value.text


def _treatments(
    view: View, facts: Facts, disease: Disease, knowledge: Knowledge
) -> Iterator[TimelineTreatment]:
    title = phrase(knowledge, "treatment-plan")
    for plan in _plans(facts, disease, view):
        if plan.start is not None:
            yield TimelineTreatment(plan.resource, "", title, plan.start, plan.end, plan.running)
    for drug in view.medications:
        if drug.start is None or drug.state is MedicationState.PLANNED:
            continue
        agent = knowledge.agents.get(drug.agent)
        title = agent.title if agent is not None else drug.agent
        running = drug.state is MedicationState.RUNNING and drug.end is None
        yield TimelineTreatment(drug.resource, drug.agent, title, drug.start, drug.end, running)


def _plans(facts: Facts, disease: Disease, view: View) -> list[TreatmentCourse]:
    """The treatment plans of the disease that had begun, the first one leading."""
    ours = {found.resource for found in disease.all_diagnoses}
    begun = [
        plan
        for plan in facts.courses
        if ours & set(plan.conditions) and (plan.start is None or not plan.start.is_after(view.at))
    ]
    return sorted(begun, key=lambda plan: (plan.start.sort_key if plan.start else (), plan.resource))


def _set_aside(view: View, titles: Mapping[str, str]) -> Iterator[SetAside]:
    for result in view.unusable:
        if isinstance(result.value, Unusable):
            yield _aside(result, titles, result.value.why)
    for result in view.undated:
        yield _aside(result, titles, "no-date")


def _aside(result: Result, titles: Mapping[str, str], why: str) -> SetAside:
    original = result.value.original if isinstance(result.value, Measured | Unusable) else ""
    date = result.collected.text if result.collected is not None else ""
    return SetAside(result.resource, titles[result.concept], date, original, why)


def _when(point: TimelinePoint) -> tuple[object, ...]:
    return (point.day.sort_key, point.panel, point.resource)


def _began(treatment: TimelineTreatment) -> tuple[object, ...]:
    return (treatment.start.sort_key, treatment.agent, treatment.resource)
