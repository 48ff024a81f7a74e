"""Walking to the elements of a resource that a search parameter looks at."""

from __future__ import annotations

from typing import Any

from cds_service.demo.sandbox.outcomes import JsonObject
from cds_service.demo.sandbox.parameters import SearchParameter


def values_at(resource: JsonObject, path: str) -> list[Any]:
    """Every value at a dotted path, lists taken apart at each step."""
    found: list[Any] = [resource]
    for name in path.split("."):
        found = [item for value in found if isinstance(value, dict) for item in _as_list(value.get(name))]
    return found


def values_of(resource: JsonObject, parameter: SearchParameter) -> list[Any]:
    """Every value that a search parameter looks at."""
    return [value for path in parameter.elements for value in values_at(resource, path)]


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
