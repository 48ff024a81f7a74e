"""Whether a resource satisfies one search criterion (FHIR R4 search, 3.1.1.4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cds_service.demo.sandbox.elements import values_of
from cds_service.demo.sandbox.intervals import interval_of, parse_interval, satisfies
from cds_service.demo.sandbox.outcomes import JsonObject, invalid
from cds_service.demo.sandbox.parameters import Kind, SearchParameter

_PREFIXED = re.compile(r"(eq|ne|gt|ge|lt|le|sa|eb)?(\d.*)", re.DOTALL)
_NOT_ESCAPED_COMMA = re.compile(r"(?<!\\)((?:\\\\)*),")
_MODIFIERS = {
    Kind.TOKEN: {"", "not", "missing"},
    Kind.REFERENCE: {"", "missing"},
    Kind.DATE: {"", "missing"},
    Kind.STRING: {"", "exact", "contains", "missing"},
}


@dataclass(frozen=True, slots=True)
class Criterion:
    """One search parameter of a query; a resource needs to satisfy any one of the ``values``.

    The values are as written, escapes included. ``base`` is the server's own address, so that
    absolute references to it are known.
    """

    parameter: SearchParameter
    modifier: str
    values: tuple[str, ...]
    base: str

    def matches(self, resource: JsonObject) -> bool:
        """Whether the resource satisfies the criterion."""
        found = values_of(resource, self.parameter)
        if self.modifier == "missing":
            return (not found) == (self.values[0] == "true")
        match = _MATCHERS[self.parameter.kind]
        hit = any(match(value, sought, self) for value in found for sought in self.values)
        return not hit if self.modifier == "not" else hit

    def is_within(self, patient_id: str) -> bool:
        """False when the criterion names a patient other than this one."""
        if self.parameter.kind is not Kind.REFERENCE or self.modifier:
            return True
        named = [_relative(_unescape(value), self.base) for value in self.values]
        return all(
            name.removeprefix("Patient/") == patient_id
            for name in named
            if name.startswith("Patient/") or self.parameter.target == "Patient"
        )


def criterion(parameter: SearchParameter, modifier: str, text: str, base: str) -> Criterion:
    """A checked criterion.

    Raises:
        FhirError: 400, when the modifier or a value does not fit the parameter.
    """
    name = parameter.name
    if parameter.kind is Kind.REFERENCE and modifier and modifier == parameter.target:
        modifier = ""
    if modifier not in _MODIFIERS[parameter.kind]:
        raise invalid(f"The modifier :{modifier} of {name} is not supported. Leave it out.")
    values = split_values(text)
    if not all(values):
        raise invalid(f"{name} has no value. Give a value or leave the parameter out.")
    if modifier == "missing":
        if values not in (("true",), ("false",)):
            raise invalid(f"{name}:missing takes true or false.")
    elif parameter.kind is Kind.DATE:
        for value in values:
            _check_date(name, value)
    return Criterion(parameter, modifier, values, base)


def split_values(text: str) -> tuple[str, ...]:
    """The comma-separated alternatives of a value; an escaped comma does not separate."""
    return tuple(_NOT_ESCAPED_COMMA.sub("\\1\0", text).split("\0"))


def _check_date(name: str, value: str) -> None:
    shape = _PREFIXED.fullmatch(value)
    try:
        if shape is None:
            raise ValueError("neither a prefix nor a digit")
        parse_interval(shape[2])
    except (ValueError, OverflowError) as fault:
        raise invalid(
            f"{name} needs a date such as ge2024-06-01, with a prefix of eq ne gt ge lt le sa eb or none."
        ) from fault


def _unescape(text: str) -> str:
    return re.sub(r"\\([\\,|$])", r"\1", text)


def _token_matches(found: Any, sought: str, _: Criterion) -> bool:
    system, bar, code = _split_token(sought)
    return any(
        (not code or code == has_code) and (not bar or has_system in (None, system))
        for has_system, has_code in _tokens(found)
    )


def _split_token(sought: str) -> tuple[str, str, str]:
    shape = re.fullmatch(r"((?:[^|\\]|\\.)*)(\|?)((?:[^\\]|\\.)*)", sought, re.DOTALL)
    if shape is None:
        return "", "", sought
    if not shape[2]:
        return "", "", _unescape(shape[1])
    return _unescape(shape[1]), "|", _unescape(shape[3])


def _tokens(found: Any) -> Iterator[tuple[str | None, str]]:
    """The (system, code) pairs of an element; system None where the data type implies it."""
    if isinstance(found, bool):
        yield None, "true" if found else "false"
    elif isinstance(found, str):
        yield None, found
    elif isinstance(found, dict) and "coding" in found:
        for coding in found["coding"]:
            yield coding.get("system", ""), coding.get("code", "")
    elif isinstance(found, dict) and "text" not in found:
        yield found.get("system", ""), str(found.get("code", found.get("value", "")))


def _reference_matches(found: Any, sought: str, query: Criterion) -> bool:
    has = _relative(found.get("reference", ""), query.base) if isinstance(found, dict) else ""
    wanted = _relative(_unescape(sought), query.base)
    target = query.parameter.target
    if "/" not in wanted:
        return bool(has) and has.rpartition("/")[2] == wanted and (not target or has == f"{target}/{wanted}")
    return has == wanted and (not target or ":" in wanted or wanted.startswith(f"{target}/"))


def _relative(reference: str, base: str) -> str:
    """A reference without our own base and without a version."""
    return reference.removeprefix(f"{base}/").partition("/_history/")[0]


def _date_matches(found: Any, sought: str, _: Criterion) -> bool:
    shape = _PREFIXED.fullmatch(sought)
    has = interval_of(found)
    if shape is None or has is None:
        return False
    return satisfies(shape[1] or "eq", parse_interval(shape[2]), has)


def _string_matches(found: Any, sought: str, query: Criterion) -> bool:
    if not isinstance(found, str):
        return False
    wanted = _unescape(sought)
    if query.modifier == "exact":
        return found == wanted
    text, part = found.casefold(), wanted.casefold()
    return part in text if query.modifier == "contains" else text.startswith(part)


_MATCHERS: Mapping[Kind, Callable[[Any, str, Criterion], bool]] = {
    Kind.TOKEN: _token_matches,
    Kind.REFERENCE: _reference_matches,
    Kind.DATE: _date_matches,
    Kind.STRING: _string_matches,
}
