"""FHIR R4 ResearchStudy, Group and Location -> studies.

``ResearchStudy.enrollment`` names a Group whose ``characteristic`` entries are the machine-readable
criteria. A characteristic that cannot be read is never dropped silently: the study then says that
one of its criteria was not checked, and the list is not complete.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.trials.relevance import read_relevance
from fhir_mappings.clinical.trials.study import (
    Accrual,
    Age,
    AgeSpan,
    AgeUnit,
    Criterion,
    Expected,
    OneOf,
    Origin,
    Site,
    Span,
    Study,
    TrialFact,
)
from fhir_mappings.clinical.trials.vocabulary import FactKind, FactWords, TrialVocabulary
from fhir_mappings.fhir.elements import CodeableConcept, Identifier, Meta, Quantity, Range, Reference

NCT_ID = re.compile(r"NCT[0-9]{8}")
_AGE_UNITS = {
    "a": AgeUnit.YEARS, "year": AgeUnit.YEARS, "years": AgeUnit.YEARS,
    "mo": AgeUnit.MONTHS, "month": AgeUnit.MONTHS, "months": AgeUnit.MONTHS,
    "wk": AgeUnit.WEEKS, "week": AgeUnit.WEEKS, "weeks": AgeUnit.WEEKS,
    "d": AgeUnit.DAYS, "day": AgeUnit.DAYS, "days": AgeUnit.DAYS,
}  # fmt: skip
_OF_THE_DISEASE = {TrialFact.DISEASE, TrialFact.LINEAGE}
"""Criteria that show by themselves that a study is about acute lymphoblastic leukaemia."""
_COMPARATORS = {
    "<": ("high", True), "<=": ("high", False), ">=": ("low", False), ">": ("low", True),
}  # fmt: skip


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


class _Characteristic(Struct, rename="camel"):
    code: CodeableConcept | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_boolean: bool | None = None
    value_quantity: Quantity | None = None
    value_range: Range | None = None
    exclude: bool | None = None


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
    characteristic: list[_Characteristic] | None = None
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


def _study(
    study: _Research, resources: Mapping[str, _Research], vocabulary: TrialVocabulary
) -> Study | None:
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


def read_characteristic(characteristic: _Characteristic, vocabulary: TrialVocabulary) -> Criterion | None:
    """A Group.characteristic as a criterion; None when code, value or unit is not in the vocabulary."""
    known = vocabulary.fact_of_code
    fact = next((known[key] for key in _codes(characteristic.code) if key in known), None)
    if fact is None:
        return None
    expected = _expected(characteristic, vocabulary.facts[fact])
    return None if expected is None else Criterion(fact, expected, bool(characteristic.exclude))


def _expected(characteristic: _Characteristic, words: FactWords) -> Expected | None:
    if characteristic.value_codeable_concept is not None:
        return _expected_code(characteristic.value_codeable_concept, words)
    if characteristic.value_boolean is not None:
        value = _boolean_value(words, characteristic.value_boolean)
        return OneOf(frozenset({value})) if value else None
    if characteristic.value_range is not None:
        return _expected_range(characteristic.value_range, words)
    if characteristic.value_quantity is not None:
        return _expected_quantity(characteristic.value_quantity, words)
    return None


def _boolean_value(words: FactWords, value: bool) -> str:
    """``true`` and ``false`` for facts that are answered yes or no, positive or negative."""
    pairs = (("yes", "no"), ("positive", "negative"), ("involved", "not-involved"))
    found = next((pair for pair in pairs if set(pair) <= words.values.keys()), ("", ""))
    return found[0] if value else found[1]


def _expected_code(concept: CodeableConcept, words: FactWords) -> Expected | None:
    for key in _codes(concept):
        value = words.value_codes.get(key, "")
        if value in words.values:
            return OneOf(frozenset({value}))
        if value in words.spans:
            return words.spans[value]
    return None


def _expected_range(value: Range, words: FactWords) -> Expected | None:
    low, high = value.low, value.high
    if low is None and high is None:
        return None
    if words.kind is FactKind.AGE:
        youngest = _age(low) if low else None
        oldest = _age(high) if high else None
        unread = (low is not None and youngest is None) or (high is not None and oldest is None)
        return None if unread else AgeSpan(youngest, oldest)
    least = _number(low, words) if low else None
    most = _number(high, words) if high else None
    unread = (low is not None and least is None) or (high is not None and most is None)
    return None if unread or words.kind is not FactKind.NUMBER else Span(least, most)


def _expected_quantity(value: Quantity, words: FactWords) -> Expected | None:
    if value.comparator is not None and value.comparator not in _COMPARATORS:
        return None
    side, is_open = _COMPARATORS.get(value.comparator or "", ("", False))
    if words.kind is FactKind.AGE:
        return _expected_age(value, side, is_open)
    number = _number(value, words)
    if number is None or words.kind is not FactKind.NUMBER:
        return None
    if not side:
        return Span(number, number)
    return Span(low=number, low_open=is_open) if side == "low" else Span(high=number, high_open=is_open)


def _expected_age(value: Quantity, side: str, is_open: bool) -> AgeSpan | None:
    """Completed units: ``< 18 years`` lasts until the 18th birthday, ``> 18 years`` starts at the 19th."""
    age = _age(value)
    if age is None:
        return None
    if side == "low":
        return AgeSpan(low=Age(age.count + is_open, age.unit))
    if side == "high":
        return AgeSpan(high=Age(age.count - is_open, age.unit)) if age.count >= is_open else None
    return AgeSpan(age, age)


def _age(quantity: Quantity) -> Age | None:
    unit = _AGE_UNITS.get(quantity.code or "") or _AGE_UNITS.get((quantity.unit or "").lower())
    number = quantity.value
    if unit is None or number is None or number < 0 or number != int(number) or number > 100_000:
        return None
    return Age(int(number), unit)


def _number(quantity: Quantity, words: FactWords) -> Decimal | None:
    """The value in the fact's own unit; None where the unit is unknown."""
    if quantity.value is None or not quantity.value.is_finite():
        return None
    unit = quantity.code or quantity.unit or ""
    if not words.unit:
        return quantity.value if unit in ("", "1", "{score}") else None
    factor = words.units.get(unit)
    return None if factor is None else quantity.value * factor


def _texts(concepts: list[CodeableConcept] | None) -> list[str]:
    codings = [coding for concept in concepts or [] for coding in concept.coding or []]
    plain = [concept.text for concept in concepts or [] if concept.text]
    return [*plain, *(coding.display for coding in codings if coding.display)]


def _codes(concept: CodeableConcept | None) -> Iterator[str]:
    for coding in (concept.coding if concept else None) or []:
        yield f"{coding.system}|{coding.code}"


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


