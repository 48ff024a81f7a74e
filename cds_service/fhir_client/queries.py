"""From a need of the rules to the requests that a server can answer (FHIR R4 search)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import quote

from cds_service.fhir_client.capability import Detail, Record
from cds_service.fhir_client.transport import Request
from cds_service.http.fhir_base import FhirBase
from fhir_mappings.assess import Question, Resource, UnreadableElement, codings_of, concept_of

LONGEST_QUERY = 1500
"""Bytes of a query in a URL that every server takes."""
SHORT_QUERY = 240
"""Bytes of a query that even gateways with short addresses let through."""
FORM = "application/x-www-form-urlencoded"
_PATIENT_ID = re.compile(r"[A-Za-z0-9\-._]{1,128}")
"""A FHIR id; the underscore and more than 64 characters are found in the field, not in FHIR."""


class Need(Protocol):
    """One clinical need, as the knowledge describes it."""

    @property
    def key(self) -> str: ...
    @property
    def resource_type(self) -> str: ...
    @property
    def codes(self) -> tuple[str, ...]: ...
    @property
    def patient_parameter(self) -> str: ...
    @property
    def sort(self) -> str: ...
    @property
    def count(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Search:
    """One need, or the part of a need whose codes fit in one URL, for one patient.

    ``resource_type`` is empty where pages of an unknown search are followed: any type is taken then.
    ``parameter`` carries the codes; ``bare`` sends them without their systems. ``limit`` is the number of
    results after which no further page is read; 0 reads them all.
    """

    key: str
    resource_type: str
    patient_parameter: str
    codes: tuple[str, ...]
    sort: str
    count: int
    patient_id: str
    parameter: str = "code"
    category: str = ""
    limit: int = 0
    bare: bool = False

    @property
    def is_read(self) -> bool:
        """The patient and medicines are read by id: every server can do that."""
        return self.resource_type in ("Patient", "Medication")


def usable_id(patient_id: str) -> bool:
    """Whether a patient id can stand in a query and in a path."""
    return _PATIENT_ID.fullmatch(patient_id) is not None and patient_id not in (".", "..")


@dataclass(frozen=True, slots=True)
class Survey:
    """The newest results of a chart, whatever their codes: what searches by code are held against."""

    key: str = "survey"
    resource_type: str = "Observation"
    codes: tuple[str, ...] = ()
    patient_parameter: str = "patient"
    sort: str = "-date"
    count: int = 200


SURVEY = Survey()
LABORATORY = "laboratory"
"""The category of the results that matter (FHIR observation-category)."""


def searches(need: Need, patient_id: str, local_codes: Sequence[str], record: Record) -> list[Search]:
    """The searches that together answer a need; one unless its codes are too long for one URL.

    ``local_codes`` are a tenant's own codes for the need (``system|code``).
    """
    # A need of another type without codes is for all resources of that type.
    narrowed = need.codes or need.resource_type == "Observation"
    codes = tuple(dict.fromkeys((*need.codes, *local_codes))) if narrowed else ()
    whole = Search(
        need.key, need.resource_type, need.patient_parameter, codes, need.sort, need.count, patient_id
    )
    if need.key == SURVEY.key:
        category = LABORATORY if record.habits.surveyed_by_category else ""
        return [replace(whole, limit=need.count, category=category)]
    return [part for way in _ways(whole, record) for part in _parts(way, record)]


def asked_again(need: Need, patient_id: str, record: Record) -> list[Search]:
    """The same need in other words: codes without their systems, in short queries.

    They pass where slashes, pipes or long addresses do not; results of other systems are told apart here.
    """
    whole = Search(
        need.key, need.resource_type, need.patient_parameter, need.codes, need.sort, need.count, patient_id
    )
    return chunked(replace(whole, bare=True), record, SHORT_QUERY)


def _ways(search: Search, record: Record) -> list[Search]:
    """A code may stand in a component: one parameter looks there too, or a second search does."""
    habits = record.habits
    if not search.codes or search.resource_type != "Observation":
        return [search]
    if habits.searches_components == "combo-code":
        return [replace(search, parameter="combo-code")]
    if habits.searches_components == "component-code":
        return [search, replace(search, parameter="component-code")]
    return [search]


def _parts(whole: Search, record: Record) -> list[Search]:
    if record.detail(whole.resource_type) >= Detail.PATIENT or record.posts_to(whole.resource_type):
        return [whole]
    return chunked(whole, record)


def chunked(search: Search, record: Record, longest: int = LONGEST_QUERY) -> list[Search]:
    """The same search as several, each below the longest query."""
    room = longest - len(_query(search, record, Detail.FULL, codes=())) - len(f"&{search.parameter}=")
    chunks: list[list[str]] = []
    used = room + 1
    for code in search.codes:
        size = len(quote(f"{_written(code, search)},", safe=""))
        if used + size > room:
            chunks.append([])
            used = 0
        chunks[-1].append(code)
        used += size
    return [_with_codes(search, tuple(chunk)) for chunk in chunks] or [search]


def request(search: Search, base: FhirBase, record: Record, detail: Detail) -> Request:
    """The request of a search. Long ones go by POST where the server is known to take that."""
    if search.is_read:
        return Request(f"{base.path}/Patient/{quote(search.patient_id, safe='')}", about=search.resource_type)
    query = _query(search, record, detail, search.codes)
    asked_by = search.parameter if search.codes and detail < Detail.PATIENT else ""
    path = f"{base.path}/{search.resource_type}"
    if len(query) > LONGEST_QUERY and record.posts_to(search.resource_type):
        return Request(f"{path}/_search", "POST", query.encode("ascii"), FORM, search.resource_type, asked_by)
    return Request(f"{path}?{query}", about=search.resource_type, asked_by=asked_by)


def question_of(search: Search, asked_by: str) -> Question:
    """The question that an answer is held against. ``asked_by`` is the parameter that carried the codes."""
    return Question(search.resource_type, search.codes, search.patient_id, asked_by)


def page_size(search: Search, record: Record) -> int:
    """The page size to ask for; 0 for none."""
    return record.habits.page(search.resource_type, search.count)


def asked_for(search: Search, resource: Resource) -> bool:
    """Whether a resource can be an answer to the search.

    Only a resource whose every coding is of a system that was asked for, with no code that was, is
    certainly none. One with a local code, text alone, components or members stays in.
    """
    if not search.codes:
        return True
    try:
        codings = codings_of(concept_of(resource.code))
    except UnreadableElement:
        return True
    if not codings or resource.component or resource.has_member:
        return True
    systems = {code.partition("|")[0] for code in search.codes}
    if any(coding.system not in systems or coding.code is None for coding in codings):
        return True
    return any(f"{coding.system}|{coding.code}" in search.codes for coding in codings)


def _written(code: str, search: Search) -> str:
    return code.partition("|")[2] if search.bare else code


def _with_codes(search: Search, codes: tuple[str, ...]) -> Search:
    return replace(search, codes=codes)


def _query(search: Search, record: Record, detail: Detail, codes: tuple[str, ...]) -> str:
    habits = record.habits
    typed = habits.reference_form == "typed" and search.patient_parameter != "_id"
    parts = [(search.patient_parameter, f"Patient/{search.patient_id}" if typed else search.patient_id)]
    category = search.category or habits.category.get(search.resource_type)
    if category:
        parts.append(("category", category))
    if codes and detail < Detail.PATIENT:
        parts.append((search.parameter, ",".join(_written(code, search) for code in codes)))
    if detail is Detail.FULL and search.sort and habits.sorts:
        parts.append(("_sort", search.sort))
    if detail in (Detail.FULL, Detail.PATIENT) and page_size(search, record):
        parts.append(("_count", str(page_size(search, record))))
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in parts)
