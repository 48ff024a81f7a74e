"""Prefetch: the templates that discovery offers, and what the data that arrive under each key mean.

The decision table is that of CDS Hooks, "Prefetch Template": a key that is missing, failed, partial or of
the wrong kind is unknown and never reads as "no data".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from cds_service.http.problem import Problem, Refusal
from cds_service.settings.model import NOBODY, Tenant
from fhir_mappings.assess import (
    DATA_EMPTY,
    DATA_PRESENT,
    Availability,
    Decoded,
    Entry,
    NeedState,
    Question,
    Resource,
    Unreadable,
    judge_answer,
    named_codes,
    older_version,
    total_of,
)

if TYPE_CHECKING:
    from fhir_mappings.assess import Need

LONGEST_TEMPLATE = 1500
"""Characters; EHRs cut or refuse longer queries."""

REPORTS = "reports"
"""The need of reports in words."""

NOT_SUPPLIED = NeedState(Availability.UNKNOWN, "not-supplied")
TRUNCATED = NeedState(Availability.UNKNOWN, "truncated")

_ASKED_AGAIN = frozenset({"wrong-type", "unreadable", "truncated", "query-changed", "not-fhir"})
"""Why an answer means nothing although the client did not say that it failed: the server may be asked."""


@dataclass(frozen=True, slots=True)
class PrefetchedNeed:
    """What one need's key held.

    ``may_query`` is False where the client has tried and failed, or said that there are no data: asking
    the FHIR server again would be an unneeded query. ``next_url`` is the rest of a paginated result.
    """

    state: NeedState
    entries: Sequence[Entry] = ()
    unreadable: tuple[Unreadable, ...] = ()
    next_url: str = ""
    may_query: bool = False


_MISSING = PrefetchedNeed(NOT_SUPPLIED, may_query=True)


@dataclass(frozen=True, slots=True)
class Prefetched:
    """Everything that arrived: by need, and the entries that came under keys of no need."""

    needs: Mapping[str, PrefetchedNeed]
    others: tuple[Entry, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def entries(self) -> list[Entry]:
        """Every entry, whatever its key."""
        found = list(self.others)
        for need in self.needs.values():
            found.extend(need.entries)
        return found

    @property
    def unreadables(self) -> list[Unreadable]:
        """Every entry that could not be understood."""
        found = list(self.unreadable)
        for need in self.needs.values():
            found.extend(need.unreadable)
        return found


def templates(
    needs: Iterable[Need], tenants: Sequence[Tenant] = (), concepts: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The prefetch templates of discovery, one key for each need.

    Only the recommended query subset, no parameter twice, and the local codes of every tenant. A need for
    coded results that no code narrows is left out: it would ask for the whole chart. ``concepts`` names
    the need of each concept, since a tenant may list local codes by either.
    """
    found: dict[str, str] = {}
    for need in needs:
        if not is_asked(need, tenants):
            continue
        codes = codes_of(need, tenants, concepts or {})
        if codes or not need.coded:
            found[need.key] = _template(need, codes)
    return found


def is_asked(need: Need, tenants: Sequence[Tenant]) -> bool:
    """Whether any tenant wants this need asked for: documents on request, reports unless left alone."""
    if need.key == REPORTS and tenants:
        return any(tenant.report_text != "off" for tenant in tenants)
    if need.on_request:
        return any(tenant.documents and tenant.report_text != "off" for tenant in tenants)
    return True


def codes_of(need: Need, tenants: Sequence[Tenant], concepts: Mapping[str, str]) -> tuple[str, ...]:
    """The codes that narrow a need, with the local codes of the tenants; none: it is not narrowed."""
    if not need.coded:
        return need.codes
    local = (
        code
        for tenant in tenants
        for name, codes in tenant.codes.items()
        if concepts.get(name, name) == need.key
        for code in codes
    )
    return tuple(dict.fromkeys((*need.codes, *local)))


def _template(need: Need, codes: tuple[str, ...]) -> str:
    patient = "{{context.patientId}}"
    if need.resource_type == "Patient":
        return f"Patient/{patient}"
    head = f"{need.resource_type}?{need.patient_parameter}={patient}"
    tail = f"&_sort={need.sort}" if need.sort else ""
    tail += f"&_count={need.count}" if need.count else ""
    # Some gateways turn "//" into "/" even inside a query, so every reserved character is encoded.
    code = f"&code={quote(','.join(codes), safe='')}" if codes else ""
    whole = head + code + tail
    return whole if len(whole) <= LONGEST_TEMPLATE else head + tail


_ANYTHING = Question()


