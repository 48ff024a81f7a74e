"""The sentences, links and quiet key of the trial section."""

from __future__ import annotations

import string
from datetime import date

import pytest

from fhir_mappings.assessment import Statement
from fhir_mappings.clinical.facts import Enrolment
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.trials.card import (
    current_enrolment,
    list_state,
    quiet_key,
    says_nothing_new,
    study_links,
    trial_statements,
    trial_summary,
)
from fhir_mappings.trials.knowledge import load_trial_knowledge
from fhir_mappings.trials.patient_profile import TrialProfile
from fhir_mappings.trials.ranking import Home, Matches, match_studies, prepare
from fhir_mappings.trials.study import Accrual, Site, StudyList
from tests.fhir_mappings.trials.people import TODAY, criterion, listed, patient, study, vocabulary

BOSTON = Home(42.36, -71.06, radius_km=250)
SITE = Site("Children's hospital", "Worcester", "US", Accrual.OPEN, 42.26, -71.80, "Trial office, 555-0100")
B_LINEAGE = criterion("lineage", "B")
CD19 = criterion("cd19", "positive")
EVIDENCE = "digest of the assessment"


def said(
    lists: list[StudyList],
    profile: TrialProfile,
    home: Home | None = BOSTON,
    enrolled: Enrolment | None = None,
) -> list[Statement]:
    matches = match_studies(prepare(lists, home), profile, vocabulary(), 5, 5)
    return list(trial_statements(matches, profile, lists, vocabulary(), home, enrolled))


def rendered(statements: list[Statement]) -> str:
    words = load_trial_knowledge().words
    return "\n".join(words[one.words].text.format(**one.values) for one in statements)


def matched(profile: TrialProfile, *lists: StudyList) -> Matches:
    return match_studies(prepare(lists), profile, vocabulary())


def test_a_candidate_is_shown_with_everything_a_referral_needs() -> None:
    candidate = study(
        "FICT-1",
        B_LINEAGE,
        CD19,
        phase="phase-2",
        interventions=("fictional antibody",),
        sites=(SITE,),
        not_checked=("pregnancy",),
        free_text=True,
    )
    text = rendered(said([listed(candidate)], patient({"lineage": "B on 2026-11-03"})))
    assert text.splitlines() == [
        "Candidate studies by what is on record: 1; shown: 1.",
        "**FICT-1** Fictional study FICT-1 (phase 2). Interventions: fictional antibody. "
        "Accrual: recruiting (as of 2026-10-01). Nearest site: Children's hospital, Worcester, US, "
        "62 km away. Contact: Trial office, 555-0100.",
        "FICT-1 agrees with the record in: lineage: B (2026-11-03). To confirm, not on record: "
        "CD19: positive. Not checked: pregnancy; the study's eligibility text.",
        "Candidates only: the study team checks every criterion.",
        "CD19 on the blasts (flow cytometry) is not on record and decides about FICT-1.",
        "List of studies: Fictional list, as of 2026-11-20.",
    ]


def test_a_study_that_the_record_disagrees_with_is_named_with_the_reason() -> None:
    text = rendered(said([listed(study("T-1", criterion("lineage", "T")))], patient({"lineage": "B"})))
    assert "Not listed, because the record disagrees: T-1 (lineage: expected T lineage, found B)." in text


def test_an_empty_list_says_when_and_how_far_was_looked() -> None:
    assert "No open study found on 2026-11-20 within 250 km." in rendered(said([listed()], patient()))
    assert "No open study found on 2026-11-20." in rendered(said([listed()], patient(), home=None))


def test_without_any_list_the_card_says_that_none_was_searched() -> None:
    (only,) = said([], patient())
    assert only.words == "trials.no-list"


def test_a_patient_on_a_study_sees_the_enrolment_and_no_referral() -> None:
    enrolled = Enrolment("ResearchSubject/1", "on-study", "ResearchStudy/9", "Fictional study 9")
    (only,) = said([listed(study("FICT-1"))], patient(), enrolled=enrolled)
    assert only.words == "trials.enrolled"
    assert only.values == {"study": "Fictional study 9", "status": "on-study"}


@pytest.mark.parametrize(
    ("state", "suppresses"),
    [
        ("screening", True),
        ("pending-on-study", True),
        ("on-study", True),
        ("on-study-intervention", True),
        ("on-study-observation", True),
        ("candidate", False),
        ("potential-candidate", False),
        ("eligible", False),
        ("ineligible", False),
        ("not-registered", False),
        ("follow-up", False),
        ("off-study", False),
        ("withdrawn", False),
    ],
)
def test_which_enrolments_suppress_the_referral(state: str, suppresses: bool) -> None:
    enrolment = Enrolment("ResearchSubject/1", state, "ResearchStudy/9")
    assert (current_enrolment([enrolment]) is enrolment) is suppresses


def test_an_incomplete_list_is_said_to_be_incomplete() -> None:
    partial = listed(complete=False, faults=("2 entries refused",))
    assert "Fictional list is incomplete: 2 entries refused." in rendered(said([partial], patient()))


def test_an_old_list_is_said_to_be_old() -> None:
    old = listed(as_of=Moment.on(date(2026, 8, 1)))
    assert "Fictional list is 111 days old" in rendered(said([old], patient()))
    assert "days old" not in rendered(said([listed()], patient()))


