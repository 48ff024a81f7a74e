"""How far is too far: sites at the edge of the reach, beside the hospital, or of unknown place."""

from __future__ import annotations

import random

import pytest

from fhir_mappings.trials.ranking import Home, distance_km, match_studies, prepare
from fhir_mappings.trials.study import Accrual, Site
from tests.fhir_mappings.trials.people import listed, patient, study, vocabulary

THERE = Site("At the edge", accrual=Accrual.OPENING, latitude=50.5, longitude=8.0)
EDGE = distance_km(50.0, 8.0, 50.5, 8.0)
BEYOND = Site("Beyond", accrual=Accrual.OPEN, latitude=51.0, longitude=8.0)


@pytest.mark.parametrize(
    ("radius", "site", "too_far"),
    [(EDGE - 0.001, "Beyond", 1), (EDGE, "At the edge", 0), (EDGE + 0.001, "At the edge", 0)],
)
def test_a_site_exactly_at_the_edge_is_within_reach(radius: float, site: str, too_far: int) -> None:
    index = prepare([listed(study("A", sites=(BEYOND, THERE)))], Home(50.0, 8.0, radius))
    assert index.too_far == too_far
    if not too_far:
        assert [one.site.name for one in index.placed if one.site] == [site]


def test_the_hospitals_own_site_is_within_any_reach() -> None:
    own = Site("Here", accrual=Accrual.OPENING, latitude=50.0, longitude=8.0)
    index = prepare([listed(study("A", sites=(BEYOND, own)))], Home(50.0, 8.0, 0.5))
    assert [one.site for one in index.placed] == [own]


def test_a_closed_site_next_door_does_not_stand_for_an_open_one_beyond_reach() -> None:
    closed = Site("Closed", accrual=Accrual.CLOSED, latitude=50.0, longitude=8.0)
    index = prepare([listed(study("A", sites=(closed, BEYOND)))], Home(50.0, 8.0, 10))
    assert (index.too_far, index.closed) == (1, 0)


@pytest.mark.parametrize(("latitude", "longitude"), [(50.5, None), (None, 8.0), (None, None)])
def test_half_a_place_is_no_place(latitude: float | None, longitude: float | None) -> None:
    site = Site("Somewhere", accrual=Accrual.OPEN, latitude=latitude, longitude=longitude)
    (placed,) = prepare([listed(study("A", sites=(site,)))], Home(50.0, 8.0, 10)).placed
    assert placed.distance_km is None


def test_a_study_of_unknown_place_comes_after_one_of_a_known_place() -> None:
    nowhere = Site("Somewhere", accrual=Accrual.OPEN)
    studies = (study("A", sites=(nowhere,)), study("B", sites=(THERE,)), study("C", sites=(BEYOND,)))
    index = prepare([listed(*studies)], Home(50.0, 8.0))
    found = match_studies(index, patient(), vocabulary())
    assert [match.placed.study.id for match in found.candidates] == ["C", "A", "B"]


def test_points_on_opposite_sides_of_the_earth_have_a_distance() -> None:
    draw = random.Random(20)
    for _ in range(2000):
        latitude, longitude = draw.uniform(-90, 90), draw.uniform(-180, 0)
        away = distance_km(latitude, longitude, -latitude, longitude + 180)
        assert away == pytest.approx(20015.1, abs=1)
