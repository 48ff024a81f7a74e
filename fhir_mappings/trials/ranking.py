"""Studies near a hospital, prepared once per list, then matched and ranked for any number of patients."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fhir_mappings.trials.criteria import Match, judge_datum, usable_datum
from fhir_mappings.trials.patient_profile import TrialProfile
from fhir_mappings.trials.study import (
    Accrual,
    Criterion,
    Origin,
    Site,
    Study,
    StudyList,
    TrialFact,
)
from fhir_mappings.trials.vocabulary import TrialVocabulary

EARTH_RADIUS_KM = 6371.0
_OPENNESS = {Accrual.OPEN: 0, Accrual.OPENING: 2, Accrual.UNKNOWN: 4, Accrual.CLOSED: 6}


_Fitted = tuple[tuple[int, int, float, int, str], int]
"""A study's rank for one patient, and its position in the index."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where the hospital stands (degrees) and how far a study may be away (km, None: any distance)."""

    latitude: float
    longitude: float
    radius_km: float | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A study with the site a patient of this hospital would go to, and its distance in km."""

    study: Study
    site: Site | None
    distance_km: float | None
    accrual: Accrual

    @property
    def is_local(self) -> bool:
        """True for studies on the hospital's own lists."""
        return self.study.origin is not Origin.REGISTRY


@dataclass(frozen=True, slots=True)
class StudyIndex:
    """Open studies within reach, with every distinct criterion listed once.

    ``masks`` holds, per study, one bit for each criterion of ``criteria`` that the study has, so
    that a criterion shared by many studies is judged once per patient. ``by_fact`` gives the
    positions of the criteria about each fact; ``ranks`` what of a study's rank no patient changes.
    """

    placed: tuple[Placed, ...]
    criteria: tuple[Criterion, ...]
    by_fact: tuple[tuple[TrialFact, tuple[int, ...]], ...]
    masks: tuple[int, ...]
    ranks: tuple[tuple[int, float, int, str], ...]
    too_far: int
    closed: int


@dataclass(frozen=True, slots=True)
class StudyMatch:
    """One study against one patient; ``verdicts`` follow ``placed.study.criteria``."""

    placed: Placed
    verdicts: tuple[Match, ...]

    def criteria(self, verdict: Match) -> tuple[Criterion, ...]:
        """The criteria with that verdict."""
        pairs = zip(self.placed.study.criteria, self.verdicts, strict=True)
        return tuple(criterion for criterion, found in pairs if found is verdict)


@dataclass(frozen=True, slots=True)
class Matches:
    """The best candidates in order, and what was left out.

    ``count`` counts all candidates, ``open_ids`` names those that take patients now.
    ``not_listed`` are studies with a criterion that a recorded fact does not meet.
    """

    candidates: tuple[StudyMatch, ...]
    count: int
    open_ids: frozenset[str]
    not_listed: tuple[StudyMatch, ...]
    not_listed_count: int


