"""What is wrong with a configuration, told with its key, the shape of what stands there and the remedy."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from cds_service.http.validation import REMEDIES, remedy_of

_REMEDIES = {
    **REMEDIES,
    "missing": "add it",
    "string_type": "write a text in quotes",
    "path_type": "write a path in quotes",
    "tuple_type": "write a list in square brackets",
    "mapping_type": "write a table",
    "dict_type": "write a table",
    "model_type": "write a table",
}
_FORMS = {
    "id": "write up to 64 letters, digits, dots, hyphens or underscores, a letter or digit first",
    "smart_client_id": "write it without spaces, in plain characters",
}
"""By key, where a value has a form of its own."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a configuration: the key, the shape of what stands there, and what to do."""

    key: str
    shape: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.key}: {self.shape}; {self.remedy}"


class SettingsError(ValueError):
    """The configuration cannot be used. ``faults`` holds every fault found."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


def faults_of(error: ValidationError) -> list[Fault]:
    """Every fault of values that do not have the form of the settings. No value is quoted."""
    details = error.errors(include_url=False, include_context=False, include_input=True)
    return [_fault(detail) for detail in details]


def _fault(detail: ErrorDetails) -> Fault:
    key = ""
    for part in detail["loc"]:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else str(part)
    if detail["type"] == "extra_forbidden":
        return Fault(key, "no such key", "correct the name or remove it")
    if detail["type"] == "missing":
        return Fault(key, "missing", "add it")
    remedy = remedy_of(detail, _FORMS, _REMEDIES)
    return Fault(key, _shape(detail["input"]), remedy[:1].lower() + remedy[1:])


def _shape(value: object) -> str:
    match value:
        case bool():
            return "a boolean stands here"
        case int() | float():
            return "a number stands here"
        case str() if len(value) == 1:
            return "text of 1 character stands here"
        case str():
            return f"text of {len(value)} characters stands here"
        case list() | tuple():
            return f"a list of {len(value)} stands here"
        case dict():
            return "a table stands here"
    return "a value of another type stands here"
