"""One study as a trial office writes it down, and how it becomes a study that can be matched."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from fhir_mappings.assess import Moment
from fhir_mappings.trials import (
    Accrual,
    Age,
    AgeSpan,
    AgeUnit,
    Criterion,
    Expected,
    FactKind,
    FactWords,
    OneOf,
    Origin,
    Site,
    Span,
    Study,
    TrialFact,
    TrialVocabulary,
)

Problem = tuple[tuple[str | int, ...], str, str]
"""Where in the entry, what is wrong, and what to do."""

_STATUS_REMEDY = "write recruiting, not-yet-recruiting or closed"
_MAX_AGE_COUNT = 200_000


def _https(text: str) -> str:
    """An https address without user information, or nothing."""
    if not text:
        return text
    try:
        parts = urlsplit(text)
        usable = parts.scheme == "https" and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or not text.isascii() or any(c.isspace() or c in '\\@<>"' for c in text):
        raise ValueError("write an address that starts with https://")
    return text


def _bound_text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise ValueError('write a number such as 0.01, or an age such as "18 years"')
    return str(value)


Bound = Annotated[str, BeforeValidator(_bound_text)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class CriterionEntry(_Entry):
    """``fact`` with ``any_of`` or ``none_of`` for values, or bounds for numbers and ages."""

    fact: TrialFact
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    at_least: Bound | None = None
    at_most: Bound | None = None
    above: Bound | None = None
    below: Bound | None = None


class SiteEntry(_Entry):
    """A place where the study runs."""

    name: str = Field(min_length=1, max_length=200)
    city: str = Field(default="", max_length=100)
    country: str = Field(default="", max_length=100)
    status: str = ""
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)
    contact: str = Field(default="", max_length=200)


class StudyEntry(_Entry):
    """One study of the catalogue."""

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$")
    title: str = Field(min_length=1, max_length=300)
    status: str
    status_date: datetime.date
    link: Annotated[str, AfterValidator(_https)] = ""
    phase: str = Field(default="", max_length=40)
    interventions: tuple[str, ...] = ()
    contact: str = Field(default="", max_length=200)
    sites: tuple[SiteEntry, ...] = ()
    criteria: tuple[CriterionEntry, ...] = ()
    not_checked: tuple[str, ...] = ()


def read_entry(table: Mapping[str, Any], vocabulary: TrialVocabulary) -> Study | list[Problem]:
    """The study, or every reason why the entry cannot stand."""
    try:
        entry = StudyEntry.model_validate(table)
    except ValidationError as error:
        shapes = [_shape_problem(detail) for detail in error.errors(include_url=False, include_input=False)]
        return [*shapes, *_further_problems(table, vocabulary)]
    problems = list(_status_problems(entry, vocabulary))
    criteria: list[Criterion] = []
    for number, one in enumerate(entry.criteria):
        try:
            criteria.append(_criterion(one, vocabulary.facts[one.fact]))
        except ValueError as error:
            problems.append((("criteria", number), f"{one.fact.value} cannot be matched", str(error)))
    return problems or _study(entry, tuple(criteria), vocabulary)


def _further_problems(table: Mapping[str, Any], vocabulary: TrialVocabulary) -> Iterator[Problem]:
    """What is wrong in the well-formed parts of an entry that is refused anyway: one look is enough."""
    status, criteria = table.get("status"), table.get("criteria")
    if isinstance(status, str) and vocabulary.accrual(status) is Accrual.UNKNOWN:
        yield ("status",), "unknown status", _STATUS_REMEDY
    for number, raw in enumerate(criteria if isinstance(criteria, list) else ()):
        try:
            one = CriterionEntry.model_validate(raw)
        except ValidationError:
            continue
        try:
            _criterion(one, vocabulary.facts[one.fact])
        except ValueError as error:
            yield ("criteria", number), f"{one.fact.value} cannot be matched", str(error)


def _shape_problem(detail: Any) -> Problem:
    location = tuple(detail["loc"])
    if detail["type"] == "extra_forbidden":
        return location, "unknown key", "remove it, or write it as the manual does"
    if detail["type"] == "missing":
        return location, "missing key", "add it"
    if location and location[-1] == "fact":
        return location, "unknown criterion", f"use one of {', '.join(fact.value for fact in TrialFact)}"
    return location, "wrong value", str(detail["msg"]).removeprefix("Value error, ")


def _status_problems(entry: StudyEntry, vocabulary: TrialVocabulary) -> Iterator[Problem]:
    if vocabulary.accrual(entry.status) is Accrual.UNKNOWN:
        yield ("status",), "unknown status", _STATUS_REMEDY
    for number, site in enumerate(entry.sites):
        if site.status and vocabulary.accrual(site.status) is Accrual.UNKNOWN:
            yield ("sites", number, "status"), "unknown status", _STATUS_REMEDY
        if (site.latitude is None) != (site.longitude is None):
            yield ("sites", number), "half a position", "write both latitude and longitude, or neither"


def _study(entry: StudyEntry, criteria: tuple[Criterion, ...], vocabulary: TrialVocabulary) -> Study:
    sites = tuple(
        Site(
            name=site.name,
            city=site.city,
            country=site.country,
            accrual=vocabulary.accrual(site.status) if site.status else Accrual.UNKNOWN,
            latitude=site.latitude,
            longitude=site.longitude,
            contact=site.contact,
        )
        for site in entry.sites
    )
    return Study(
        id=entry.id,
        title=entry.title,
        origin=Origin.CATALOGUE,
        accrual=vocabulary.accrual(entry.status),
        status=entry.status,
        status_date=Moment.on(entry.status_date),
        link=entry.link,
        phase=entry.phase,
        interventions=entry.interventions,
        sites=sites,
        contact=entry.contact,
        criteria=criteria,
        not_checked=entry.not_checked,
    )


def _criterion(entry: CriterionEntry, words: FactWords) -> Criterion:
    bounds = (entry.at_least, entry.at_most, entry.above, entry.below)
    has_bounds = any(bound is not None for bound in bounds)
    if words.kind in (FactKind.CODED, FactKind.THERAPIES):
        return _coded(entry, words, has_bounds)
    if entry.none_of or len(entry.any_of) > 1 or bool(entry.any_of) == has_bounds:
        raise ValueError("write at_least, at_most, above or below")
    if entry.any_of:
        return Criterion(words.fact, _named_span(entry.any_of[0], words))
    expected: Expected = _ages(entry) if words.kind is FactKind.AGE else _span(entry)
    return Criterion(words.fact, expected)


def _coded(entry: CriterionEntry, words: FactWords, has_bounds: bool) -> Criterion:
    if has_bounds or bool(entry.any_of) == bool(entry.none_of):
        raise ValueError("write either any_of or none_of")
    values = frozenset(entry.any_of or entry.none_of)
    if unknown := sorted(values - words.values.keys()):
        raise ValueError(f"{unknown[0]!r} is unknown: use one of {', '.join(words.values)}")
    return Criterion(words.fact, OneOf(values), exclude=bool(entry.none_of))


def _named_span(value: str, words: FactWords) -> Span:
    if value not in words.spans:
        named = ", ".join(words.spans)
        raise ValueError(f"use any_of = [{named}] or bounds" if named else "write bounds instead of any_of")
    return words.spans[value]


def _span(entry: CriterionEntry) -> Span:
    _only_one_each(entry)
    low = entry.at_least if entry.above is None else entry.above
    high = entry.at_most if entry.below is None else entry.below
    span = Span(_decimal(low), _decimal(high), entry.above is not None, entry.below is not None)
    if span.low is not None and span.high is not None and span.low > span.high:
        raise ValueError("the lower bound is above the upper bound: exchange them")
    return span


def _ages(entry: CriterionEntry) -> AgeSpan:
    if entry.above is not None or entry.below is not None:
        raise ValueError('write at_least = "1 years" and at_most = "17 years" (completed years)')
    return AgeSpan(_age(entry.at_least), _age(entry.at_most))


def _only_one_each(entry: CriterionEntry) -> None:
    if (entry.at_least is not None and entry.above is not None) or (
        entry.at_most is not None and entry.below is not None
    ):
        raise ValueError("write one lower and one upper bound at most")


def _decimal(bound: str | None) -> Decimal | None:
    if bound is None:
        return None
    try:
        number = Decimal(bound)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise ValueError("write a number such as 0.01")
    return number


def _age(bound: str | None) -> Age | None:
    if bound is None:
        return None
    count, _, unit = bound.strip().partition(" ")
    unit = unit.strip().lower()
    named = unit if unit.endswith("s") else f"{unit}s"
    if not (count.isascii() and count.isdecimal()) or named not in {one.value for one in AgeUnit}:
        raise ValueError('write an age with its unit, such as "18 years" or "6 months"')
    if int(count) > _MAX_AGE_COUNT:
        raise ValueError("write an age a person can have")
    return Age(int(count), AgeUnit(named))
