"""The disease: in scope or not, diagnosed when, of which lineage, with which markers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import (
    Diagnosis,
    DiagnosisKind,
    Facts,
    Lineage,
    Medication,
    MedicationState,
    Phase,
    Result,
    TreatmentCourse,
)
from fhir_mappings.clinical.moments import Moment, within_days
from fhir_mappings.clinical.options import Marker
from fhir_mappings.clinical.quantities import Measured, Presence
from fhir_mappings.clinical.samples import ZERO
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.relapse.scope import scope_of
from fhir_mappings.relapse.usable_results import View

B_MARKERS = ("cd19", "cd22", "cytoplasmic-cd22")
T_MARKERS = ("cytoplasmic-cd3",)
"""Antigens whose expression by the blasts states a lineage (R-14)."""


_TREATMENTS = frozenset(
    {
        "hsct-allogeneic",
        "hsct-autologous",
        "hsct-unspecified",
        "car-t",
        "radiotherapy",
        "cranial-radiotherapy",
        "testicular-radiotherapy",
        "orchiectomy",
    }
)
"""Procedures that treat the leukaemia."""


@dataclass(frozen=True, slots=True)
class Disease:
    """What is known of the leukaemia itself.

    ``diagnosed`` is the earliest confirmed date (F-22), None when no Condition is dated.
    ``elsewhere`` says that only another leukaemia is coded (F-15). ``others`` are the confirmed other
    leukaemias, ``recorded`` is the lineage that the Conditions of ALL state. ``certain`` is false where ALL
    is only possible (D-01); ``history`` is the history of leukaemia that is all there is (D-03).
    """

    present: bool
    elsewhere: bool
    all_diagnoses: tuple[Diagnosis, ...]
    diagnosed: Moment | None
    lineage: Lineage
    others: tuple[Diagnosis, ...]
    recorded: Lineage
    certain: bool = True
    history: Diagnosis | None = None


def disease_of(view: View, knowledge: Knowledge) -> Disease:
    """Scope, date and lineage from the confirmed Conditions (F-14..F-16, F-22)."""
    scope = scope_of(view, knowledge)
    ours, others = scope.diagnoses, scope.others
    recorded = _recorded_lineage(ours, others) if scope.certain else Lineage.UNKNOWN
    expressed = scope.certain and recorded is Lineage.UNKNOWN
    return Disease(
        present=bool(ours),
        elsewhere=scope.elsewhere,
        all_diagnoses=ours,
        diagnosed=_diagnosed(ours, view) if scope.history is None else None,
        lineage=_expressed_lineage(view, knowledge) if expressed else recorded,
        others=others,
        recorded=recorded,
        certain=scope.certain,
        history=scope.history,
    )


def _diagnosed(diagnoses: Sequence[Diagnosis], view: View) -> Moment | None:
    """The earliest date of a Condition that is not itself the coded relapse or remission.

    A coarser date that contains a finer one adds nothing and is dropped.
    """
    plain = [found for found in diagnoses if found.phase_by_code not in (Phase.RELAPSE, Phase.REMISSION)]
    dates = [found.onset or found.recorded for found in plain or ()]
    if not any(dates):
        dates = [found.onset for found in diagnoses if found.phase_by_code is Phase.REMISSION]
    known = sorted({date for date in dates if date is not None}, key=lambda moment: moment.sort_key)
    fine = [
        moment
        for moment in known
        if not any(
            other != moment and moment.first <= other.first and other.last <= moment.last for other in known
        )
    ]
    if not fine:
        return None
    return Moment(min(found.first for found in fine), min(found.last for found in fine), fine[0].instant)


def _recorded_lineage(ours: Sequence[Diagnosis], others: Sequence[Diagnosis]) -> Lineage:
    """The lineage the Conditions state; contradiction is mixed (R-14)."""
    if any(found.kind is DiagnosisKind.MIXED_PHENOTYPE for found in others) and ours:
        return Lineage.MIXED
    coded = {found.lineage for found in ours} - {Lineage.UNKNOWN}
    if len(coded) > 1:
        return Lineage.MIXED
    return coded.pop() if coded else Lineage.UNKNOWN


def _expressed_lineage(view: View, knowledge: Knowledge) -> Lineage:
    """What the blasts express, for a leukaemia whose Conditions state no lineage."""
    share = knowledge.number("antigen_positive_at_least")
    b = any(is_positive(result, share) for result in view.results(*B_MARKERS))
    t = any(is_positive(result, share) for result in view.results(*T_MARKERS))
    if b and t:
        return Lineage.MIXED
    return Lineage.B if b else Lineage.T if t else Lineage.UNKNOWN


def is_positive(result: Result, share: Decimal) -> bool:
    """A marker result that certainly shows expression: at least ``share`` % of the blasts."""
    if isinstance(result.value, Measured):
        return result.value.is_at_least(share) is Answer.YES
    return result.value is Presence.PRESENT


def antigen(
    results: Sequence[Result], since: Moment | None, knowledge: Knowledge
) -> tuple[Marker, Result | None]:
    """An antigen on the blasts at relapse, by the latest result not older than ``since``.

    An older result says nothing about this relapse (S-003-16).
    """
    positive = knowledge.number("antigen_positive_at_least")
    negative = knowledge.number("antigen_negative_below")
    for result in reversed(results):
        if since is not None and result.collected is not None and result.collected.last < since.first:
            break
        if isinstance(result.value, Measured):
            if result.value.is_at_least(positive) is Answer.YES:
                return Marker.POSITIVE, result
            if result.value.is_at_least(negative) is Answer.NO:
                return Marker.NEGATIVE, result
            return Marker.UNKNOWN, result
        if isinstance(result.value, Presence):
            answers = {Presence.PRESENT: Marker.POSITIVE, Presence.ABSENT: Marker.NEGATIVE}
            return answers.get(result.value, Marker.UNKNOWN), result
    return Marker.UNKNOWN, None


def bcr_abl1(disease: Disease, view: View) -> tuple[Marker, Result | None]:
    """Philadelphia status: positive if any test or code says so; negative only by a test of every breakpoint.

    A negative p210 test alone is not Ph-negative (terminology trap 14).
    """
    results = view.results("bcr-abl1", "bcr-abl1-ratio", "bcr-abl1-p190", "bcr-abl1-p210")
    for result in reversed(results):
        if _finding(result) is Marker.POSITIVE:
            return Marker.POSITIVE, result
    coded = {found.bcr_abl1 for found in disease.all_diagnoses}
    if "positive" in coded:
        return Marker.POSITIVE, None
    negative = {result.concept for result in results if _finding(result) is Marker.NEGATIVE}
    if "bcr-abl1" in negative or {"bcr-abl1-p190", "bcr-abl1-p210"} <= negative or "negative" in coded:
        return Marker.NEGATIVE, results[-1] if results else None
    return Marker.UNKNOWN, None


def kmt2a(disease: Disease, view: View) -> tuple[Marker, Result | None]:
    """KMT2A rearrangement by test or code; a negative test of one partner is no negative."""
    for result in reversed(view.results("kmt2a")):
        if _finding(result) is Marker.POSITIVE:
            return Marker.POSITIVE, result
    if any(found.kmt2a for found in disease.all_diagnoses):
        return Marker.POSITIVE, None
    return Marker.UNKNOWN, None


def _finding(result: Result) -> Marker:
    if isinstance(result.value, Presence):
        answers = {Presence.PRESENT: Marker.POSITIVE, Presence.ABSENT: Marker.NEGATIVE}
        return answers.get(result.value, Marker.UNKNOWN)
    if isinstance(result.value, Measured):
        above = result.value.is_above(ZERO)
        if above is Answer.YES:
            return Marker.POSITIVE
        return Marker.NEGATIVE if above is Answer.NO and result.concept == "bcr-abl1" else Marker.UNKNOWN
    return Marker.UNKNOWN


@dataclass(frozen=True, slots=True)
class Therapy:
    """Frontline therapy: when it ended, and whether the event fell into it.

    ``reinduction_end`` is the end of the first course after the event.
    """

    ended: Moment | None
    on_therapy: Answer
    reinduction_start: Moment | None
    reinduction_end: Moment | None


def therapy_around(
    event: Moment, facts: Facts, view: View, disease: Disease, knowledge: Knowledge
) -> Therapy:
    """Frontline therapy and reinduction around an event, from plans, else from maintenance drugs."""
    courses = _courses(facts, disease)
    frontline = [course for course in courses if course.start is None or course.start.first < event.first]
    later = [course for course in courses if course.start is not None and course.start.first >= event.first]
    start, end = _reinduction(later, event, view, knowledge)
    chosen = frontline[0] if frontline else None
    if chosen is not None and (chosen.end is not None or chosen.running):
        ended = chosen.end
        on = Answer.YES if ended is None else Answer.of(event.first <= ended.last)
        if ended is not None and not (ended.is_exact_day and event.is_exact_day):
            on = Answer.UNSURE if ended.first <= event.last and event.first <= ended.last else on
        return Therapy(ended, on, start, end)
    return Therapy(*_from_maintenance(event, view, knowledge), start, end)


def _courses(facts: Facts, disease: Disease) -> list[TreatmentCourse]:
    ours = {found.resource for found in disease.all_diagnoses}
    found = [course for course in facts.courses if ours & set(course.conditions)]
    return sorted(
        found,
        key=lambda course: (course.start.sort_key if course.start else (), course.resource),
    )


def _reinduction(
    later: Sequence[TreatmentCourse], event: Moment, view: View, knowledge: Knowledge
) -> tuple[Moment | None, Moment | None]:
    """Start and end of reinduction: a course that ended, else the first course, else the first drug given."""
    for course in later:
        if course.end is not None and course.end.last <= view.today.first:
            return course.start, course.end
    if later:
        return later[0].start, None
    supportive = knowledge.agents_of("g-csf")
    given = [
        drug.start
        for drug in view.medications
        if drug.start is not None
        and drug.start.first >= event.first
        and drug.state in (MedicationState.GIVEN, MedicationState.RUNNING)
        and drug.agent not in supportive
    ]
    return min(given, key=lambda moment: moment.sort_key, default=None), None


def _from_maintenance(event: Moment, view: View, knowledge: Knowledge) -> tuple[Moment | None, Answer]:
    """When maintenance ended, and whether it went on at the event, by its drugs.

    A drug begun on the day of the event belongs to the reinduction. An order says when it was written and
    not when the last dose was taken: where it is the newest record, the end of therapy stays open.
    """
    maintenance = knowledge.agents_of("maintenance")
    taken = [
        (drug, drug.start)
        for drug in view.medications
        if drug.agent in maintenance
        and not drug.intrathecal
        and drug.state is not MedicationState.PLANNED
        and drug.start is not None
        and drug.start.first < event.first
    ]
    if not taken:
        return None, Answer.UNSURE
    seen = [drug.end or begun for drug, begun in taken]
    days = knowledge.whole("maintenance_gap_days")
    if any(drug.state is MedicationState.RUNNING and drug.end is None for drug, _begun in taken) or any(
        day.last >= event.first or within_days(day, event, days) is Answer.YES for day in seen
    ):
        return None, Answer.YES
    last = max(seen, key=lambda moment: moment.sort_key)
    closed = any(_last_dose(drug) == last for drug, _begun in taken)
    return (last, Answer.NO) if closed else (None, Answer.UNSURE)


def _last_dose(drug: Medication) -> Moment | None:
    """The day of the last dose, where the record states one."""
    return drug.end or (drug.start if drug.resource.startswith("MedicationAdministration/") else None)


def treated_since(event: Moment, facts: Facts, view: View, disease: Disease, knowledge: Knowledge) -> bool:
    """Whether treatment of the leukaemia is on record from the event on: a course, a drug or a procedure.

    A plan from before the event that is merely not closed shows none.
    """
    days = [course.start for course in _courses(facts, disease)]
    days += [course.end for course in _courses(facts, disease)]
    supportive = knowledge.agents_of("g-csf")
    days += [
        drug.end or drug.start
        for drug in view.medications
        if drug.agent not in supportive and drug.state is not MedicationState.PLANNED
    ]
    days += [done.performed for done in view.procedures if done.kind in _TREATMENTS]
    return any(day is not None and day.last >= event.first and not day.is_after(view.at) for day in days)


def received_agents(view: View) -> Mapping[str, Moment | None]:
    """Agents given or running, with the date of the first record."""
    found: dict[str, Moment | None] = {}
    for drug in sorted(
        view.medications, key=lambda one: (one.start.sort_key if one.start else (), one.resource)
    ):
        if drug.state is MedicationState.PLANNED:
            continue
        found.setdefault(drug.agent, drug.start)
    return found


def procedure_dates(view: View, kinds: Iterable[str]) -> list[tuple[Moment | None, str]]:
    """Dates and references of procedures of some kinds, earliest first."""
    wanted = frozenset(kinds)
    found = [(done.performed, done.resource) for done in view.procedures if done.kind in wanted]
    return sorted(found, key=lambda pair: (pair[0].sort_key if pair[0] else (), pair[1]))
