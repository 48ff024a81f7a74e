"""Criteria that several studies share are judged once, and each study still gets only its own verdicts."""

from __future__ import annotations

from fhir_mappings.trials.criteria import Match
from fhir_mappings.trials.ranking import match_studies, prepare
from tests.fhir_mappings.trials.people import criterion, listed, patient, study, vocabulary

B_LINEAGE = criterion("lineage", "B")
CD19 = criterion("cd19", "positive")
CD22 = criterion("cd22", "positive")
MALE = criterion("sex", "male")


def test_a_criterion_that_one_study_fails_refuses_no_other() -> None:
    index = prepare(
        [
            listed(
                study("B", B_LINEAGE),
                study("CD19", CD19),
                study("CD22", CD22),
                study("MALE", MALE),
            )
        ]
    )
    person = patient({"lineage": "B", "cd19": "negative", "cd22": "positive", "sex": "male"})
    found = match_studies(index, person, vocabulary())
    assert [match.placed.study.id for match in found.candidates] == ["B", "CD22", "MALE"]
    assert [match.placed.study.id for match in found.not_listed] == ["CD19"]


def test_one_failed_criterion_among_many_refuses_the_study() -> None:
    index = prepare([listed(study("A", CD19, B_LINEAGE, MALE))])
    found = match_studies(index, patient({"lineage": "B", "cd19": "negative", "sex": "male"}), vocabulary())
    assert found.candidates == ()
    (refused,) = found.not_listed
    assert refused.criteria(Match.NOT_MET) == (CD19,)


def test_fit_counts_what_is_met_less_what_is_unknown() -> None:
    index = prepare(
        [
            listed(
                study("Z-TWO-MET-ONE-UNKNOWN", B_LINEAGE, MALE, CD19),
                study("Y-ONE-MET", B_LINEAGE),
                study("X-ALL-MET", B_LINEAGE, MALE),
                study("W-TWO-UNKNOWN", CD19, CD22),
                study("V-THREE-MET-ONE-UNKNOWN", B_LINEAGE, MALE, criterion("disease", "all"), CD19),
            )
        ]
    )
    found = match_studies(index, patient({"lineage": "B", "sex": "male", "disease": "all"}), vocabulary())
    assert [match.placed.study.id for match in found.candidates] == [
        "V-THREE-MET-ONE-UNKNOWN",
        "X-ALL-MET",
        "Y-ONE-MET",
        "Z-TWO-MET-ONE-UNKNOWN",
        "W-TWO-UNKNOWN",
    ]


def test_an_old_datum_is_unknown_in_a_list_of_studies_too() -> None:
    index = prepare([listed(study("A", criterion("ecog", "..2")))])
    (match,) = match_studies(index, patient({"ecog": "3 on 2026-08-01"}), vocabulary()).candidates
    assert match.verdicts == (Match.UNKNOWN,)


def test_ages_are_taken_on_the_day_of_the_question() -> None:
    index = prepare([listed(study("A", criterion("age", "18 years..")))])
    (match,) = match_studies(index, patient({"age": "2008-11-20"}), vocabulary()).candidates
    assert match.verdicts == (Match.MET,)
