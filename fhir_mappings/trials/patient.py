"""An assessment and the facts behind it -> what studies may ask about this patient."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal

from fhir_mappings.assessment import Assessment, Status
from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import (
    Certainty,
    Diagnosis,
    DiagnosisKind,
    Facts,
    Lineage,
    Medication,
    MedicationState,
    Result,
    ResultStatus,
)
from fhir_mappings.clinical.moments import Moment, add_months, whole_years
from fhir_mappings.clinical.options import Marker
from fhir_mappings.clinical.quantities import Measured, Presence
from fhir_mappings.clinical.verdict import Evidence, Met
from fhir_mappings.fhir.merging import merge_facts
from fhir_mappings.trials.patient_profile import Birth, Coded, Given, History, Known, TrialProfile
from fhir_mappings.trials.study import AgeUnit, TrialFact
from fhir_mappings.trials.vocabulary import FactKind, TrialVocabulary

_TAKEN = (MedicationState.GIVEN, MedicationState.RUNNING, MedicationState.STOPPED)
_DISEASED = (Status.RELAPSE, Status.PROBABLE, Status.REFRACTORY, Status.PERSISTENT)
_SHOWS: Mapping[Marker, tuple[Presence, ...]] = {
    Marker.POSITIVE: (Presence.PRESENT, Presence.WEAK),
    Marker.NEGATIVE: (Presence.ABSENT,),
}
"""Answers of a test that decide a marker; a share of cells decides either way."""
_MEASURED_ON_RESULTS = (
    TrialFact.MRD,
    TrialFact.ECOG,
    TrialFact.KARNOFSKY,
    TrialFact.LANSKY,
    TrialFact.CREATININE,
    TrialFact.GFR,
    TrialFact.BILIRUBIN,
    TrialFact.ALT,
    TrialFact.AST,
    TrialFact.EJECTION_FRACTION,
)

Found = tuple[TrialFact, Known]


def trial_profile(
    assessment: Assessment, facts: Facts, vocabulary: TrialVocabulary, on: date
) -> TrialProfile:
    """What is known on day ``on``; whatever neither source states stays unknown.

    A drug, transplant or syndrome that the chart does not mention is unknown, not absent. What lies
    after the moment of the assessment, and superseded versions, are left out.
    """
    facts = _until(merge_facts((facts,)), assessment.at)
    parts: tuple[Callable[[Assessment, Facts, TrialVocabulary], Iterator[Found]], ...] = (
        _person,
        _disease,
        _markers,
        _history,
        _results,
    )
    known = dict(found for part in parts for found in part(assessment, facts, vocabulary))
    known.update(_age(assessment, facts, vocabulary, on))
    return TrialProfile(on=on, facts=known)


def _until(facts: Facts, at: datetime) -> Facts:
    """The kinds of facts that a profile is made from, as far as they do not lie after ``at``."""

    def past(moment: Moment | None) -> bool:
        return moment is None or not moment.is_after(at)

    return Facts(
        persons=facts.persons,
        results=tuple([one for one in facts.results if past(one.collected)]),
        medications=tuple([one for one in facts.medications if past(one.start)]),
        procedures=tuple([one for one in facts.procedures if past(one.performed)]),
        diagnoses=tuple([one for one in facts.diagnoses if past(one.onset or one.recorded)]),
    )


def _person(assessment: Assessment, facts: Facts, vocabulary: TrialVocabulary) -> Iterator[Found]:
    person = facts.persons[0] if facts.persons else None
    resource = person.resource if person else ""
    sex = person.sex if person else assessment.sex
    yield from _coded(TrialFact.SEX, sex, vocabulary, "", resource)
    for diagnosis in facts.diagnoses:
        if diagnosis.kind is DiagnosisKind.DOWN_SYNDROME:
            day = _day(diagnosis.onset or diagnosis.recorded)
            yield from _coded(TrialFact.DOWN_SYNDROME, "yes", vocabulary, day, diagnosis.resource)


def _age(assessment: Assessment, facts: Facts, vocabulary: TrialVocabulary, on: date) -> Iterator[Found]:
    person = facts.persons[0] if facts.persons else None
    if person is not None and person.birth is not None:
        years = whole_years(person.birth, Moment.on(on))
        text = vocabulary.age(years, AgeUnit.YEARS) if isinstance(years, int) else person.birth.text
        yield TrialFact.AGE, Known(Birth(person.birth), text, on.isoformat(), person.resource)
    elif assessment.age_years is not None:
        text = vocabulary.age(assessment.age_years, AgeUnit.YEARS)
        birth = _birth_year_interval(assessment.age_years, on)
        yield TrialFact.AGE, Known(Birth(birth), text, on.isoformat(), "")


def _birth_year_interval(years: int, on: date) -> Moment:
    """Completed years give the birth date as an interval of one year."""
    first, last = add_months(on, -12 * (years + 1)), add_months(on, -12 * years)
    return Moment(date.fromordinal(first.toordinal() + 1), last)


def _disease(assessment: Assessment, facts: Facts, vocabulary: TrialVocabulary) -> Iterator[Found]:
    event, source = _day(assessment.event), _event_resource(assessment)
    confirmed = [one for one in facts.diagnoses if _is_confirmed_all(one)]
    if confirmed:
        first = min(confirmed, key=lambda one: (_day(one.onset or one.recorded), one.resource))
        day = _day(first.onset or first.recorded)
        yield from _coded(TrialFact.DISEASE, "all", vocabulary, day, first.resource)
    elif assessment.status in _DISEASED:
        yield from _coded(TrialFact.DISEASE, "all", vocabulary, "", "")
    yield from _coded(TrialFact.DISEASE_STATE, _state(assessment), vocabulary, event, source)
    yield from _coded(TrialFact.SITE, assessment.site, vocabulary, event, source)
    if assessment.timing is not None:
        timing = assessment.timing.seed_003.value
        yield from _coded(TrialFact.TIMING, timing, vocabulary, event, source)
    if assessment.relapse_number is not None:
        number = Decimal(assessment.relapse_number)
        measured = Measured(number, number, "", str(number))
        yield TrialFact.RELAPSE_NUMBER, Known(measured, str(number), event, source)
    if assessment.cns is not Answer.UNSURE:
        state = "involved" if assessment.cns is Answer.YES else "not-involved"
        decided = assessment.cns_because[0] if assessment.cns_because else Evidence("", "")
        yield from _coded(TrialFact.CNS, state, vocabulary, decided.date or event, decided.resource)


def _event_resource(assessment: Assessment) -> str:
    """The resource that shows the event: of the first criterion met, one of the event's own day if any."""
    met = [one.verdict for one in assessment.criteria if isinstance(one.verdict, Met)]
    shown = [item for verdict in met for item in verdict.because]
    event = _day(assessment.event)
    of_the_day = [item.resource for item in shown if item.date == event]
    return next(iter([*of_the_day, *(item.resource for item in shown)]), "")


