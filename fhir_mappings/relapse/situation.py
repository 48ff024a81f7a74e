"""Everything about the relapse that the sections speak of, computed once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fhir_mappings.assessment import Option, Statement, Status, Timing
from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import Enrolment, Facts, Lineage, Person, Referral, Result
from fhir_mappings.clinical.moments import Moment, exceeds_months, months_between, whole_years
from fhir_mappings.clinical.options import Marker, Recipient, judge
from fhir_mappings.clinical.timing import TimingClass, TimingLimits, bfm, cog, seed_000, seed_003
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.relapse.disease import (
    Disease,
    Therapy,
    antigen,
    bcr_abl1,
    kmt2a,
    procedure_dates,
    received_agents,
    therapy_around,
)
from fhir_mappings.relapse.episodes import TRANSPLANTS, Course, Episode
from fhir_mappings.relapse.lineage_switch import lineage_switch
from fhir_mappings.relapse.sites import SitePicture, site_picture
from fhir_mappings.relapse.status import Standing
from fhir_mappings.relapse.usable_results import View


@dataclass(frozen=True, slots=True)
class Markers:
    """Biological markers at relapse, with the results they stand on."""

    cd19: Marker
    cd22: Marker
    bcr_abl1: Marker
    kmt2a: Marker
    cd19_from: Result | None
    cd22_from: Result | None
    bcr_abl1_from: Result | None


@dataclass(frozen=True, slots=True)
class Picture:
    """The patient's situation: input of every section.

    After a lineage switch ``disease.lineage`` is mixed, so that no agent is named as matching (F-15, R-14).
    """

    view: View
    facts: Facts
    knowledge: Knowledge
    disease: Disease
    course: Course
    standing: Standing
    person: Person | None
    age: int | None
    adult: Answer
    markers: Markers
    site: SitePicture | None
    therapy: Therapy | None
    timing: Timing | None
    options: tuple[Option, ...]
    received: Mapping[str, Moment | None]
    transplants: tuple[tuple[Moment | None, str], ...]
    car_t: bool
    enrolments: tuple[Enrolment, ...]
    referrals: tuple[Referral, ...]
    lineage_switch: Statement | None
    unseen: frozenset[str] = frozenset()

    @property
    def episode(self) -> Episode | None:
        """The relapse the status speaks of."""
        return self.standing.episode


def picture_of(
    view: View, facts: Facts, disease: Disease, course: Course, standing: Standing, knowledge: Knowledge
) -> Picture:
    """Site, timing, markers and options of one patient."""
    person = facts.persons[0] if facts.persons else None
    episode = standing.episode
    event = episode.event if episode is not None else view.today
    age = _age(person, event)
    adult = Answer.UNSURE if age is None else Answer.of(age >= knowledge.whole("adult_years"))
    since = _marker_window(episode, knowledge)
    markers = _markers(since, view, disease, knowledge)
    switch = lineage_switch(disease, view, since, knowledge)
    if switch is not None:
        disease = replace(disease, lineage=Lineage.MIXED)
    site = site_picture(episode, view, person, knowledge) if episode is not None else None
    therapy = therapy_around(event, facts, view, disease, knowledge) if episode is not None else None
    transplants = tuple(procedure_dates(view, TRANSPLANTS))
    car_t = any(done.kind == "car-t" for done in view.procedures) or any(
        found.kind.value == "car-t-status" for found in view.diagnoses
    )
    received = received_agents(view)
    options: tuple[Option, ...] = ()
    found = standing.status in (Status.RELAPSE, Status.PROBABLE, Status.REFRACTORY, Status.PERSISTENT)
    if found and disease.certain and (episode is None or episode.rival is None):
        options = _options(person, view, disease, standing, markers, adult, received, knowledge)
    timing = None
    if episode is not None and site is not None and therapy is not None:
        timing = _timing(episode, site, therapy, disease, transplants, knowledge)
    return Picture(
        view=view,
        facts=facts,
        knowledge=knowledge,
        disease=disease,
        course=course,
        standing=standing,
        person=person,
        age=age,
        adult=adult,
        markers=markers,
        site=site,
        therapy=therapy,
        timing=timing,
        options=options,
        received=received,
        transplants=transplants,
        car_t=car_t,
        enrolments=facts.enrolments,
        referrals=facts.referrals,
        lineage_switch=switch,
    )


def _age(person: Person | None, on: Moment) -> int | None:
    if person is None or person.birth is None:
        return None
    years = whole_years(person.birth, on)
    return years if isinstance(years, int) else None


def _marker_window(episode: Episode | None, knowledge: Knowledge) -> Moment | None:
    """The day from which markers speak of this relapse (S-003-16)."""
    if episode is None:
        return None
    from_day = episode.event.first.toordinal() - knowledge.whole("marker_window_days")
    return Moment.on(episode.event.first.fromordinal(from_day))


def _markers(since: Moment | None, view: View, disease: Disease, knowledge: Knowledge) -> Markers:
    cd19, cd19_from = antigen(view.results("cd19"), since, knowledge)
    cd22, cd22_from = antigen(view.results("cd22"), since, knowledge)
    if cd22 is Marker.UNKNOWN and cd22_from is None:
        cd22, cd22_from = antigen(view.results("cytoplasmic-cd22"), since, knowledge)
    ph, ph_from = bcr_abl1(disease, view)
    rearranged, _from = kmt2a(disease, view)
    return Markers(cd19, cd22, ph, rearranged, cd19_from, cd22_from, ph_from)


def _options(
    person: Person | None,
    view: View,
    disease: Disease,
    standing: Standing,
    markers: Markers,
    adult: Answer,
    received: Mapping[str, Moment | None],
    knowledge: Knowledge,
) -> tuple[Option, ...]:
    episode = standing.episode
    relapses = episode.number if episode is not None and episode.number else None
    if standing.status is Status.PROBABLE and episode is not None:
        relapses = len(standing.previous) + 1
    refractory = standing.status in (Status.REFRACTORY, Status.PERSISTENT)
    patient = Recipient(
        lineage=disease.lineage,
        markers={
            "cd19": markers.cd19,
            "cd22": markers.cd22,
            "bcr-abl1": markers.bcr_abl1,
            "kmt2a": markers.kmt2a,
        },
        age_months=_age_months(person, view.today),
        adult=adult,
        relapses=relapses,
        regimens=relapses + (1 if standing.status is Status.PERSISTENT else 0) if relapses else None,
        refractory=refractory,
        received=frozenset(received),
    )
    found = []
    for rule in knowledge.options:
        state, reasons = judge(rule, patient)
        because = tuple(Statement(reason.words, reason.values) for reason in reasons)
        day = received.get(rule.agent) if rule.agent in received else None
        if rule.agent and rule.agent in received:
            because += (Statement("reason.received", {"date": day.text if day else "an unknown date"}),)
        found.append(Option(rule.id, rule.title, state, because, rule.cites))
    return tuple(found)


def _age_months(person: Person | None, today: Moment) -> int | None:
    if person is None or person.birth is None or not person.birth.is_exact_day:
        years = _age(person, today)
        return None if years is None else years * 12
    birth = person.birth.first
    months = (today.first.year - birth.year) * 12 + today.first.month - birth.month
    return months - (today.first.day < birth.day)


def _timing(
    episode: Episode,
    site: SitePicture,
    therapy: Therapy,
    disease: Disease,
    transplants: tuple[tuple[Moment | None, str], ...],
    knowledge: Knowledge,
) -> Timing:
    """Both seed systems always, BFM and COG beside them; classes for the first relapse only (A-04, R-12)."""
    limits = TimingLimits(
        knowledge.whole("early_marrow_months"),
        knowledge.whole("early_extramedullary_months"),
        knowledge.whole("end_of_therapy_months"),
        knowledge.whole("very_early_months"),
    )
    event = episode.event
    earlier = [day for day, _resource in transplants if day is not None and day.first < event.first]
    since_transplant = months_between(earlier[-1].first, event.first) if earlier else None
    remission = episode.before
    dated = remission is not None and remission.basis in ("documented", "derived")
    first = remission if dated and episode.number <= 1 else None
    cr1_months = months_between(first.day.first, event.first) if first is not None else None
    if episode.number > 1 or (episode.number == 1 and episode.grade.value == "consensus"):
        months = None
        if disease.diagnosed is not None:
            months = months_between(disease.diagnosed.first, event.first)
        none = TimingClass("not-classified", months)
        apart = TimingClass("not-applicable")
        return Timing(none, apart, apart, apart, months_since_transplant=since_transplant)
    over = None
    if "cns" in site.sites and site.marrow is not Answer.YES:
        months = knowledge.whole("first_remission_months")
        over = exceeds_months(first.day, event, months) if first is not None else Answer.UNSURE
    isolated = site.marrow is Answer.NO and bool(site.sites)
    return Timing(
        seed_003=_seed_003(disease, event, site, limits),
        seed_000=TimingClass("not-applicable")
        if isolated
        else seed_000(therapy.ended, therapy.on_therapy, event, limits),
        bfm=bfm(disease.diagnosed, therapy.ended, therapy.on_therapy, event, limits),
        cog=cog(disease.diagnosed, event, limits),
        cr1_over_18_months=over,
        cr1_months=cr1_months,
        months_since_transplant=since_transplant,
    )


def _seed_003(disease: Disease, event: Moment, site: SitePicture, limits: TimingLimits) -> TimingClass:
    """By the date of diagnosis; where only a history is on record, the diagnosis is older than it (D-03)."""
    if disease.history is None:
        return seed_003(disease.diagnosed, event, _clock(site), limits)
    stated = disease.history.onset or disease.history.recorded
    if stated is None:
        return seed_003(None, event, _clock(site), limits)
    timing = seed_003(Moment.on(stated.last), event, _clock(site), limits)
    value = timing.value if timing.value == "late" else "indeterminate"
    return TimingClass(value, None, f"a history of leukaemia is on record from {stated.text}")


def _clock(site: SitePicture) -> Answer:
    """Which clock of seed 003 runs: the marrow's, the isolated site's, or undecided."""
    if not site.name:
        return Answer.UNSURE
    return site.marrow if site.sites else Answer.YES
