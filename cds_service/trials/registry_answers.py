"""Answers of the ClinicalTrials.gov API, version 2 -> studies.

Only structured fields are used; eligibility text is noticed, never read. An answer of another
shape raises UnknownShape; a single study of another shape costs only itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.assess import Moment, add_months, has_repeated_member
from fhir_mappings.trials import (
    NCT_ID,
    Accrual,
    Age,
    AgeSpan,
    AgeUnit,
    Criterion,
    OneOf,
    Origin,
    Site,
    Study,
    TrialFact,
    TrialVocabulary,
    read_relevance,
)

FIELDS = (
    "NCTId", "BriefTitle", "OfficialTitle", "OverallStatus", "LastUpdatePostDate", "Phase",
    "Condition", "Keyword", "MinimumAge", "MaximumAge", "Sex", "EligibilityCriteria",
    "InterventionName", "LeadSponsorName", "LocationFacility", "LocationCity", "LocationCountry",
    "LocationStatus", "LocationGeoPoint", "LocationContactName", "LocationContactPhone",
    "CentralContactName", "CentralContactPhone",
)  # fmt: skip
"""The fields that are asked for, by the names of the API."""

_AGE = re.compile(r"(\d{1,6}) (Year|Month|Week|Day|Hour|Minute)s?")
_UNITS = {"Year": AgeUnit.YEARS, "Month": AgeUnit.MONTHS, "Week": AgeUnit.WEEKS, "Day": AgeUnit.DAYS}
_PARTIAL_DATE = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?")


class UnknownShape(ValueError):
    """The answer is not what the API documents. The message holds nothing of the answer."""


class _Camel(Struct, rename="camel"):
    pass


class _Identification(_Camel):
    nct_id: str
    brief_title: str = ""
    official_title: str = ""


class _Day(_Camel):
    date: str = ""


class _Status(_Camel):
    overall_status: str = ""
    last_update_post_date_struct: _Day | None = None


class _Conditions(_Camel):
    conditions: list[str] = msgspec.field(default_factory=list)
    keywords: list[str] = msgspec.field(default_factory=list)


class _Design(_Camel):
    phases: list[str] = msgspec.field(default_factory=list)


class _Intervention(_Camel):
    name: str = ""


class _Interventions(_Camel):
    interventions: list[_Intervention] = msgspec.field(default_factory=list)


class _Eligibility(_Camel):
    eligibility_criteria: str = ""
    sex: str = "ALL"
    minimum_age: str = "N/A"
    maximum_age: str = "N/A"


class _Contact(_Camel):
    name: str = ""
    phone: str = ""


class _GeoPoint(_Camel):
    lat: float
    lon: float


class _Location(_Camel):
    facility: str = ""
    city: str = ""
    country: str = ""
    status: str = ""
    geo_point: _GeoPoint | None = None
    contacts: list[_Contact] = msgspec.field(default_factory=list)


class _Places(_Camel):
    central_contacts: list[_Contact] = msgspec.field(default_factory=list)
    locations: list[_Location] = msgspec.field(default_factory=list)


class _Protocol(_Camel):
    identification_module: _Identification
    status_module: _Status
    conditions_module: _Conditions = msgspec.field(default_factory=_Conditions)
    design_module: _Design = msgspec.field(default_factory=_Design)
    arms_interventions_module: _Interventions = msgspec.field(default_factory=_Interventions)
    eligibility_module: _Eligibility = msgspec.field(default_factory=_Eligibility)
    contacts_locations_module: _Places = msgspec.field(default_factory=_Places)


class _Record(_Camel):
    protocol_section: _Protocol


class Page(_Camel):
    """One page of a search: the studies as they came, and the token of the next page."""

    studies: list[Raw]
    next_page_token: str | None = None


@dataclass(frozen=True, slots=True)
class ReadRecords:
    """Studies about relapsed ALL, and how many records could not be read or are about something else."""

    studies: tuple[Study, ...]
    unreadable: int
    other: int


_page = msgspec.json.Decoder(Page)
_record = msgspec.json.Decoder(_Record)


def read_page(data: bytes) -> Page:
    """The page. Raises UnknownShape when it is not a search answer of the API."""
    try:
        page = _page.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnknownShape("not a search answer of the ClinicalTrials.gov API, version 2") from None
    if has_repeated_member(data):
        raise UnknownShape("a member stands twice in the answer of the ClinicalTrials.gov API")
    return page


def read_records(records: Iterable[Raw | bytes], vocabulary: TrialVocabulary) -> ReadRecords:
    """The studies among ``records`` that are about relapsed ALL."""
    studies: dict[str, Study] = {}
    unreadable = other = 0
    for raw in records:
        try:
            protocol = _record.decode(raw).protocol_section
            study = _study(protocol, vocabulary)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, UnknownShape):
            unreadable += 1
            continue
        if study is None:
            other += 1
        else:
            studies.setdefault(study.id, study)
    return ReadRecords(tuple(studies.values()), unreadable, other)


def _study(protocol: _Protocol, vocabulary: TrialVocabulary) -> Study | None:
    identity, status = protocol.identification_module, protocol.status_module
    if not NCT_ID.fullmatch(identity.nct_id) or not status.overall_status:
        raise UnknownShape("a study without id or status")
    words, places = protocol.conditions_module, protocol.contacts_locations_module
    relevance = read_relevance(
        words.conditions, words.keywords, [identity.brief_title, identity.official_title], vocabulary
    )
    if not relevance.is_relevant:
        return None
    eligibility = protocol.eligibility_module
    updated = status.last_update_post_date_struct
    return Study(
        id=identity.nct_id,
        title=identity.brief_title or identity.official_title or identity.nct_id,
        origin=Origin.REGISTRY,
        accrual=vocabulary.accrual(status.overall_status),
        status=status.overall_status,
        status_date=_moment(updated.date) if updated else None,
        link=f"https://clinicaltrials.gov/study/{identity.nct_id}",
        phase="/".join(protocol.design_module.phases),
        interventions=tuple(one.name for one in protocol.arms_interventions_module.interventions if one.name),
        sites=tuple(_site(location, vocabulary) for location in places.locations),
        contact=_contact(places.central_contacts),
        criteria=(*_age_and_sex(eligibility), *relevance.criteria),
        not_checked=(*relevance.not_checked, *vocabulary.usually_unchecked),
        free_text=bool(eligibility.eligibility_criteria),
    )


def _age_and_sex(eligibility: _Eligibility) -> list[Criterion]:
    low, high = read_age(eligibility.minimum_age), read_age(eligibility.maximum_age)
    criteria = [Criterion(TrialFact.AGE, AgeSpan(low, high))] if low or high else []
    if eligibility.sex in ("FEMALE", "MALE"):
        criteria.append(Criterion(TrialFact.SEX, OneOf(frozenset({eligibility.sex.lower()}))))
    return criteria


def read_age(text: str) -> Age | None:
    """An age limit such as ``18 Years`` or ``6 Months``; None for ``N/A`` and nothing (no limit).

    Raises UnknownShape for anything else: a limit that is not understood must not read as no limit.
    """
    if text in ("", "N/A"):
        return None
    found = _AGE.fullmatch(text)
    if found is None:
        raise UnknownShape("an age limit of another form")
    count, unit = int(found[1]), found[2]
    # A limit in hours or minutes is below the exactness of a birth date: the first day of life.
    return Age(count, _UNITS[unit]) if unit in _UNITS else Age(0, AgeUnit.DAYS)


def _site(location: _Location, vocabulary: TrialVocabulary) -> Site:
    point = location.geo_point
    return Site(
        name=location.facility,
        city=location.city,
        country=location.country,
        accrual=vocabulary.accrual(location.status) if location.status else Accrual.UNKNOWN,
        latitude=point.lat if point else None,
        longitude=point.lon if point else None,
        contact=_contact(location.contacts),
    )


def _contact(contacts: Iterable[_Contact]) -> str:
    for contact in contacts:
        if contact.name or contact.phone:
            return ", ".join(part for part in (contact.name, contact.phone) if part)
    return ""


def _moment(text: str) -> Moment | None:
    found = _PARTIAL_DATE.fullmatch(text)
    try:
        if found and found[3]:
            return Moment.on(date.fromisoformat(text))
        if found:
            first = date(int(found[1]), int(found[2]), 1)
            return Moment(first, date.fromordinal(add_months(first, 1).toordinal() - 1))
    except ValueError:
        pass
    return None