def _is_confirmed_all(diagnosis: Diagnosis) -> bool:
    return diagnosis.kind is DiagnosisKind.ALL and diagnosis.certainty is Certainty.CONFIRMED


def _state(assessment: Assessment) -> str:
    if assessment.status is Status.RELAPSE and assessment.phase == "in-remission":
        return "in-remission"
    states = {
        Status.RELAPSE: "relapsed",
        Status.PERSISTENT: "relapsed",
        Status.REFRACTORY: "refractory",
    }
    return states.get(assessment.status, "")


def _markers(assessment: Assessment, facts: Facts, vocabulary: TrialVocabulary) -> Iterator[Found]:
    markers = {
        TrialFact.CD19: assessment.cd19,
        TrialFact.CD22: assessment.cd22,
        TrialFact.BCR_ABL1: assessment.bcr_abl1,
        TrialFact.KMT2A: assessment.kmt2a,
    }
    for fact, marker in markers.items():
        if marker is not Marker.UNKNOWN:
            shows = _SHOWS[marker]
            shown = [one for one in facts.results if isinstance(one.value, Measured) or one.value in shows]
            result = _latest(shown, vocabulary.facts[fact].concepts)
            day, resource = (_day(result.collected), result.resource) if result else ("", "")
            yield from _coded(fact, marker.value, vocabulary, day, resource)
    if assessment.lineage is not Lineage.UNKNOWN:
        source = next((one for one in facts.diagnoses if one.lineage is assessment.lineage), None)
        resource = source.resource if source else ""
        day = _day((source.onset or source.recorded) if source else None)
        yield from _coded(TrialFact.LINEAGE, assessment.lineage.value, vocabulary, day, resource)


