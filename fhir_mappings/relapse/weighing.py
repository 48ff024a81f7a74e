"""Coded evidence decides; words beside it may raise the answer to PROBABLE, and never lower it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from fhir_mappings.assessment import Status
from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import Facts
from fhir_mappings.clinical.moments import Moment, within_days
from fhir_mappings.clinical.verdict import Evidence, Met
from fhir_mappings.clinical.written_reports import Effect
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.relapse.disease import Disease, disease_of
from fhir_mappings.relapse.episodes import Course, CourseReader
from fhir_mappings.relapse.status import Standing, standing_of
from fhir_mappings.relapse.suspicions import NearMiss
from fhir_mappings.relapse.usable_results import View, view_of
from fhir_mappings.relapse.words import (
    Quoted,
    disagreements,
    doubtful_words,
    plain_words,
    unmeasured,
    unread_reports,
    with_words,
)
from fhir_mappings.relapse.written_reports import ReadReport, without_texts_read

_FOUND = (Status.PROBABLE, Status.REFRACTORY, Status.PERSISTENT, Status.RELAPSE)


@dataclass(frozen=True, slots=True)
class Weighed:
    """One reading of a chart: what is usable, what happened, where the patient stands."""

    facts: Facts
    view: View
    disease: Disease
    reader: CourseReader
    course: Course
    standing: Standing


def weighed(
    facts: Facts, at: datetime, knowledge: Knowledge, reports: tuple[ReadReport, ...] = ()
) -> Weighed:
    """Where the patient stands by coded evidence, raised by words where they say more."""
    coded = _read(without_texts_read(facts, reports), at, knowledge)
    if not reports:
        return coded
    worded_facts = with_words(coded.facts, reports)
    chosen = coded
    if worded_facts is not coded.facts:
        chosen = _raised(coded, _read(worded_facts, at, knowledge), reports)
    return _with_open_words(chosen, coded, reports, knowledge)


def _read(facts: Facts, at: datetime, knowledge: Knowledge) -> Weighed:
    view = view_of(facts, at, knowledge)
    disease = disease_of(view, knowledge)
    reader = CourseReader(view, disease, knowledge)
    course = reader.read()
    return Weighed(facts, view, disease, reader, course, standing_of(course, view, facts, disease, knowledge))


def _raised(coded: Weighed, worded: Weighed, reports: Iterable[ReadReport]) -> Weighed:
    """What the words add: at most PROBABLE. A finding that codes make stays as it is."""
    before, after = coded.standing, worded.standing
    active = after.status in _FOUND and after.phase != "in-remission"
    if after.episode is not None and active and _may_rise(before, after):
        quoted = tuple(_deciding(after, before, reports))
        if quoted:
            standing = replace(
                after, status=Status.PROBABLE, phase="active", persistent=None, refractory=(), in_words=quoted
            )
            return replace(worded, standing=standing)
    if before.status in _FOUND and before.phase != "in-remission":
        return coded
    added = [miss for miss in after.misses if miss.kind not in {own.kind for own in before.misses}]
    if active and after.episode is None:
        added += [_miss("report-words", True, one) for one in _positive(reports)][:1]
    coming = tuple(result for result in after.preliminary if result not in before.preliminary)
    if not added and not coming:
        return coded
    status = before.status if before.phase == "in-remission" else Status.SUSPECT
    standing = replace(
        before,
        status=status,
        misses=(*before.misses, *added),
        preliminary=(*before.preliminary, *coming),
    )
    return replace(coded, standing=standing)


def _may_rise(before: Standing, after: Standing) -> bool:
    """A remission in words makes a refractory disease a probable relapse; nothing lowers a finding."""
    if before.status is Status.REFRACTORY:
        return after.status in (Status.RELAPSE, Status.PERSISTENT)
    return before.status not in _FOUND or before.phase == "in-remission"


def _deciding(after: Standing, before: Standing, reports: Iterable[ReadReport]) -> Iterator[Quoted]:
    """The words that the finding stands on, those of the criteria first."""
    episode = after.episode
    if episode is None:
        return
    resources = {
        item.resource
        for one in episode.results
        if isinstance(one.verdict, Met)
        for item in one.verdict.because
    }
    if episode.coded is not None:
        resources.add(episode.coded.resource)
    if before.status is Status.REFRACTORY and episode.before is not None:
        resources = {episode.before.resource}
    found = [one for one in plain_words(reports) if one.report.source.resource in resources]
    wanted = Effect.NEGATIVE if before.status is Status.REFRACTORY else Effect.POSITIVE
    ranked = sorted(found, key=lambda one: one.result.effect is not wanted)
    yield from list({one.quote: one for one in reversed(ranked)}.values())[::-1][:2]


def _positive(reports: Iterable[ReadReport]) -> Iterator[Quoted]:
    for one in plain_words(reports):
        if one.result.effect is Effect.POSITIVE:
            yield one


def _with_open_words(
    chosen: Weighed, coded: Weighed, reports: tuple[ReadReport, ...], knowledge: Knowledge
) -> Weighed:
    """Adds what is doubtful, what was not read, and where words and codes disagree."""
    standing, view = chosen.standing, chosen.view
    days = knowledge.whole("alert_window_days")
    start = coded.course.remission.day if coded.course.remission is not None else None
    facts = coded.facts
    unread = unread_reports(reports, facts, start, view.today, days)
    against = tuple(
        pair
        for pair in disagreements(reports, facts)
        if pair[0].day is None or within_days(pair[0].day, view.today, days) is not Answer.NO
    )
    standing = replace(standing, unread=unread, disagreeing=against)
    if standing.status in _FOUND and standing.phase != "in-remission":
        return replace(chosen, standing=standing)
    doubtful = doubtful_words(reports, facts, start, view.today, days)
    misses = [
        _miss("report-doubtful", one.result.effect is Effect.POSITIVE, one)
        for one in doubtful
    ]  # fmt: skip
    misses += [
        _miss("report-disagrees", True, one)
        for one, _coded in against
        if one.result.effect is Effect.POSITIVE
    ]
    misses += [
        _miss("report-words", True, one) for one in unmeasured(reports, facts, start, view.today, days)
    ]
    misses += [_unread_miss(one) for one in unread]
    if not misses:
        return replace(chosen, standing=standing)
    status = standing.status if standing.phase == "in-remission" else Status.SUSPECT
    found = tuple(sorted((*standing.misses, *misses), key=lambda miss: (not miss.urgent, miss.kind)))
    return replace(chosen, standing=replace(standing, status=status, misses=found))


def _miss(kind: str, urgent: bool, one: Quoted) -> NearMiss:
    day = one.day
    evidence = Evidence(
        one.report.source.resource, kind_of(one.report), value=f"“{one.quote}”", date=_text(day)
    )
    return NearMiss(kind, urgent, day, (evidence,))


def _unread_miss(report: ReadReport) -> NearMiss:
    source = report.source
    evidence = Evidence(source.resource, kind_of(report), date=_text(source.collected))
    return NearMiss("report-unread", False, source.collected, (evidence,))


_KINDS = {
    "marrow": "marrow report",
    "csf": "cerebrospinal fluid report",
    "residual": "MRD report",
    "blood": "blood smear report",
    "testis": "testicular biopsy report",
    "genetics": "genetics report",
    "diagnosis": "problem list",
}


def kind_of(report: ReadReport) -> str:
    """What a report is called."""
    return _KINDS.get(report.source.area, "report")


def _text(day: Moment | None) -> str:
    return day.text if day is not None else ""