def test_the_state_of_several_lists_is_that_of_the_weakest() -> None:
    registry = listed(label="Registry", as_of=Moment.on(date(2026, 11, 1)), complete=False)
    state = list_state([listed(), registry], vocabulary())
    assert state.source == "Fictional list, as of 2026-11-20; Registry, as of 2026-11-01"
    assert state.as_of == Moment.on(date(2026, 11, 1))
    assert not state.complete


def test_a_list_without_a_date_leaves_the_date_of_all_open() -> None:
    assert list_state([listed(), listed(as_of=None)], vocabulary()).as_of is None


def test_a_test_that_is_on_record_is_not_asked_for_again() -> None:
    old = patient({"ecog": "1 on 2020-01-01", "cd19": "positive"})
    words = [one.words for one in said([listed(study("A", CD19, criterion("ecog", "..2")))], old)]
    assert "trials.missing-test" not in words


def test_each_missing_test_is_asked_for_once_with_its_studies() -> None:
    statements = said([listed(study("A", CD19), study("B", CD19))], patient())
    asked = [one.values["studies"] for one in statements if one.words == "trials.missing-test"]
    assert asked == ["A, B"]


def test_what_is_left_out_for_space_is_counted() -> None:
    refused = [study(f"T{number}", criterion("lineage", "T")) for number in range(8)]
    text = rendered(said([listed(*refused)], patient({"lineage": "B"})))
    assert "Not listed for the same reason: 3 further studies." in text


def test_links_lead_to_the_shown_studies_that_have_one() -> None:
    linked = study("A", link="https://example.org/a")
    links = study_links(matched(patient(), listed(linked, study("B"))))
    assert [(one.label, one.url) for one in links] == [("A", "https://example.org/a")]


def test_the_headline_counts_or_says_none() -> None:
    assert trial_summary(matched(patient(), listed(study("A"))), TODAY).values == {"count": "1"}
    assert trial_summary(matched(patient(), listed()), TODAY).words == "trials.summary-none"


def test_every_sentence_has_its_blanks_filled() -> None:
    words = load_trial_knowledge().words
    candidate = study("A", CD19, B_LINEAGE, sites=(SITE,), not_checked=("x",))
    refused = [study(f"T{number}", criterion("lineage", "T")) for number in range(6)]
    partial = listed(candidate, *refused, complete=False, as_of=Moment.on(date(2020, 1, 1)))
    profile = patient({"lineage": "B"})
    enrolled = Enrolment("ResearchSubject/1", "on-study", "ResearchStudy/9")
    spoken = [
        *said([partial], profile),
        *said([listed()], profile),
        *said([listed()], profile, home=None),
        *said([listed(complete=False)], profile),
        *said([], profile),
        *said([partial], profile, enrolled=enrolled),
        trial_summary(matched(profile, partial), TODAY),
        trial_summary(matched(profile, listed()), TODAY),
    ]
    for statement in spoken:
        blanks = {name for _, name, _, _ in string.Formatter().parse(words[statement.words].text) if name}
        assert blanks <= statement.values.keys()
    assert {statement.words for statement in spoken} == set(words)
    assert "eligible" not in rendered(spoken).lower()


def test_quiet_until_a_fitting_study_opens() -> None:
    profile = patient({"lineage": "B"})
    answered = quiet_key(matched(profile, listed(study("A", B_LINEAGE))), profile, EVIDENCE)
    same = quiet_key(matched(profile, listed(study("A", B_LINEAGE))), profile, EVIDENCE)
    other_fits_not = listed(study("A", B_LINEAGE), study("T", criterion("lineage", "T")))
    opening = listed(study("A", B_LINEAGE), study("C", accrual=Accrual.OPENING))
    opened = listed(study("A", B_LINEAGE), study("C"))
    assert says_nothing_new(answered, same)
    assert says_nothing_new(answered, quiet_key(matched(profile, other_fits_not), profile, EVIDENCE))
    assert says_nothing_new(answered, quiet_key(matched(profile, opening), profile, EVIDENCE))
    assert says_nothing_new(answered, quiet_key(matched(profile, listed()), profile, EVIDENCE))
    assert not says_nothing_new(answered, quiet_key(matched(profile, opened), profile, EVIDENCE))


def test_quiet_until_the_patients_data_change() -> None:
    lists = listed(study("A", B_LINEAGE))
    before, after = patient({"lineage": "B"}), patient({"lineage": "B", "cd19": "positive"})
    answered = quiet_key(matched(before, lists), before, EVIDENCE)
    assert not says_nothing_new(answered, quiet_key(matched(after, lists), after, EVIDENCE))


def test_quiet_until_any_evidence_of_the_assessment_changes() -> None:
    profile = patient()
    matches = matched(profile, listed(study("A")))
    answered = quiet_key(matches, profile, EVIDENCE)
    assert not says_nothing_new(answered, quiet_key(matches, profile, "another digest"))


def test_keys_of_other_cards_are_compared_for_equality() -> None:
    assert says_nothing_new("abc", "abc")
    assert not says_nothing_new("abc", "abd")


def test_quiet_with_no_study_at_all() -> None:
    profile = patient()
    nothing = quiet_key(matched(profile, listed()), profile, EVIDENCE)
    assert says_nothing_new(nothing, nothing)
    assert not says_nothing_new(nothing, quiet_key(matched(profile, listed(study("A"))), profile, EVIDENCE))
