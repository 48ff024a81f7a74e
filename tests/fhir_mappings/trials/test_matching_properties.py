"""Doubt never costs a trial, and a disqualifying fact never brings one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fhir_mappings.trials.patient_profile import PASSING, TrialProfile
from fhir_mappings.trials.ranking import match_studies, prepare
from fhir_mappings.trials.study import Criterion, TrialFact
from tests.fhir_mappings.trials.people import (
    TODAY,
    criterion,
    listed,
    patient,
    study,
    vocabulary,
)

RECORDS = {
    "age": ["2014-03-02", "1980-01-01", "2007", "2026-06-01"],
    "sex": ["male", "female"],
    "lineage": ["B", "T", "mixed"],
    "cd19": ["positive", "negative"],
    "relapse-number": ["1", "2"],
    "timing": ["early", "late"],
    "prior-therapies": ["blinatumomab", "never blinatumomab", "tisagenlecleucel; never nelarabine"],
    "mrd": ["0.5", "<0.01", "<1"],
    "cd22": ["positive", "negative"],
    "bcr-abl1": ["positive", "negative"],
    "kmt2a": ["positive", "negative"],
    "site": ["isolated-marrow", "isolated-cns", "combined"],
    "cns": ["involved", "not-involved"],
    "prior-transplant": ["yes", "no"],
    "down-syndrome": ["yes", "no"],
    "creatinine": ["0.4 on 2026-11-18", "2.5 on 2026-11-18", "2.5 on 2026-01-01"],
    "ejection-fraction": ["60 on 2026-11-01", "30 on 2026-11-01"],
    "ecog": ["1 on 2026-11-10", "4 on 2026-11-10", "4 on 2020-01-01"],
}
CRITERIA = [
    ("age", "1 years..30 years"),
    ("age", "18 years.."),
    ("sex", "female"),
    ("lineage", "B"),
    ("lineage", "not T"),
    ("cd19", "positive"),
    ("relapse-number", "2.."),
    ("timing", "late"),
    ("prior-therapies", "not cd19-directed"),
    ("prior-therapies", "blinatumomab"),
    ("mrd", "0.01.."),
    ("cd22", "positive"),
    ("bcr-abl1", "not positive"),
    ("kmt2a", "positive"),
    ("site", "not isolated-cns"),
    ("cns", "not involved"),
    ("prior-transplant", "no"),
    ("down-syndrome", "not yes"),
    ("creatinine", "..1.5"),
    ("ejection-fraction", "45.."),
    ("ecog", "..2"),
]

records = st.fixed_dictionaries({}, optional={key: st.sampled_from(texts) for key, texts in RECORDS.items()})
criteria = st.lists(st.sampled_from(CRITERIA).map(lambda pair: criterion(*pair)), max_size=5, unique=True)
study_lists = st.lists(criteria, min_size=1, max_size=6)


def candidates(asked: list[list[Criterion]], profile: TrialProfile) -> list[str]:
    studies = [study(f"S{number}", *one) for number, one in enumerate(asked)]
    found = match_studies(prepare([listed(*studies)]), profile, vocabulary())
    return [match.placed.study.id for match in found.candidates]


@given(study_lists, records, st.sampled_from(sorted(RECORDS)))
def test_forgetting_a_fact_never_removes_a_trial(
    asked: list[list[Criterion]], record: dict[str, str], forgotten: str
) -> None:
    known = candidates(asked, patient(record))
    rest = {key: value for key, value in record.items() if key != forgotten}
    assert set(known) <= set(candidates(asked, patient(rest)))


@given(study_lists, records, st.sampled_from(sorted(RECORDS)), st.data())
def test_learning_a_fact_never_adds_a_trial(
    asked: list[list[Criterion]], record: dict[str, str], learned: str, data: st.DataObject
) -> None:
    before = {key: value for key, value in record.items() if key != learned}
    after = {**before, learned: data.draw(st.sampled_from(RECORDS[learned]))}
    assert set(candidates(asked, patient(after))) <= set(candidates(asked, patient(before)))


@given(study_lists, records, st.sampled_from(CRITERIA))
def test_one_more_criterion_never_adds_a_trial(
    asked: list[list[Criterion]], record: dict[str, str], more: tuple[str, str]
) -> None:
    stricter = [[*one, criterion(*more)] for one in asked]
    assert set(candidates(stricter, patient(record))) <= set(candidates(asked, patient(record)))


@given(study_lists)
def test_a_patient_of_whom_nothing_is_known_may_join_every_trial(asked: list[list[Criterion]]) -> None:
    assert len(candidates(asked, patient())) == len(asked)


@given(study_lists, records, st.randoms(use_true_random=False))
def test_the_order_of_the_list_does_not_matter(
    asked: list[list[Criterion]], record: dict[str, str], random: object
) -> None:
    studies = [study(f"S{number}", *one) for number, one in enumerate(asked)]
    mixed = list(studies)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    profile = patient(record)
    one = match_studies(prepare([listed(*studies)]), profile, vocabulary())
    other = match_studies(prepare([listed(*mixed)]), profile, vocabulary())
    assert [m.placed.study.id for m in one.candidates] == [m.placed.study.id for m in other.candidates]


@given(records)
def test_the_evidence_digest_does_not_change_as_days_pass(record: dict[str, str]) -> None:
    tomorrow = TODAY.replace(day=TODAY.day + 1)
    assert patient(record).evidence == patient(record, on=tomorrow).evidence


@given(records, st.sampled_from(sorted(set(RECORDS) - {"age"})), st.data())
def test_the_evidence_digest_changes_with_a_fact_that_is_not_measured_day_by_day(
    record: dict[str, str], changed: str, data: st.DataObject
) -> None:
    others = [value for value in RECORDS[changed] if value != record.get(changed)]
    after = {**record, changed: data.draw(st.sampled_from(others))}
    same = patient(record).evidence == patient(after).evidence
    assert same is (changed in {fact.value for fact in PASSING})


def test_the_strategies_use_only_known_facts() -> None:
    assert set(RECORDS) <= {fact.value for fact in TrialFact}
