"""Reading a search: its criteria, order and page size, and what was left aside (FHIR R4 search)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from cds_service.demo.sandbox.matching import Criterion, criterion
from cds_service.demo.sandbox.ordering import Order, parse_order
from cds_service.demo.sandbox.outcomes import invalid, not_found
from cds_service.demo.sandbox.parameters import PARAMETERS, SearchParameter

DEFAULT_COUNT = 50
MAXIMUM_COUNT = 500
_JSON_FORMATS = {"json", "application/json", "application/fhir+json", "application/fhir json", "text/json"}


@dataclass(frozen=True, slots=True)
class Query:
    """A search as understood. ``used`` holds the parameters that were applied, for the self link."""

    resource_type: str
    criteria: tuple[Criterion, ...]
    order: tuple[Order, ...]
    count: int
    with_total: bool
    used: tuple[tuple[str, str], ...]

    @property
    def self_query(self) -> str:
        """The applied parameters as a URL query."""
        return "&".join(f"{quote(name, safe=':')}={quote(value, safe=',:/|')}" for name, value in self.used)


def parse_query(resource_type: str, pairs: Sequence[tuple[str, str]], base: str, *, strict: bool) -> Query:
    """The search that the parameters ask for.

    Unknown parameters are left out, or refused when ``strict`` (``Prefer: handling=strict``).

    Raises:
        FhirError: 404 for a resource type not held here; 400 for a parameter that cannot be applied.
    """
    known = PARAMETERS.get(resource_type)
    if known is None:
        raise not_found(f"The resource type {resource_type[:64]}")
    criteria: list[Criterion] = []
    used: list[tuple[str, str]] = []
    order: tuple[Order, ...] = ()
    count, with_total = DEFAULT_COUNT, True
    for name, value in pairs:
        match name:
            case "_sort":
                order, applied = parse_order(value, known, strict=strict)
                if not applied:
                    continue
                value = applied
            case "_count":
                count = _count(value)
                value = str(count)
            case "_total":
                with_total = _total(value)
            case "_format":
                _check_format(value)
            case _:
                found = _search_parameter(name, known, strict=strict)
                if found is None:
                    continue
                criteria.append(criterion(found, name.partition(":")[2], value, base))
        used.append((name, value))
    return Query(resource_type, tuple(criteria), order, count, with_total, tuple(used))


def _search_parameter(
    name: str, known: Mapping[str, SearchParameter], *, strict: bool
) -> SearchParameter | None:
    plain = name.partition(":")[0]
    if "." in name or plain == "_has":
        raise invalid("Chained search is not supported. Search by the elements of the resource itself.")
    found = known.get(plain)
    if found is None and strict:
        raise invalid("The search has a parameter that is not supported; see /metadata for those that are.")
    return found


def _count(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise invalid("_count needs a whole number, zero or more.")
    return min(int(value), MAXIMUM_COUNT)


def _total(value: str) -> bool:
    if value not in ("none", "estimate", "accurate"):
        raise invalid("_total takes none, estimate or accurate.")
    return value != "none"


def _check_format(value: str) -> None:
    if value.partition(";")[0] not in _JSON_FORMATS:
        raise invalid("_format must be json: this server speaks JSON only.")
