"""Remissions, coded relapses and site findings as dated evidence, and the window since a remission."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import Certainty, Diagnosis, DiagnosisKind, Phase
from fhir_mappings.clinical.moments import Moment, within_days
from fhir_mappings.clinical.quantities import Presence
from fhir_mappings.clinical.verdict import Evidence
from fhir_mappings.clinical.window import SiteFinding, Window
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.relapse.disease import Disease
from fhir_mappings.relapse.usable_results import View

_EXPLORED = {"testis-biopsy": "testicular biopsy", "orchiectomy": "orchiectomy"}
"""Procedures that give tissue of the testis, as a card names them."""


@dataclass(frozen=True, slots=True)
class Remission:
    """Evidence of a complete remission: ``documented`` or ``derived`` from a marrow (0.3)."""

    day: Moment
    basis: str
    resource: str


def documented_remissions(view: View, disease: Disease) -> list[Remission]:
    """Remissions a clinician recorded: disease status, or a Condition in remission after diagnosis."""
    found = [
        Remission(result.collected, "documented", result.resource)
        for result in view.results("disease-status")
        if result.value is Presence.PRESENT and result.collected is not None
    ]
    for diagnosis in disease.all_diagnoses:
        if diagnosis.phase is not Phase.REMISSION or diagnosis.history:
            continue
        day = diagnosis.onset if diagnosis.phase_by_code is Phase.REMISSION else None
        day = day or diagnosis.recorded
        if day is not None and (disease.diagnosed is None or day.first > disease.diagnosed.last):
            found.append(Remission(day, "documented", diagnosis.resource))
    return sorted(found, key=lambda one: (one.day.sort_key, one.resource))


def undated_remission(disease: Disease) -> Diagnosis | None:
    """A Condition in remission whose date of remission is not recorded."""
    return next((found for found in disease.all_diagnoses if found.phase is Phase.REMISSION), None)


def history_remission(disease: Disease, view: View, knowledge: Knowledge) -> Remission | None:
    """The remission that a history of leukaemia documents, its date unknown (D-03).

    ``day`` is that of the history, and no later than the alert window: what is newer counts as after it.
    """
    if disease.history is None:
        return None
    stated = disease.history.onset or disease.history.recorded
    oldest = Moment.on(view.today.first - timedelta(days=knowledge.whole("alert_window_days")))
    day = stated if stated is not None and stated.last < oldest.first else oldest
    return Remission(day, "history", disease.history.resource)


def coded_relapses(view: View, disease: Disease, knowledge: Knowledge) -> list[tuple[Moment, Diagnosis]]:
    """Relapses coded by a clinician with the date to use: onset, else recorded (F-28).

    Where the coded Condition is the only one and began long ago, its onset is the diagnosis, and the
    date it was recorded is the best date of the relapse.
    """
    found = []
    for diagnosis in disease.all_diagnoses:
        if diagnosis.phase is not Phase.RELAPSE:
            continue
        day = diagnosis.onset or diagnosis.recorded
        alone = not any(
            other is not diagnosis and day is not None and _began_before(other, day)
            for other in disease.all_diagnoses
        )
        recent = knowledge.whole("alert_window_days")
        if alone and diagnosis.recorded is not None and day is not None:
            if within_days(day, view.today, recent) is not Answer.YES:
                day = diagnosis.recorded
        if day is not None:
            found.append((day, diagnosis))
    for diagnosis in view.diagnoses:
        if diagnosis.kind is DiagnosisKind.TRANSPLANT_RELAPSE and diagnosis.certainty is Certainty.CONFIRMED:
            day = diagnosis.onset or diagnosis.recorded
            if day is not None and disease.present:
                found.append((day, diagnosis))
    return sorted(found, key=lambda pair: (pair[0].sort_key, pair[1].resource))


def _began_before(diagnosis: Diagnosis, day: Moment) -> bool:
    moment = diagnosis.onset or diagnosis.recorded
    return moment is not None and moment.first < day.first


def site_findings(view: View, knowledge: Knowledge) -> tuple[SiteFinding, ...]:
    """Disease outside the marrow: proven by biopsy or by a confirmed code, else suspected."""
    found = [finding for diagnosis in view.diagnoses for finding in _site_of(diagnosis, view, knowledge)]
    found.extend(_examined(view, knowledge))
    return tuple(sorted(found, key=lambda one: (one.day.sort_key, one.site, one.evidence[0].resource)))


def _site_of(diagnosis: Diagnosis, view: View, knowledge: Knowledge) -> Iterator[SiteFinding]:
    kinds = (DiagnosisKind.CNS, DiagnosisKind.TESTIS, DiagnosisKind.OTHER_SITE)
    day = diagnosis.onset or diagnosis.recorded
    if diagnosis.kind not in kinds or day is None or diagnosis.phase in (Phase.REMISSION, Phase.INACTIVE):
        return
    named = Evidence(diagnosis.resource, diagnosis.site, date=day.text)
    if diagnosis.certainty is not Certainty.CONFIRMED:
        yield SiteFinding(diagnosis.site, day, Answer.UNSURE, (named,))
    elif diagnosis.kind is DiagnosisKind.TESTIS:
        yield _testis(day, named, view, knowledge)
    else:
        yield SiteFinding(diagnosis.site, day, Answer.YES, (named,))


def _examined(view: View, knowledge: Knowledge) -> Iterator[SiteFinding]:
    """A testicular examination that finds something is a suspicion, never a proof (F-21).

    Only the latest one speaks, and a biopsy or removal of the testis afterwards has answered it.
    """
    exams = [result for result in view.results("testis-exam") if result.collected is not None]
    for result in exams[-1:]:
        if result.value in (Presence.PRESENT, Presence.WEAK) and result.collected is not None:
            if not _explored_since(result.collected, view):
                what = f"positive {knowledge.titles[result.concept]}"
                named = Evidence(result.resource, what, date=result.collected.text)
                yield SiteFinding("testis", result.collected, Answer.UNSURE, (named,))


def _explored_since(day: Moment, view: View) -> bool:
    return any(
        done.kind in _EXPLORED and done.performed is not None and done.performed.first >= day.first
        for done in view.procedures
    )


def _testis(day: Moment, named: Evidence, view: View, knowledge: Knowledge) -> SiteFinding:
    for done in view.procedures:
        if done.kind in _EXPLORED and done.performed is not None:
            if within_days(done.performed, day, knowledge.whole("testis_window_days")) is Answer.YES:
                biopsy = Evidence(done.resource, _EXPLORED[done.kind], date=done.performed.text)
                first = min(day, done.performed, key=lambda moment: moment.sort_key)
                return SiteFinding("testis", first, Answer.YES, (named, biopsy))
    return SiteFinding("testis", day, Answer.UNSURE, (named,))


def window_since(
    start: Moment | None, view: View, findings: tuple[SiteFinding, ...], end: Moment | None = None
) -> Window:
    """All evidence on or after ``start`` (and before ``end``), or all of it without a start."""

    def inside(day: Moment) -> bool:
        if start is not None and day.last < start.first:
            return False
        return end is None or day.first < end.first

    if start is None and end is None:
        return Window(view.marrow, view.blood, view.taps, view.mrd, findings)
    return Window(
        tuple(sample for sample in view.marrow if inside(sample.day)),
        tuple(sample for sample in view.blood if inside(sample.day)),
        tuple(tap for tap in view.taps if inside(tap.draw.day)),
        tuple(sample for sample in view.mrd if inside(sample.day)),
        tuple(finding for finding in findings if inside(finding.day)),
    )