@dataclass(frozen=True, slots=True)
class PrefetchTable:
    """How prefetched data are read for one caller: by key, and by type and code under any other key."""

    needs: Mapping[str, Need]
    keys: Mapping[str, str] = field(default_factory=dict)
    null_is_data: bool = True
    askable: Mapping[str, Need] = field(default_factory=dict)
    """The needs as they are asked of a server, with the local codes; without those no code narrows."""
    by_type: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by_code: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    questions: Mapping[str, Question] = field(default_factory=dict)
    """What each need's template asks for, to hold the answers against."""

    @classmethod
    def of(
        cls,
        needs: Iterable[Need],
        tenant: Tenant = NOBODY,
        concepts: Mapping[str, str] | None = None,
    ) -> PrefetchTable:
        """The table for a tenant's data."""
        every = tuple(needs)
        tenants = (tenant,)
        narrowing = {need.key: codes_of(need, tenants, concepts or {}) for need in every}
        by_type: dict[str, tuple[str, ...]] = {}
        by_code: dict[tuple[str, str], tuple[str, ...]] = {}
        for need in every:
            codes = narrowing[need.key]
            for code in codes:
                place = (need.resource_type, code)
                by_code[place] = (*by_code.get(place, ()), need.key)
            if not codes and not need.coded:
                by_type[need.resource_type] = (*by_type.get(need.resource_type, ()), need.key)
        keys = dict(tenant.prefetch_keys)
        null_is_data = tenant.null_means == "empty"
        askable = {
            need.key: need if narrowing[need.key] == need.codes else replace(need, codes=narrowing[need.key])
            for need in every
            if (narrowing[need.key] or not need.coded) and is_asked(need, tenants)
        }
        named = {need.key: need for need in every}
        questions = {
            need.key: Question(need.resource_type, narrowing[need.key] if need.coded else ())
            for need in every
        }
        return cls(named, keys, null_is_data, askable, by_type, by_code, questions)

    def read(self, prefetch: Mapping[str, Decoded | None]) -> Prefetched:
        """What the prefetch says about every need. Raises Refusal where the data are not FHIR R4."""
        found: dict[str, PrefetchedNeed] = {}
        others: list[Entry] = []
        unreadable: list[Unreadable] = []
        unassigned: list[PrefetchedNeed] = []
        for key, value in prefetch.items():
            name = self.keys.get(key, key)
            if name in self.needs:
                part = self.read_key(self.needs[name], value)
                found[name] = _together(found[name], part) if name in found else part
            elif value is not None:
                unassigned.append(_prefetched(value, _ANYTHING))
        for part in unassigned:
            others.extend(part.entries)
            unreadable.extend(part.unreadable)
            if part.state == DATA_PRESENT:
                self._recognise(part.entries, found, prefetch)
        for name in self.needs:
            found.setdefault(name, _MISSING)
        return Prefetched(found, tuple(others), tuple(unreadable))

    def read_key(self, need: Need, value: Decoded | None) -> PrefetchedNeed:
        """What arrived under the key of one need (the decision table)."""
        if value is None:
            if need.resource_type == "Patient":
                return PrefetchedNeed(NOT_SUPPLIED, may_query=True)
            return PrefetchedNeed(DATA_EMPTY, may_query=not self.null_is_data)
        part = _prefetched(value, self.questions[need.key])
        if part.state == DATA_EMPTY and need.resource_type == "Patient":
            return PrefetchedNeed(NOT_SUPPLIED, may_query=True)
        if part.state == DATA_PRESENT and _may_go_on(value.resource, part.entries, need):
            return replace(part, state=TRUNCATED, may_query=True)
        return part

    def _recognise(
        self,
        entries: Iterable[Entry],
        found: dict[str, PrefetchedNeed],
        prefetch: Mapping[str, Decoded | None],
    ) -> None:
        """Data under a key of the EHR's own stand for the needs whose type and codes they have."""
        for entry in entries:
            if entry.resource is None:
                continue
            for name in self._needs_of(entry.resource):
                if name not in prefetch:
                    found.setdefault(name, PrefetchedNeed(DATA_PRESENT))

    def _needs_of(self, resource: Resource) -> Iterable[str]:
        kind = resource.resource_type or ""
        yield from self.by_type.get(kind, ())
        for code in named_codes(resource.code):
            yield from self.by_code.get((kind, code), ())


def _is_a(entry: Entry, resource_type: str) -> bool:
    return entry.resource is not None and entry.resource.resource_type == resource_type


def _may_go_on(bundle: Resource, entries: Sequence[Entry], need: Need) -> bool:
    """A page that is full and names no total may be the first of several."""
    if bundle.resource_type != "Bundle" or not 0 < need.count <= len(entries) or total_of(bundle) is not None:
        return False
    return sum(_is_a(entry, need.resource_type) for entry in entries) >= need.count


def _together(one: PrefetchedNeed, other: PrefetchedNeed) -> PrefetchedNeed:
    """Two keys of the EHR for one need: known only if both are."""
    states = (one.state, other.state)
    unknown = next((state for state in states if state.availability is Availability.UNKNOWN), None)
    return PrefetchedNeed(
        unknown or (DATA_PRESENT if DATA_PRESENT in states else DATA_EMPTY),
        (*one.entries, *other.entries),
        one.unreadable + other.unreadable,
        # Two results that go on cannot be followed as one, so both are asked for anew.
        "" if one.next_url and other.next_url else one.next_url or other.next_url,
        one.may_query or other.may_query or bool(one.next_url and other.next_url),
    )


def _prefetched(value: Decoded, question: Question) -> PrefetchedNeed:
    """What a value says: data, none, failed, partial or unreadable. Raises Refusal (wrong-version)."""
    found = judge_answer(value, question)
    if found.reason == "wrong-version":
        _refuse_older(found.entries)
    may_query = found.reason in _ASKED_AGAIN and not found.next_url
    return PrefetchedNeed(found.state, found.entries, found.unreadable, found.next_url or "", may_query)


def _refuse_older(entries: Iterable[Entry]) -> None:
    for entry in entries:
        resource = entry.resource
        version = older_version(resource) if resource is not None else ""
        if resource is not None and version:
            shape = f"{resource.resource_type} resources have the shape of FHIR {version}"
            raise Refusal(Problem.WRONG_VERSION, shape)
