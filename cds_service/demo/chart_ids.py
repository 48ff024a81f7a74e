"""Making charts fit to stand beside each other on one server: ids of their own, references with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_mappings.records import RecordError

JsonObject = dict[str, Any]

_LONGEST_ID = 64


def with_own_ids(resources: list[JsonObject], patient_id: str) -> list[JsonObject]:
    """The resources with the patient's id put before their own, so that charts can share one server."""
    renamed = {
        f"{resource['resourceType']}/{resource['id']}": f"{patient_id}-{resource['id']}"
        for resource in resources
        if resource["resourceType"] != "Patient"
    }
    for new in renamed.values():
        if len(new) > _LONGEST_ID:
            raise RecordError(f"the id '{new}' is longer than {_LONGEST_ID}; shorten the patient's id")
    return [_renamed(resource, renamed) for resource in resources]


def _renamed(resource: JsonObject, renamed: Mapping[str, str]) -> JsonObject:
    own = f"{resource['resourceType']}/{resource['id']}"
    return {**_with_references(resource, renamed), "id": renamed.get(own, resource["id"])}


def _with_references(value: Any, renamed: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        copy = {key: _with_references(item, renamed) for key, item in value.items()}
        target = copy.get("reference")
        if isinstance(target, str) and target in renamed:
            copy["reference"] = f"{target.partition('/')[0]}/{renamed[target]}"
        return copy
    if isinstance(value, list):
        return [_with_references(item, renamed) for item in value]
    return value


def with_suffix(value: Any, suffix: str, key: str = "") -> Any:
    """The value with ``suffix`` behind every display string."""
    if not suffix:
        return value
    if isinstance(value, dict):
        return {name: with_suffix(item, suffix, name) for name, item in value.items()}
    if isinstance(value, list):
        return [with_suffix(item, suffix) for item in value]
    return f"{value}{suffix}" if key in ("display", "text") and isinstance(value, str) else value
