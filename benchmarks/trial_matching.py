"""What matching one patient against 1,000 studies costs, beside judging each criterion study by study.

Both ways run in the same process on the same studies, so that their ratio means the same on every
machine; the milliseconds are those of this machine. Run: ``python benchmarks/trial_matching.py``.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.quantities import Measured
from fhir_mappings.trials import (
    Accrual,
    Age,
    AgeSpan,
    AgeUnit,
    Criterion,
    Home,
    OneOf,
    Origin,
    Site,
    Span,
    Study,
    StudyIndex,
    StudyList,
    TrialFact,
    TrialVocabulary,
    load_trial_knowledge,
    match_studies,
    prepare,
)
from fhir_mappings.trials.criteria import Match, judge_datum, usable_datum
from fhir_mappings.trials.patient_profile import Birth, Coded, Given, History, Known, TrialProfile

STUDIES = 1000
ROUNDS = 50
LIMIT_MS = 5.0
ON = date(2026, 11, 20)
_FACTS = (
    TrialFact.AGE,
    TrialFact.SEX,
    TrialFact.LINEAGE,
    TrialFact.CD19,
    TrialFact.CD22,
    TrialFact.RELAPSE_NUMBER,
    TrialFact.PRIOR_THERAPIES,
    TrialFact.ECOG,
)


def make_studies(seed: int) -> list[Study]:
    """Studies with three to eight criteria each and one to forty sites."""
    chance = random.Random(seed)
    return [_study(number, chance) for number in range(STUDIES)]


def make_profile() -> TrialProfile:
    """A patient of whom most is known."""
    one = Decimal(1)
    given = Given(frozenset({"blinatumomab", "cd19-directed"}), "Blinatumomab")
    return TrialProfile(
        ON,
        {
            TrialFact.AGE: Known(Birth(Moment.on(date(2014, 3, 2))), "12 years"),
            TrialFact.SEX: Known(Coded("female"), "female"),
            TrialFact.LINEAGE: Known(Coded("B"), "B lineage"),
            TrialFact.CD19: Known(Coded("positive"), "positive"),
            TrialFact.RELAPSE_NUMBER: Known(Measured(one, one, "", "1"), "1"),
            TrialFact.PRIOR_THERAPIES: Known(History((given,)), "Blinatumomab"),
        },
    )


def match_one_by_one(index: StudyIndex, profile: TrialProfile, vocabulary: TrialVocabulary) -> int:
    """The plain way: every criterion of every study on its own."""
    fitting = 0
    for placed in index.placed:
        verdicts = [_judged_alone(one, profile, vocabulary) for one in placed.study.criteria]
        fitting += Match.NOT_MET not in verdicts
    return fitting


def _judged_alone(criterion: Criterion, profile: TrialProfile, vocabulary: TrialVocabulary) -> Match:
    datum = usable_datum(profile, criterion.fact, vocabulary.facts[criterion.fact].max_age_days)
    return Match.UNKNOWN if datum is None else judge_datum(criterion, datum, profile.on)


def milliseconds(work: Callable[[], object]) -> float:
    """Median of several rounds."""
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


def _study(number: int, chance: random.Random) -> Study:
    criteria = {one: None for one in (_criterion(chance) for _ in range(chance.randint(3, 8)))}
    sites = tuple(
        Site(
            f"site {place}",
            accrual=Accrual.OPEN,
            latitude=chance.uniform(-60, 60),
            longitude=chance.uniform(-180, 180),
        )
        for place in range(chance.randint(1, 40))
    )
    return Study(
        id=f"STUDY-{number:04d}",
        title="Made-up study",
        origin=chance.choice(list(Origin)),
        accrual=chance.choice([Accrual.OPEN, Accrual.OPENING]),
        status="recruiting",
        criteria=tuple(criteria),
        sites=sites,
    )


def _criterion(chance: random.Random) -> Criterion:
    fact = chance.choice(_FACTS)
    if fact is TrialFact.AGE:
        low = chance.randint(0, 20)
        high = low + chance.randint(5, 70)
        return Criterion(fact, AgeSpan(Age(low, AgeUnit.YEARS), Age(high, AgeUnit.YEARS)))
    if fact in (TrialFact.RELAPSE_NUMBER, TrialFact.ECOG):
        return Criterion(fact, Span(high=Decimal(chance.randint(1, 3))))
    values = {
        TrialFact.SEX: ["female"],
        TrialFact.LINEAGE: ["B", "mixed"],
        TrialFact.PRIOR_THERAPIES: ["car-t", "inotuzumab-ozogamicin", "nelarabine"],
    }.get(fact, ["positive"])
    exclude = fact is TrialFact.PRIOR_THERAPIES
    return Criterion(fact, OneOf(frozenset({chance.choice(values)})), exclude)


def main() -> int:
    """Print both costs and their ratio; exit code 1 when a patient costs more than the limit."""
    vocabulary = load_trial_knowledge().vocabulary
    studies = tuple(make_studies(7))
    listed = StudyList("catalogue", "made-up", Moment.on(ON), True, studies)
    index = prepare([listed], Home(42.36, -71.06))
    profile = make_profile()
    found = match_studies(index, profile, vocabulary, 5, 5)
    assert found.count == match_one_by_one(index, profile, vocabulary)
    prepared = milliseconds(lambda: match_studies(index, profile, vocabulary, 5, 5))
    plain = milliseconds(lambda: match_one_by_one(index, profile, vocabulary))
    sys.stdout.write(
        f"{len(index.placed)} studies, {len(index.criteria)} distinct criteria, {found.count} candidates\n"
        f"prepared {prepared:.2f} ms, one by one {plain:.2f} ms, ratio {prepared / plain:.3f}\n"
    )
    return 0 if prepared < LIMIT_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
