"""FHIR R4 ResearchStudy, Group and Location -> studies.

``ResearchStudy.enrollment`` names a Group whose ``characteristic`` entries are the machine-readable
criteria. A characteristic that cannot be read is never dropped silently: the study then says that
one of its criteria was not checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.clinical.moments import Moment
from fhir_mappings.fhir.elements import CodeableConcept, Identifier, Meta, Reference
from fhir_mappings.trials.characteristics import Characteristic, read_characteristic
from fhir_mappings.trials.relevance import read_relevance
from fhir_mappings.trials.study import (
    Accrual,
    Criterion,
    Origin,
    Site,
    Study,
    TrialFact,
)
from fhir_mappings.trials.vocabulary import TrialVocabulary

NCT_ID = re.compile(r"NCT[0-9]{8}")
_OF_THE_DISEASE = {TrialFact.DISEASE, TrialFact.LINEAGE}
"""Criteria that show by themselves that a study is about acute lymphoblastic leukaemia."""


class _Telecom(Struct, rename="camel", gc=False):
    system: str | None = None
    value: str | None = None


class _Contact(Struct, rename="camel"):
    name: str | None = None
    telecom: list[_Telecom] | None = None


class _Address(Struct, rename="camel", gc=False):
    city: str | None = None
    country: str | None = None


class _Position(Struct, rename="camel", gc=False):
    latitude: float | None = None
    longitude: float | None = None


class _Arm(Struct, rename="camel", gc=False):
    name: str | None = None


class _Research(Struct, rename="camel", kw_only=True):
    """ResearchStudy, Group and Location as one superset."""

    resource_type: str | None = None
    id: str | None = None
    meta: Meta | None = None
    identifier: list[Identifier] | None = None
    title: str | None = None
    status: str | None = None
    description: str | None = None
    phase: CodeableConcept | None = None
    condition: list[CodeableConcept] | None = None
    keyword: list[CodeableConcept] | None = None
    contact: list[_Contact] | None = None
    enrollment: list[Reference] | None = None
    site: list[Reference] | None = None
    arm: list[_Arm] | None = None
    characteristic: list[Characteristic] | None = None
    name: str | None = None
    telecom: list[_Telecom] | None = None
    address: _Address | None = None
    position: _Position | None = None
    contained: list[Raw] | None = None


class _Entry(Struct, rename="camel"):
    resource: Raw = Raw()


class _Bundle(Struct, rename="camel"):
    resource_type: str | None = None
    entry: list[_Entry] | None = None


@dataclass(frozen=True, slots=True)
class ReadStudies:
    """The studies of one answer, and how many resources could not be read."""

    studies: tuple[Study, ...]
    unreadable: int
    missing: tuple[str, ...] = field(default=())


_bundle = msgspec.json.Decoder(_Bundle)
_research = msgspec.json.Decoder(_Research)


def read_research(pages: Iterable[bytes], vocabulary: TrialVocabulary) -> ReadStudies:
    """Every ResearchStudy in some Bundles (or single resources) of JSON.

    Groups and Locations may stand in any of the pages or be contained. ``missing`` names the
    references (``Group/x``) that no page holds, so that they can be fetched.
    """
    resources: dict[str, _Research] = {}
    unreadable = 0
    for page in pages:
        for raw in _resources(page):
            try:
                resource = _research.decode(raw)
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
                unreadable += 1
                continue
            if resource.resource_type in ("ResearchStudy", "Group", "Location"):
                resources.setdefault(f"{resource.resource_type}/{resource.id}", resource)
            elif resource.resource_type in (None, "Bundle"):
                unreadable += 1
    studies = [one for one in resources.values() if one.resource_type == "ResearchStudy"]
    missing = {
        key
        for study in studies
        for reference in (*(study.enrollment or []), *(study.site or []))
        if (key := _key(reference)) and not key.startswith("#") and key not in resources
    }
    read = [_study(study, resources, vocabulary) for study in studies]
    relevant = tuple(study for study in read if study is not None)
    return ReadStudies(relevant, unreadable, tuple(sorted(missing)))


def _resources(page: bytes) -> Iterator[Raw | bytes]:
    try:
        bundle = _bundle.decode(page)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        yield page
        return
    if bundle.resource_type != "Bundle":
        yield page
        return
    yield from (entry.resource for entry in bundle.entry or [] if bytes(entry.resource) not in (b"", b"null"))


def _study(study: _Research, resources: Mapping[str, _Research], vocabulary: TrialVocabulary) -> Study | None:
    """The study, or None where it is about another disease."""
    contained = _contained(study)
    groups = [_resolve(one, resources, contained) for one in study.enrollment or []]
    places = [_resolve(one, resources, contained) for one in study.site or []]
    criteria, unread = _criteria(groups, vocabulary)
    relevance = read_relevance(
        _texts(study.condition), _texts(study.keyword), [study.title or ""], vocabulary
    )
    stated = {criterion.fact for criterion in criteria}
    if not relevance.is_relevant and not stated & _OF_THE_DISEASE:
        return None
    derived = tuple(one for one in relevance.criteria if one.fact not in stated)
    registry_id = _registry_id(study)
    status = study.status or ""
    return Study(
        id=registry_id or _own_id(study),
        title=study.title or study.id or "",
        origin=Origin.FHIR_SERVER,
        accrual=vocabulary.accrual(status),
        status=status,
        status_date=_day(study.meta.last_updated if study.meta else None),
        link=f"https://clinicaltrials.gov/study/{registry_id}" if registry_id else "",
        phase=_phase(study),
        interventions=tuple(arm.name for arm in study.arm or [] if arm.name),
        sites=tuple(_site(place) for place in places if place is not None),
        contact=_contact(study.contact or []),
        criteria=(*derived, *criteria),
        not_checked=(*relevance.not_checked, *[vocabulary.phrase("unreadable_criterion")] * bool(unread)),
        free_text=bool(study.description),
    )


def _criteria(
    groups: Iterable[_Research | None], vocabulary: TrialVocabulary
) -> tuple[tuple[Criterion, ...], int]:
    """The readable criteria, once each, and how many could not be read."""
    criteria: dict[Criterion, None] = {}
    unread = 0
    for group in groups:
        if group is None:
            unread += 1
            continue
        for characteristic in group.characteristic or []:
            criterion = read_characteristic(characteristic, vocabulary)
            if criterion is None:
                unread += 1
            else:
                criteria[criterion] = None
    return tuple(criteria), unread


def _texts(concepts: list[CodeableConcept] | None) -> list[str]:
    codings = [coding for concept in concepts or [] for coding in concept.coding or []]
    plain = [concept.text for concept in concepts or [] if concept.text]
    return [*plain, *(coding.display for coding in codings if coding.display)]


def _registry_id(study: _Research) -> str:
    values = (one.value or "" for one in study.identifier or [])
    return next((value for value in values if NCT_ID.fullmatch(value)), "")


def _own_id(study: _Research) -> str:
    values = [one.value for one in study.identifier or [] if one.value]
    return values[0] if values else f"ResearchStudy/{study.id}"


def _phase(study: _Research) -> str:
    codings = (study.phase.coding if study.phase else None) or []
    stated = [coding.code for coding in codings if coding.code]
    if not stated and study.phase is not None and study.phase.text:
        return study.phase.text
    return stated[0] if stated else ""


def _site(place: _Research) -> Site:
    position, address = place.position, place.address
    accrual = {"active": Accrual.OPEN, "suspended": Accrual.CLOSED, "inactive": Accrual.CLOSED}
    return Site(
        name=place.name or place.id or "",
        city=(address.city if address else None) or "",
        country=(address.country if address else None) or "",
        accrual=accrual.get(place.status or "", Accrual.UNKNOWN),
        latitude=position.latitude if position else None,
        longitude=position.longitude if position else None,
        contact=_contact([_Contact(telecom=place.telecom)]),
    )


def _contact(contacts: list[_Contact]) -> str:
    for contact in contacts:
        ways = [one.value for one in contact.telecom or [] if one.value]
        if contact.name or ways:
            return ", ".join([part for part in (contact.name, *ways) if part])
    return ""


def _contained(study: _Research) -> dict[str, _Research]:
    found = {}
    for raw in study.contained or []:
        try:
            resource = _research.decode(raw)
        except (msgspec.DecodeError, RecursionError):
            continue
        found[f"#{resource.id}"] = resource
    return found


def _resolve(
    reference: Reference, resources: Mapping[str, _Research], contained: Mapping[str, _Research]
) -> _Research | None:
    key = _key(reference)
    return contained.get(key) if key.startswith("#") else resources.get(key)


def _key(reference: Reference) -> str:
    """``Group/x`` of a relative or absolute reference, ``#x`` of a contained one, else empty."""
    text = (reference.reference or "").partition("/_history/")[0]
    if text.startswith("#"):
        return text
    return "/".join(text.split("/")[-2:]) if "/" in text else ""


def _day(text: str | None) -> Moment | None:
    try:
        return Moment.on(date.fromisoformat((text or "")[:10]))
    except ValueError:
        return None
