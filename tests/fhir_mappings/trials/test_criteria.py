"""Every criterion in its three states. Today is 2026-11-20; ``-`` means: not on record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from fhir_mappings.trials.criteria import is_outdated
from fhir_mappings.trials.patient_profile import Coded, Known
from fhir_mappings.trials.study import TrialFact
from tests.fhir_mappings.trials.people import TODAY, criterion, judge, patient, vocabulary

TABLE = """
fact              | the study asks for      | on record                      | verdict
------------------|-------------------------|--------------------------------|--------
age               | 1 years..30 years       | 2014-03-02                     | met
age               | 1 years..30 years       | 1990-03-02                     | not-met
age               | 1 years..30 years       | -                              | unknown
age               | ..18 years              | 2007-11-21                     | met
age               | ..18 years              | 2007-11-20                     | not-met
age               | ..18 years              | 2007                           | unknown
age               | 18 years..              | 2008-11-20                     | met
age               | 18 years..              | 2008-11-21                     | not-met
age               | 6 months..              | 2026-05-20                     | met
age               | 6 months..              | 2026-05-21                     | not-met
age               | ..6 months              | 2026-04-21                     | met
age               | ..6 months              | 2026-04-20                     | not-met
age               | 28 days..               | 2026-10-23                     | met
age               | 28 days..               | 2026-10-24                     | not-met
age               | 2 weeks..               | 2026-11-06                     | met
age               | 2 weeks..               | 2026-11-07                     | not-met
age               | ..1 weeks               | 2026-11-07                     | met
age               | ..1 weeks               | 2026-11-06                     | not-met
age               | 18 years..              | 2008                           | unknown
sex               | male                    | male                           | met
sex               | male                    | female                         | not-met
sex               | male                    | -                              | unknown
disease           | all                     | all                            | met
disease           | all                     | -                              | unknown
disease-state     | relapsed or refractory  | relapsed                       | met
disease-state     | relapsed or refractory  | in-remission                   | not-met
disease-state     | relapsed or refractory  | -                              | unknown
lineage           | B                       | B                              | met
lineage           | B                       | T                              | not-met
lineage           | B                       | -                              | unknown
lineage           | B or mixed              | mixed                          | met
lineage           | not mixed               | mixed                          | not-met
lineage           | not mixed               | B                              | met
cd19              | positive                | positive                       | met
cd19              | positive                | negative                       | not-met
cd19              | positive                | -                              | unknown
cd22              | positive                | positive                       | met
cd22              | positive                | negative                       | not-met
cd22              | positive                | -                              | unknown
bcr-abl1          | negative                | negative                       | met
bcr-abl1          | negative                | positive                       | not-met
bcr-abl1          | negative                | -                              | unknown
bcr-abl1          | not positive            | positive                       | not-met
bcr-abl1          | not positive            | -                              | unknown
kmt2a             | positive                | positive                       | met
kmt2a             | positive                | negative                       | not-met
kmt2a             | positive                | -                              | unknown
relapse-number    | 1..1                    | 1                              | met
relapse-number    | 1..1                    | 2                              | not-met
relapse-number    | 1..1                    | -                              | unknown
relapse-number    | 2..                     | 3                              | met
timing            | late                    | late                           | met
timing            | late                    | early                          | not-met
timing            | late                    | -                              | unknown
site              | isolated-cns            | isolated-cns                   | met
site              | isolated-cns            | isolated-marrow                | not-met
site              | isolated-cns            | -                              | unknown
cns               | not involved            | not-involved                   | met
cns               | not involved            | involved                       | not-met
cns               | not involved            | -                              | unknown
prior-therapies   | blinatumomab            | blinatumomab                   | met
prior-therapies   | blinatumomab            | never blinatumomab             | not-met
prior-therapies   | blinatumomab            | nelarabine                     | unknown
prior-therapies   | blinatumomab            | -                              | unknown
prior-therapies   | not cd19-directed       | tisagenlecleucel               | not-met
prior-therapies   | not cd19-directed       | never cd19-directed            | met
prior-therapies   | not cd19-directed       | inotuzumab-ozogamicin          | unknown
prior-therapies   | not cd19-directed       | -                              | unknown
prior-transplant  | no                      | no                             | met
prior-transplant  | no                      | yes                            | not-met
prior-transplant  | no                      | -                              | unknown
mrd               | 0.01..                  | 0.01                           | met
mrd               | 0.01..                  | <0.01                          | not-met
mrd               | 0.01..                  | <0.1                           | unknown
mrd               | 0.01..                  | -                              | unknown
mrd               | <0.01                   | 0.01                           | not-met
mrd               | <0.01                   | <0.01                          | met
mrd               | >0.01                   | 0.01                           | not-met
mrd               | >0.01                   | 0.02                           | met
mrd               | >0.01                   | <0.1                           | unknown
mrd               | 0.01..0.1               | 0.005                          | not-met
mrd               | 0.01..0.1               | 0.1                            | met
mrd               | 0.01..0.1               | 0.2                            | not-met
down-syndrome     | not yes                 | no                             | met
down-syndrome     | not yes                 | yes                            | not-met
down-syndrome     | not yes                 | -                              | unknown
ecog              | ..2                     | 2 on 2026-11-10                | met
ecog              | ..2                     | 3 on 2026-11-10                | not-met
ecog              | ..2                     | 3 on 2026-08-01                | unknown
ecog              | ..2                     | 3 on 2026-10-21                | not-met
ecog              | ..2                     | 3 on 2026-10-20                | unknown
ecog              | ..2                     | -                              | unknown
karnofsky         | 50..                    | 50 on 2026-11-10               | met
karnofsky         | 50..                    | 40 on 2026-11-10               | not-met
karnofsky         | 50..                    | -                              | unknown
lansky            | 50..                    | 90 on 2026-11-10               | met
lansky            | 50..                    | 40 on 2026-11-10               | not-met
lansky            | 50..                    | -                              | unknown
creatinine        | ..1.5                   | 0.6 on 2026-11-18              | met
creatinine        | ..1.5                   | 2.1 on 2026-11-18              | not-met
creatinine        | ..1.5                   | 2.1 on 2026-09-01              | unknown
creatinine        | ..1.5                   | 2.1                            | unknown
creatinine        | ..1.5                   | -                              | unknown
gfr               | 60..                    | 90 on 2026-11-18               | met
gfr               | 60..                    | 45 on 2026-11-18               | not-met
gfr               | 60..                    | -                              | unknown
bilirubin         | ..2                     | 0.4 on 2026-11-18              | met
bilirubin         | ..2                     | 3 on 2026-11-18                | not-met
bilirubin         | ..2                     | -                              | unknown
alt               | ..200                   | 30 on 2026-11-18               | met
alt               | ..200                   | 900 on 2026-11-18              | not-met
alt               | ..200                   | -                              | unknown
ast               | ..200                   | 30 on 2026-11-18               | met
ast               | ..200                   | 900 on 2026-11-18              | not-met
ast               | ..200                   | -                              | unknown
ejection-fraction | 45..                    | 60 on 2026-06-18               | met
ejection-fraction | 45..                    | 30 on 2026-11-18               | not-met
ejection-fraction | 45..                    | 30 on 2026-01-18               | unknown
ejection-fraction | 45..                    | -                              | unknown
"""


def rows() -> Iterator[tuple[str, str, str, str]]:
    for line in TABLE.strip().splitlines()[2:]:
        fact, asked, record, verdict = (cell.strip() for cell in line.split("|"))
        yield fact, asked, record, verdict


# "not involved" reads as one value with a space in the table; the value itself is not-involved.
_SPELLINGS = {"not involved": "not-involved"}


@pytest.mark.parametrize(("fact", "asked", "record", "verdict"), list(rows()))
def test_verdict(fact: str, asked: str, record: str, verdict: str) -> None:
    asked = _SPELLINGS.get(asked, asked) if fact == "cns" else asked
    words = vocabulary().facts[TrialFact(fact)]
    found = judge(criterion(fact, asked), patient({fact: record}), words.max_age_days)
    assert found.value == verdict


def test_every_fact_stands_in_the_table_met_and_unknown() -> None:
    shown = {(fact, verdict) for fact, _, _, verdict in rows()}
    for fact in TrialFact:
        assert (fact.value, "met") in shown
        assert (fact.value, "unknown") in shown


def test_every_fact_but_the_disease_stands_in_the_table_as_not_met() -> None:
    shown = {fact for fact, _, _, verdict in rows() if verdict == "not-met"}
    assert shown == {fact.value for fact in TrialFact} - {"disease"}


def test_a_datum_of_another_form_is_unknown() -> None:
    profile = patient({"ecog": "1 on 2026-11-10"})
    assert judge(criterion("ecog", "0..2"), profile).value == "met"
    swapped = {TrialFact.LINEAGE: profile.facts[TrialFact.ECOG]}
    assert judge(criterion("lineage", "B"), type(profile)(profile.on, swapped)).value == "unknown"


def test_a_leap_day_birth_has_its_birthday_at_the_end_of_february() -> None:
    adult = criterion("age", "18 years..")
    assert judge(adult, patient({"age": "2004-02-29"}, on=date(2022, 2, 27))).value == "not-met"
    assert judge(adult, patient({"age": "2004-02-29"}, on=date(2022, 2, 28))).value == "met"


def test_an_age_beyond_the_calendar_is_never_reached() -> None:
    assert judge(criterion("age", "99999 years.."), patient({"age": "2004-02-29"})).value == "not-met"


def test_a_birth_year_leaves_the_age_open_from_the_first_possible_birthday_on() -> None:
    adult = criterion("age", "18 years..")
    assert judge(adult, patient({"age": "2008"}, on=date(2025, 12, 31))).value == "not-met"
    assert judge(adult, patient({"age": "2008"}, on=date(2026, 1, 1))).value == "unknown"
    assert judge(adult, patient({"age": "2008"}, on=date(2026, 12, 30))).value == "unknown"
    assert judge(adult, patient({"age": "2008"}, on=date(2026, 12, 31))).value == "met"


def test_the_time_of_day_of_a_datum_does_not_make_it_outdated() -> None:
    known = Known(Coded("B"), "B", "2026-11-10T08:30:00Z")
    assert not is_outdated(known, TODAY, 30)
    assert is_outdated(known, TODAY, 9)