def _history(assessment: Assessment, facts: Facts, vocabulary: TrialVocabulary) -> Iterator[Found]:
    for procedure in facts.procedures:
        if procedure.kind.startswith("hsct"):
            day = _day(procedure.performed)
            yield from _coded(TrialFact.PRIOR_TRANSPLANT, "yes", vocabulary, day, procedure.resource)
    for diagnosis in facts.diagnoses:
        if diagnosis.kind in (DiagnosisKind.TRANSPLANT_STATUS, DiagnosisKind.TRANSPLANT_RELAPSE):
            day = _day(diagnosis.recorded)
            yield from _coded(TrialFact.PRIOR_TRANSPLANT, "yes", vocabulary, day, diagnosis.resource)
    given = (*_drugs(facts.medications, vocabulary), *_car_t(facts, vocabulary))
    if given:
        ordered = tuple(sorted(given, key=lambda one: (one.date, one.text, one.resource)))
        yield TrialFact.PRIOR_THERAPIES, Known(History(ordered), ", ".join(one.text for one in ordered))


def _drugs(medications: Iterable[Medication], vocabulary: TrialVocabulary) -> Iterator[Given]:
    titles = vocabulary.facts[TrialFact.PRIOR_THERAPIES].values
    for one in medications:
        if one.state in _TAKEN and one.agent in titles:
            classes = {name for name, agents in vocabulary.classes.items() if one.agent in agents}
            names = frozenset({one.agent, *classes})
            yield Given(names, titles[one.agent], _day(one.start), one.resource)


def _car_t(facts: Facts, vocabulary: TrialVocabulary) -> Iterator[Given]:
    """CAR-T cells whose product is not named: the class alone, so the target stays unknown."""
    title = vocabulary.facts[TrialFact.PRIOR_THERAPIES].values["car-t"]
    names = frozenset({"car-t"})
    for procedure in facts.procedures:
        if procedure.kind.startswith("car-t"):
            yield Given(names, title, _day(procedure.performed), procedure.resource)
    for diagnosis in facts.diagnoses:
        if diagnosis.kind is DiagnosisKind.CAR_T_STATUS:
            yield Given(names, title, _day(diagnosis.recorded), diagnosis.resource)


def _results(assessment: Assessment, facts: Facts, vocabulary: TrialVocabulary) -> Iterator[Found]:
    for fact in _MEASURED_ON_RESULTS:
        words = vocabulary.facts[fact]
        result = _latest(facts.results, words.concepts)
        if result is not None and isinstance(result.value, Measured) and words.kind is FactKind.NUMBER:
            unit = f" {result.value.unit}" if result.value.unit else ""
            shown = result.value.original or f"{result.value.text}{unit}"
            yield fact, Known(result.value, shown, _day(result.collected), result.resource)


def _latest(results: Iterable[Result], concepts: frozenset[str]) -> Result | None:
    """The newest final result of those concepts that has a date."""
    usable = [
        one
        for one in results
        if one.concept in concepts and one.collected is not None and one.status is ResultStatus.FINAL
    ]
    return max(usable, key=lambda one: (_day(one.collected), one.resource), default=None)


def _coded(
    fact: TrialFact, value: str, vocabulary: TrialVocabulary, day: str, resource: str
) -> Iterator[Found]:
    """The fact, where ``value`` is one that criteria can name."""
    title = vocabulary.facts[fact].values.get(value)
    if title is not None:
        yield fact, Known(Coded(value), title, day, resource)


def _day(moment: Moment | None) -> str:
    return moment.text if moment is not None else ""
