"""Facts, needs and knowledge to one assessment."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from fhir_mappings.assessing.reports import described
from fhir_mappings.assessment import (
    Assessment,
    Availability,
    CriterionResult,
    KnowledgeStamp,
    NeedState,
    NotEvaluated,
    Status,
)
from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import Facts
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.verdict import Evidence, Met, Unknown
from fhir_mappings.fhir.merging import merge_facts
from fhir_mappings.knowledge.model import Knowledge, Need
from fhir_mappings.relapse.disease import B_MARKERS, T_MARKERS, Disease, disease_of
from fhir_mappings.relapse.episodes import CourseReader
from fhir_mappings.relapse.situation import Picture, picture_of
from fhir_mappings.relapse.status import Standing
from fhir_mappings.relapse.usable_results import View, view_of
from fhir_mappings.relapse.weighing import weighed
from fhir_mappings.relapse.written_reports import READ, ReadReport, ReportPolicy, read_reports
from fhir_mappings.statements import sections_of
from fhir_mappings.statements.undiagnosed import undiagnosed_section

_NOTHING = (Status.NONE, Status.OUT_OF_SCOPE, Status.NOT_EVALUABLE)
_PASSING = frozenset({"creatinine", "gfr", "bilirubin", "alt", "ast", "ejection-fraction"})
"""Measured day after day: for a trial only, and no news of the leukaemia."""
_STATED = (
    *B_MARKERS,
    *T_MARKERS,
    "bcr-abl1",
    "bcr-abl1-ratio",
    "bcr-abl1-p190",
    "bcr-abl1-p210",
    "kmt2a",
    "disease-status",
    "testis-exam",
)
"""Results whose change is news, beside the samples."""
_CONCLUDING = frozenset({"always", "with-all"})


def evaluate_facts(
    facts: Facts,
    needs: Mapping[str, NeedState],
    at: datetime,
    knowledge: Knowledge,
    patient: str,
    policy: ReportPolicy = READ,
) -> Assessment:
    """The assessment of one patient. ``needs`` says what was seen; a need not named was not seen."""
    facts = merge_facts((facts,))
    view = view_of(facts, at, knowledge)
    disease = disease_of(view, knowledge)
    stamp = KnowledgeStamp(knowledge.disease, knowledge.version, knowledge.digest, knowledge.review)
    deceased = any(person.deceased for person in facts.persons)
    if not disease.present or deceased:
        return _silent(facts, needs, at, knowledge, patient, stamp, view, disease, deceased)
    reports = read_reports(facts, at, knowledge, policy)
    chart = weighed(facts, at, knowledge, reports)
    standing = replace(chart.standing, reports_unseen=_reports_unseen(needs, knowledge, policy))
    facts, view, course = chart.facts, chart.view, chart.course
    picture = picture_of(view, facts, chart.disease, course, standing, knowledge)
    picture = replace(picture, unseen=_unseen_needs(facts, needs, knowledge))
    missing = _missing_needs(facts, needs, knowledge, with_disease=True)
    status = standing.status
    if status is Status.NONE and missing:
        status = Status.NOT_EVALUABLE
    episode = standing.episode
    results = episode.results if episode is not None else course.results
    if course.remission is None and episode is None:
        results = _without_remission(results, chart.reader)
    if standing.in_words:
        results = _unconfirmed(results, chart.reader)
    return Assessment(
        patient=patient,
        at=at,
        knowledge=stamp,
        status=status,
        criteria=results,
        phase=standing.phase if standing.status is Status.RELAPSE else "",
        relapse_number=_relapse_number(picture),
        event=episode.event if episode is not None else None,
        event_source=_event_source(picture),
        site=picture.site.name if picture.site is not None else "",
        cns=picture.site.cns_involved if picture.site is not None else Answer.UNSURE,
        cns_because=picture.site.cns_because if picture.site is not None else (),
        beside=tuple(_beside(standing)),
        timing=picture.timing,
        lineage=picture.disease.lineage,
        bcr_abl1=picture.markers.bcr_abl1,
        cd19=picture.markers.cd19,
        cd22=picture.markers.cd22,
        kmt2a=picture.markers.kmt2a,
        age_years=picture.age,
        sex=picture.person.sex if picture.person is not None else "unknown",
        options=picture.options,
        sections=sections_of(picture),
        not_evaluated=tuple(_not_evaluated(picture, results, needs, knowledge)),
        ignored=view.ignored,
        missing_needs=missing,
        evidence_digest=evidence_digest(facts, view, reports),
        latest_specimen=_latest_specimen(view),
        reports=described(reports),
    )


def _beside(standing: Standing) -> Iterator[Evidence]:
    """What the finding shows beside the criteria."""
    for miss in standing.misses:
        yield from miss.evidence
    if standing.persistent is not None:
        yield from standing.persistent.evidence
    if standing.refractory:
        yield standing.refractory[-1].evidence()


def _latest_specimen(view: View) -> str:
    """The date of the newest specimen that was looked at."""
    days = [samples[-1].day for samples in (view.marrow, view.blood, view.mrd) if samples]
    days.extend(tap.draw.day for tap in view.taps[-1:])
    return max(days, key=lambda day: day.sort_key).text if days else ""


def _without_remission(
    results: tuple[CriterionResult, ...], reader: CourseReader
) -> tuple[CriterionResult, ...]:
    """Before a remission no relapse criterion is met: what the samples show is the disease itself (A-16)."""
    gap = (reader.gap("remission"),)
    return tuple(
        replace(one, verdict=Unknown(gap, one.verdict.because)) if isinstance(one.verdict, Met) else one
        for one in results
    )


def _unconfirmed(results: tuple[CriterionResult, ...], reader: CourseReader) -> tuple[CriterionResult, ...]:
    """A criterion that only words meet is not met: they are to be confirmed in the report."""
    gap = (reader.gap("report-confirmed"),)
    return tuple(
        replace(one, verdict=Unknown(gap, one.verdict.because)) if isinstance(one.verdict, Met) else one
        for one in results
    )


def _silent(
    facts: Facts,
    needs: Mapping[str, NeedState],
    at: datetime,
    knowledge: Knowledge,
    patient: str,
    stamp: KnowledgeStamp,
    view: View,
    disease: Disease,
    deceased: bool,
) -> Assessment:
    """No ALL in the chart, or nobody left to treat (F-24): silent, if the problem list was seen."""
    missing = () if deceased else _missing_needs(facts, needs, knowledge, with_disease=False)
    status = Status.OUT_OF_SCOPE if disease.elsewhere else Status.NONE
    if missing:
        status = Status.NOT_EVALUABLE
    return Assessment(
        patient=patient,
        at=at,
        knowledge=stamp,
        status=status,
        ignored=view.ignored,
        not_evaluated=tuple(_unread(facts, needs, knowledge)) if missing else (),
        missing_needs=missing,
        sections=() if deceased or missing else tuple(undiagnosed_section(view, knowledge)),
        sex=facts.persons[0].sex if facts.persons else "unknown",
        evidence_digest=evidence_digest(facts, view),
    )


def _missing_needs(
    facts: Facts, needs: Mapping[str, NeedState], knowledge: Knowledge, with_disease: bool
) -> tuple[str, ...]:
    """Needs without which nothing may be concluded, not seen or not understood (invariant 1)."""
    wanted = _CONCLUDING if with_disease else frozenset({"always"})
    return tuple(
        need.key
        for need in knowledge.needs
        if need.requirement in wanted and (_is_unseen(need, needs) or need.key in facts.unreadable)
    )


def _unseen_needs(facts: Facts, needs: Mapping[str, NeedState], knowledge: Knowledge) -> frozenset[str]:
    """Every need of which nothing can be said."""
    return frozenset(
        need.key for need in knowledge.needs if _is_unseen(need, needs) or need.key in facts.unreadable
    )


def _reports_unseen(needs: Mapping[str, NeedState], knowledge: Knowledge, policy: ReportPolicy) -> str:
    """Why the reports in words of a chart were not seen; empty where they were, or the site leaves them."""
    need = next((one for one in knowledge.needs if one.key == "reports"), None)
    if need is None or policy.mode == "off" or not _is_unseen(need, needs):
        return ""
    return _reason_words(need, needs, knowledge)


def _reason_words(need: Need, needs: Mapping[str, NeedState], knowledge: Knowledge) -> str:
    state = needs.get(need.key)
    key = f"need.{state.reason if state is not None and state.reason else 'not-supplied'}"
    return knowledge.words[key if key in knowledge.words else "need.not-supplied"].text


def _is_unseen(need: Need, needs: Mapping[str, NeedState]) -> bool:
    state = needs.get(need.key)
    return state is None or state.availability is Availability.UNKNOWN


def _relapse_number(picture: Picture) -> int | None:
    if picture.episode is None:
        return None
    if picture.disease.history is not None:
        return None
    return max(picture.episode.number, len(picture.standing.previous) + 1)


def _event_source(picture: Picture) -> str:
    if picture.episode is None:
        return ""
    return "coded" if picture.episode.grade.value == "coded" else "measured"


def _not_evaluated(
    picture: Picture,
    results: tuple[CriterionResult, ...],
    needs: Mapping[str, NeedState],
    knowledge: Knowledge,
) -> Iterator[NotEvaluated]:
    """What could not be looked at: needs not seen, then what criteria of the default set miss."""
    yield from _unread(picture.facts, needs, knowledge)
    if any(isinstance(one.verdict, Met) and one.criteria_set == knowledge.default_set.id for one in results):
        return
    seen: set[str] = set()
    for one in results:
        if one.criteria_set != knowledge.default_set.id or not isinstance(one.verdict, Unknown):
            continue
        for item in one.verdict.missing:
            if item.key not in seen:
                seen.add(item.key)
                yield NotEvaluated(item.what, item.why)


def _unread(facts: Facts, needs: Mapping[str, NeedState], knowledge: Knowledge) -> Iterator[NotEvaluated]:
    """The needs that were not seen, each with its reason."""
    words = knowledge.words
    for need in knowledge.needs:
        state = needs.get(need.key)
        if need.coded and not need.codes and (state is None or state.reason == "not-supplied"):
            continue
        if need.on_request and _is_unseen(need, needs):
            continue
        if _is_unseen(need, needs):
            reason = state.reason if state is not None and state.reason else "not-supplied"
            key = f"need.{reason}"
            yield NotEvaluated(need.title, words[key if key in words else "need.not-supplied"].text, need.key)
        elif need.key in facts.unreadable:
            yield NotEvaluated(need.title, words["need.unreadable"].text, need.key)


def evidence_digest(facts: Facts, view: View, reports: Iterable[ReadReport] = ()) -> str:
    """A short digest of everything the answer can depend on: new evidence gives a new digest."""
    parts: list[str] = []
    for sample in (*view.marrow, *view.blood, *view.mrd):
        parts.append(f"{sample.result.resource}={sample.value.text}@{_text(sample.day)}")
    for tap in view.taps:
        parts.append(f"csf@{_text(tap.draw.day)}={tap.cns_class}{tap.draw.blasts.value}")
    for diagnosis in view.diagnoses:
        parts.append(f"{diagnosis.resource}={diagnosis.phase.value}{diagnosis.certainty.value}")
    parts.extend(f"{done.resource}={done.kind}" for done in view.procedures)
    parts.extend(f"{drug.resource}={drug.agent}{drug.state.value}" for drug in view.medications)
    for concept in _STATED:
        parts.extend(f"{result.resource}={result.value}" for result in view.results(concept))
    coming = [result for result in view.preliminary if result.concept not in _PASSING]
    parts.extend(f"{result.resource}?" for result in (*coming, *view.unusable, *view.undated))
    parts.extend(f"{one.resource}={one.state}" for one in facts.enrolments)
    for report in reports:
        said = "|".join(result.quote for result in report.reading.results if result.is_used)
        parts.append(f"{report.source.resource}#{report.source.element}={report.reading.state.value}:{said}")
    return hashlib.blake2b("\n".join(sorted(parts)).encode(), digest_size=16).hexdigest()


def _text(moment: Moment) -> str:
    return moment.text
