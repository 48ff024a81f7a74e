"""Which site counts, what is in reach, and who comes first."""

from __future__ import annotations

from datetime import date

import pytest

from fhir_mappings.clinical.moments import Moment
from fhir_mappings.trials.criteria import Match
from fhir_mappings.trials.ranking import Home, distance_km, match_studies, prepare
from fhir_mappings.trials.study import Accrual, Origin, Site, Study
from tests.fhir_mappings.trials.people import criterion, listed, patient, study, vocabulary

BOSTON = Home(42.36, -71.06, radius_km=250)
NEAR = Site("Near", accrual=Accrual.OPEN, latitude=42.36, longitude=-71.06)
NEW_YORK = Site("New York", accrual=Accrual.OPEN, latitude=40.71, longitude=-74.01)
WORCESTER = Site("Worcester", accrual=Accrual.OPEN, latitude=42.26, longitude=-71.80)


def order(*studies: Study, home: Home | None = BOSTON, record: dict[str, str] | None = None) -> list[str]:
    found = match_studies(prepare([listed(*studies)], home), patient(record), vocabulary())
    return [match.placed.study.id for match in found.candidates]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((42.36, -71.06), (42.36, -71.06), 0.0),
        ((51.5074, -0.1278), (48.8566, 2.3522), 343.6),
        ((0.0, 0.0), (0.0, 180.0), 20_015.1),
        ((10.0, 179.0), (10.0, -179.0), 219.0),
    ],
)
def test_great_circle_distance(one: tuple[float, float], other: tuple[float, float], expected: float) -> None:
    assert distance_km(*one, *other) == pytest.approx(expected, abs=0.3)


def test_the_hospitals_own_open_studies_come_first() -> None:
    assert order(
        study("REGISTRY-OPEN", origin=Origin.REGISTRY, sites=(NEAR,)),
        study("OWN-OPENING", accrual=Accrual.OPENING),
        study("OWN-OPEN", sites=(WORCESTER,)),
        study("REGISTRY-OPENING", origin=Origin.REGISTRY, accrual=Accrual.OPENING),
        study("OWN-UNSTATED", accrual=Accrual.UNKNOWN),
    ) == ["OWN-OPEN", "REGISTRY-OPEN", "OWN-OPENING", "REGISTRY-OPENING", "OWN-UNSTATED"]


def test_then_fit_then_distance_then_recency_then_id() -> None:
    b_lineage, cd19 = criterion("lineage", "B"), criterion("cd19", "positive")
    newer = Moment.on(date(2026, 11, 1))
    assert order(
        study("E", sites=(NEAR,)),
        study("D", sites=(NEAR,)),
        study("NEWER", sites=(NEAR,), status_date=newer),
        study("A-UNDATED", sites=(NEAR,), status_date=None),
        study("UNKNOWN-CD19", cd19, sites=(NEAR,)),
        study("FAR-FIT", b_lineage, sites=(WORCESTER,)),
        study("NEAR-FIT", b_lineage, sites=(NEAR,)),
        record={"lineage": "B"},
    ) == ["NEAR-FIT", "FAR-FIT", "NEWER", "D", "E", "A-UNDATED", "UNKNOWN-CD19"]


def test_an_unknown_criterion_ranks_below_a_met_one() -> None:
    asked = criterion("lineage", "B")
    unknown = criterion("cd22", "positive")
    assert order(study("UNKNOWN", unknown), study("MET", asked), record={"lineage": "B"}) == [
        "MET",
        "UNKNOWN",
    ]


def test_the_nearest_open_site_is_taken() -> None:
    closed = Site("Closed next door", accrual=Accrual.CLOSED, latitude=42.36, longitude=-71.06)
    index = prepare([listed(study("A", sites=(closed, WORCESTER, NEW_YORK)))], BOSTON)
    (placed,) = index.placed
    assert placed.site == WORCESTER
    assert placed.distance_km == pytest.approx(61.9, abs=0.5)


def test_a_site_that_opens_nearby_keeps_a_study_that_is_open_far_away() -> None:
    opening = Site("Opens here", accrual=Accrual.OPENING, latitude=42.36, longitude=-71.06)
    far = Site("Far", accrual=Accrual.OPEN, latitude=34.05, longitude=-118.24)
    (placed,) = prepare([listed(study("A", sites=(far, opening)))], BOSTON).placed
    assert (placed.site, placed.accrual) == (opening, Accrual.OPENING)


def test_a_site_is_never_more_open_than_its_study() -> None:
    (placed,) = prepare([listed(study("A", accrual=Accrual.OPENING, sites=(NEAR,)))], BOSTON).placed
    assert placed.accrual is Accrual.OPENING


def test_closed_studies_and_studies_whose_sites_are_all_closed_are_left_out() -> None:
    closed = Site("Closed", accrual=Accrual.CLOSED)
    index = prepare([listed(study("A", accrual=Accrual.CLOSED), study("B", sites=(closed,)))], BOSTON)
    assert (index.placed, index.closed) == ((), 2)


def test_a_study_beyond_the_radius_is_left_out_and_one_of_unknown_place_is_not() -> None:
    nowhere = Site("Somewhere", accrual=Accrual.OPEN)
    away = [study(name, sites=(NEW_YORK,)) for name in ("FAR", "AS-FAR")]
    index = prepare([listed(*away, study("NOWHERE", sites=(nowhere,)))], BOSTON)
    assert [placed.study.id for placed in index.placed] == ["NOWHERE"]
    assert index.too_far == 2


def test_without_a_place_of_the_hospital_distance_never_leaves_a_study_out() -> None:
    assert order(study("FAR", sites=(NEW_YORK,)), home=None) == ["FAR"]


def test_a_study_on_two_lists_is_taken_from_the_hospitals_own() -> None:
    own = listed(study("NCT00000000", title="Own words"))
    registry = listed(study("NCT00000000", title="Registry", origin=Origin.REGISTRY), key="registry")
    for lists in ([own, registry], [registry, own]):
        (placed,) = prepare(lists).placed
        assert placed.study.title == "Own words"


def test_limits_count_but_do_not_show() -> None:
    studies = [study(f"S{number}") for number in range(7)]
    refused = [study(f"T{number}", criterion("lineage", "T")) for number in range(4)]
    index = prepare([listed(*studies, *refused)])
    found = match_studies(index, patient({"lineage": "B"}), vocabulary(), 5, 2)
    assert (len(found.candidates), found.count) == (5, 7)
    assert (len(found.not_listed), found.not_listed_count) == (2, 4)
    assert found.open_ids == {f"S{number}" for number in range(7)}


def test_a_match_holds_its_criteria_by_verdict() -> None:
    b_lineage, cd19 = criterion("lineage", "B"), criterion("cd19", "positive")
    index = prepare([listed(study("A", b_lineage, cd19))])
    (match,) = match_studies(index, patient({"lineage": "B"}), vocabulary()).candidates
    assert match.criteria(Match.MET) == (b_lineage,)
    assert match.criteria(Match.UNKNOWN) == (cd19,)


def test_opening_studies_are_not_among_the_open() -> None:
    index = prepare([listed(study("A", accrual=Accrual.OPENING), study("B"))])
    assert match_studies(index, patient(), vocabulary()).open_ids == {"B"}