def distance_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Great-circle distance by the haversine formula on a sphere; arguments in degrees."""
    phi, other_phi = math.radians(latitude), math.radians(other_latitude)
    half_lat = math.sin((other_phi - phi) / 2)
    half_lon = math.sin(math.radians(other_longitude - longitude) / 2)
    chord = half_lat**2 + math.cos(phi) * math.cos(other_phi) * half_lon**2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, chord)))


def prepare(lists: Iterable[StudyList], home: Home | None = None) -> StudyIndex:
    """The index of all open or opening studies within reach.

    A study on several lists is taken from the hospital's own. An unknown distance or accrual
    never leaves a study out.
    """
    placed: list[Placed] = []
    too_far = closed = 0
    for study in _once_each(lists):
        here = _place(study, home)
        if here.accrual is Accrual.CLOSED:
            closed += 1
        elif _is_too_far(here, home):
            too_far += 1
        else:
            placed.append(here)
    criteria = tuple(dict.fromkeys(criterion for one in placed for criterion in one.study.criteria))
    position = {criterion: number for number, criterion in enumerate(criteria)}
    by_fact: dict[TrialFact, list[int]] = {}
    for criterion, number in position.items():
        by_fact.setdefault(criterion.fact, []).append(number)
    return StudyIndex(
        placed=tuple(placed),
        criteria=criteria,
        by_fact=tuple((fact, tuple(numbers)) for fact, numbers in by_fact.items()),
        masks=tuple(_mask(one.study.criteria, position) for one in placed),
        ranks=tuple(_rank(one) for one in placed),
        too_far=too_far,
        closed=closed,
    )


def match_studies(
    index: StudyIndex,
    profile: TrialProfile,
    vocabulary: TrialVocabulary,
    limit: int | None = None,
    not_listed_limit: int | None = None,
) -> Matches:
    """Candidates of the patient, best first.

    Order: local and open first, then open, then opening; within each by fit (criteria met less
    criteria unknown), distance, date of the status (newest first) and id.
    """
    judged = _judged(index, profile, vocabulary)
    refused, unknown = _bits(judged, Match.NOT_MET), _bits(judged, Match.UNKNOWN)
    fitting: list[_Fitted] = []
    others: list[_Fitted] = []
    for number, mask in enumerate(index.masks):
        openness, away, day, name = index.ranks[number]
        if refusals := mask & refused:
            others.append(((openness, refusals.bit_count(), away, day, name), number))
        else:
            fit = mask.bit_count() - 2 * (mask & unknown).bit_count()
            fitting.append(((openness, -fit, away, day, name), number))
    placed = index.placed
    verdicts = dict(zip(index.criteria, judged, strict=True))
    return Matches(
        candidates=_detailed(placed, _first(fitting, limit), verdicts),
        count=len(fitting),
        open_ids=frozenset(placed[n].study.id for _, n in fitting if placed[n].accrual is Accrual.OPEN),
        not_listed=_detailed(placed, _first(others, not_listed_limit), verdicts),
        not_listed_count=len(others),
    )


def _judged(index: StudyIndex, profile: TrialProfile, vocabulary: TrialVocabulary) -> list[Match]:
    """The verdict on every criterion of the index; the datum of a fact is looked up once."""
    judged = [Match.UNKNOWN] * len(index.criteria)
    for fact, numbers in index.by_fact:
        datum = usable_datum(profile, fact, vocabulary.facts[fact].max_age_days)
        if datum is not None:
            for number in numbers:
                judged[number] = judge_datum(index.criteria[number], datum, profile.on)
    return judged


def _first(fitted: list[_Fitted], limit: int | None) -> list[_Fitted]:
    return sorted(fitted) if limit is None else heapq.nsmallest(limit, fitted)


def _rank(placed: Placed) -> tuple[int, float, int, str]:
    """Openness (local before others), distance, day of the status (newest first), id."""
    openness = _OPENNESS[placed.accrual] + (0 if placed.is_local else 1)
    distance = math.inf if placed.distance_km is None else placed.distance_km
    dated = placed.study.status_date
    return (openness, distance, -dated.first.toordinal() if dated else 0, placed.study.id)


def _detailed(
    placed: Sequence[Placed], fitted: Sequence[_Fitted], verdicts: Mapping[Criterion, Match]
) -> tuple[StudyMatch, ...]:
    return tuple(
        StudyMatch(placed[number], tuple(verdicts[one] for one in placed[number].study.criteria))
        for _, number in fitted
    )


def _bits(judged: Sequence[Match], wanted: Match) -> int:
    """One bit for each criterion with that verdict."""
    digits = "".join(["1" if verdict is wanted else "0" for verdict in reversed(judged)])
    return int(digits or "0", 2)


def _mask(criteria: Iterable[Criterion], position: dict[Criterion, int]) -> int:
    mask = 0
    for criterion in criteria:
        mask |= 1 << position[criterion]
    return mask


def _once_each(lists: Iterable[StudyList]) -> list[Study]:
    order = list(Origin)
    found: dict[str, Study] = {}
    for study in sorted((s for one in lists for s in one.studies), key=lambda s: order.index(s.origin)):
        found.setdefault(study.id, study)
    return list(found.values())


def _place(study: Study, home: Home | None) -> Placed:
    """The study at its nearest open site, else the nearest that is to open; without sites it stands alone."""
    if not study.sites or study.accrual is Accrual.CLOSED:
        return Placed(study, None, None, study.accrual)
    options = [(_site_accrual(study, site), _distance(site, home), site) for site in study.sites]
    reach = math.inf if home is None or home.radius_km is None else home.radius_km
    accrual, away, site = min(options, key=lambda option: _site_rank(option[0], option[1], reach))
    return Placed(study, site, away, accrual)


def _site_rank(accrual: Accrual, away: float | None, reach: float) -> tuple[bool, bool, int, float]:
    """Sites within reach before those beyond it; among them the open, then the near, then the first named."""
    closed = accrual is Accrual.CLOSED
    return (closed, (away or 0.0) > reach, _OPENNESS[accrual], math.inf if away is None else away)


def _site_accrual(study: Study, site: Site) -> Accrual:
    """A site is no further open than its study; an unstated site follows its study."""
    if site.accrual is Accrual.UNKNOWN:
        return study.accrual
    return max(study.accrual, site.accrual, key=_OPENNESS.__getitem__)


def _distance(site: Site, home: Home | None) -> float | None:
    if home is None or site.latitude is None or site.longitude is None:
        return None
    return distance_km(home.latitude, home.longitude, site.latitude, site.longitude)


def _is_too_far(placed: Placed, home: Home | None) -> bool:
    if home is None or home.radius_km is None or placed.distance_km is None:
        return False
    return placed.distance_km > home.radius_km
