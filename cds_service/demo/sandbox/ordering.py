"""Sorting of search results (FHIR R4 search, 3.1.1.5.1 _sort)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cds_service.demo.sandbox.elements import values_of
from cds_service.demo.sandbox.intervals import interval_of
from cds_service.demo.sandbox.outcomes import JsonObject, invalid
from cds_service.demo.sandbox.parameters import Kind, SearchParameter
from cds_service.demo.sandbox.repository import Stored


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key."""

    parameter: SearchParameter
    descending: bool


def parse_order(
    text: str, known: Mapping[str, SearchParameter], *, strict: bool
) -> tuple[tuple[Order, ...], str]:
    """The sort keys of a ``_sort`` value, and the text of those that are known here.

    Raises:
        FhirError: 400 for an unknown key when ``strict``.
    """
    orders, applied = [], []
    for key in text.split(","):
        parameter = known.get(key.removeprefix("-"))
        if parameter is not None:
            orders.append(Order(parameter, key.startswith("-")))
            applied.append(key)
        elif strict:
            raise invalid("_sort names a parameter that is not supported; see /metadata for those that are.")
    return tuple(orders), ",".join(applied)


def in_order(found: Sequence[Stored], orders: Sequence[Order]) -> tuple[Stored, ...]:
    """The resources sorted; those without a value come last, ties keep the order of writing."""
    result = list(found)
    for order in reversed(orders):
        result = _by_one_key(result, order)
    return tuple(result)


def _by_one_key(found: Sequence[Stored], order: Order) -> list[Stored]:
    keys = {stored.id: _keys(stored.resource, order.parameter) for stored in found}
    having = [stored for stored in found if keys[stored.id]]
    lacking = [stored for stored in found if not keys[stored.id]]
    pick = max if order.descending else min
    having.sort(key=lambda stored: pick(keys[stored.id]), reverse=order.descending)
    return having + lacking


def _keys(resource: JsonObject, parameter: SearchParameter) -> list[Any]:
    values = values_of(resource, parameter)
    if parameter.kind is Kind.DATE:
        return [interval.start for value in values if (interval := interval_of(value)) is not None]
    return [text for value in values if (text := _text(value))]


def _text(value: Any) -> str:
    """What a value of another type sorts by: display text, code or reference."""
    if not isinstance(value, dict):
        return str(value).casefold()
    coding: JsonObject = next(iter(value.get("coding", ())), {})
    candidates = (value.get("text"), coding.get("display"), coding.get("code"), value.get("reference"))
    return next((str(text).casefold() for text in candidates if text), str(value.get("value", "")))
