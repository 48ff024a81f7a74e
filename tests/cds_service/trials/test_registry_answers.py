"""Studies read from the registry's answers, and answers that are something else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.trials.registry_answers import UnknownShape, read_age, read_page, read_records
from fhir_mappings.trials import Accrual, Age, AgeSpan, AgeUnit, Criterion, OneOf, Origin, Study, TrialFact
from tests.cds_service.trials.registry_pages import location, page, record
from tests.fhir_mappings.trials.people import vocabulary


def read(*records: dict[str, Any]) -> tuple[Study, ...]:
    return read_records(read_page(page(*records)).studies, vocabulary()).studies


def criteria(**changes: Any) -> dict[TrialFact, Criterion]:
    (study,) = read(record(**changes))
    return {one.fact: one for one in study.criteria}


def test_a_study() -> None:
    (study,) = read(record())
    assert (study.id, study.link) == ("NCT99990001", "https://clinicaltrials.gov/study/NCT99990001")
    assert (study.origin, study.accrual, study.status) == (Origin.REGISTRY, Accrual.OPEN, "RECRUITING")
    assert study.status_date is not None
    assert study.status_date.text == "2026-10-14"
    assert study.phase == "PHASE1/PHASE2"
    assert vocabulary().phase(study.phase) == "phase 1/2"
    assert study.interventions == ("Fictional antibody",)
    assert study.contact == "Central, 555-0199"
    (site,) = study.sites
    assert (site.name, site.accrual, site.contact) == (
        "Fictional hospital",
        Accrual.OPEN,
        "Site contact, 555-0123",
    )
    assert (site.latitude, site.longitude) == (42.26, -71.80)


def test_eligibility_text_is_noticed_and_never_read() -> None:
    (one,) = read(record(criteria="Exclusion: T-ALL, age over 12, prior blinatumomab"))
    (other,) = read(record(criteria="words"))
    assert one == other
    assert one.free_text
    assert not read(record(criteria=None))[0].free_text


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("18 Years", Age(18, AgeUnit.YEARS)),
        ("1 Year", Age(1, AgeUnit.YEARS)),
        ("6 Months", Age(6, AgeUnit.MONTHS)),
        ("1 Month", Age(1, AgeUnit.MONTHS)),
        ("2 Weeks", Age(2, AgeUnit.WEEKS)),
        ("28 Days", Age(28, AgeUnit.DAYS)),
        ("12 Hours", Age(0, AgeUnit.DAYS)),
        ("30 Minutes", Age(0, AgeUnit.DAYS)),
        ("N/A", None),
        ("", None),
    ],
)
def test_age_limits(text: str, age: Age | None) -> None:
    assert read_age(text) == age


@pytest.mark.parametrize(
    "text", ["18", "Years", "eighteen Years", "18 Jahre", "-1 Years", "18  Years", "18.5 Years"]
)
def test_an_age_limit_of_another_form_is_not_taken_for_no_limit(text: str) -> None:
    with pytest.raises(UnknownShape):
        read_age(text)
    found = read_records(read_page(page(record(minimum=text))).studies, vocabulary())
    assert (found.studies, found.unreadable) == ((), 1)


def test_ages_become_one_criterion() -> None:
    expected = AgeSpan(Age(1, AgeUnit.YEARS), Age(30, AgeUnit.YEARS))
    assert criteria()[TrialFact.AGE] == Criterion(TrialFact.AGE, expected)
    assert criteria(minimum="N/A")[TrialFact.AGE].expected == AgeSpan(None, Age(30, AgeUnit.YEARS))
    assert TrialFact.AGE not in criteria(minimum=None, maximum="N/A")


@pytest.mark.parametrize(("sex", "value"), [("FEMALE", "female"), ("MALE", "male")])
def test_sex(sex: str, value: str) -> None:
    assert criteria(sex=sex)[TrialFact.SEX].expected == OneOf(frozenset({value}))


def test_all_sexes_is_no_criterion() -> None:
    assert TrialFact.SEX not in criteria()


@pytest.mark.parametrize(
    ("status", "accrual"),
    [
        ("RECRUITING", Accrual.OPEN),
        ("ENROLLING_BY_INVITATION", Accrual.OPEN),
        ("AVAILABLE", Accrual.OPEN),
        ("NOT_YET_RECRUITING", Accrual.OPENING),
        ("ACTIVE_NOT_RECRUITING", Accrual.CLOSED),
        ("COMPLETED", Accrual.CLOSED),
        ("SUSPENDED", Accrual.CLOSED),
        ("TERMINATED", Accrual.CLOSED),
        ("WITHDRAWN", Accrual.CLOSED),
        ("NO_LONGER_AVAILABLE", Accrual.CLOSED),
        ("TEMPORARILY_NOT_AVAILABLE", Accrual.CLOSED),
        ("APPROVED_FOR_MARKETING", Accrual.CLOSED),
        ("WITHHELD", Accrual.CLOSED),
        ("UNKNOWN", Accrual.UNKNOWN),
    ],
)
def test_every_status_of_the_registry(status: str, accrual: Accrual) -> None:
    assert read(record(status=status))[0].accrual is accrual


def test_a_month_only_date_stays_a_month() -> None:
    dated = read(record(updated="2026-02"))[0].status_date
    assert dated is not None
    assert dated.text == "2026-02"


@pytest.mark.parametrize("updated", ["", "October 2026", "2026-13", "2026-02-30"])
def test_a_date_of_another_form_is_no_date(updated: str) -> None:
    assert read(record(updated=updated))[0].status_date is None


def test_a_site_without_place_or_status() -> None:
    bare = {"facility": "Somewhere"}
    (site,) = read(record(locations=[bare]))[0].sites
    assert (site.accrual, site.latitude, site.contact) == (Accrual.UNKNOWN, None, "")


def test_studies_of_other_diseases_and_first_treatment_are_counted_and_left_out() -> None:
    lymphoma = record("NCT99990002", conditions=["Lymphoma"], title="Relapsed lymphoma")
    first = record("NCT99990003", conditions=["Acute Lymphoblastic Leukemia"], title="Newly diagnosed ALL")
    found = read_records(read_page(page(record(), lymphoma, first)).studies, vocabulary())
    assert (len(found.studies), found.other, found.unreadable) == (1, 2, 0)


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"protocolSection": {}},
        {"protocolSection": []},
        7,
        record("NCT1"),
        record(status=""),
        record(conditions="ALL"),
        record(locations=[location(geoPoint={"lat": "north"})]),
    ],
)
def test_a_study_of_another_shape_costs_only_itself(broken: Any) -> None:
    found = read_records(read_page(page(broken, record("NCT99990009"))).studies, vocabulary())
    assert [study.id for study in found.studies] == ["NCT99990009"]
    assert found.unreadable == 1


def test_an_empty_page() -> None:
    answer = read_page(page(total=0))
    assert (answer.studies, answer.next_page_token) == ([], None)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>maintenance</html>",
        b"[]",
        b"{}",
        b'{"studies": null}',
        b'{"studies": {}}',
        b'{"studies": [',
        b'{"studies": [], "nextPageToken": 7}',
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps({"FullStudiesResponse": {}}).encode(),
    ],
)
def test_an_answer_of_another_shape_is_refused_without_a_word_of_it(data: bytes) -> None:
    with pytest.raises(UnknownShape) as caught:
        read_page(data)
    assert str(caught.value) == "not a search answer of the ClinicalTrials.gov API, version 2"
    assert caught.value.__cause__ is None
