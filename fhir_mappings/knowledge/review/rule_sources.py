"""The source text of a rule: its functions and everything of this package that they use."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from functools import cache
from importlib import import_module
from textwrap import dedent
from types import FunctionType
from typing import Any

_PACKAGE = "fhir_mappings."
_NAME = re.compile(r"[A-Za-z_]\w*")


class NoSuchRule(LookupError):
    """A dotted name that leads to no function of this package."""


def resolve(dotted: str) -> Any:
    """The function or class of a dotted name. Raises NoSuchRule."""
    module, _, name = dotted.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        raise NoSuchRule(dotted) from None


def sources_of(names: Iterable[str]) -> Mapping[str, str]:
    """Source texts by dotted name: the named functions, and the functions, classes and constants of this
    package that they reach. Raises NoSuchRule."""
    found: dict[str, str] = {}
    waiting = [inspect.unwrap(resolve(name)) for name in names]
    while waiting:
        thing = waiting.pop()
        name = f"{thing.__module__}.{thing.__qualname__}"
        if name not in found:
            found[name], reached, constants = _read(thing)
            found.update(constants)
            waiting.extend(reached)
    return dict(sorted(found.items()))


@cache
def _read(thing: Any) -> tuple[str, tuple[Any, ...], dict[str, str]]:
    text = "\n".join(line.rstrip() for line in dedent(inspect.getsource(thing)).splitlines())
    scope = vars(sys.modules[thing.__module__])
    reached: list[Any] = []
    constants: dict[str, str] = {}
    for name in sorted(set(_NAME.findall(text))):
        value = inspect.unwrap(scope[name]) if name in scope else None
        if _is_ours(value):
            reached.append(value)
        elif name in scope and isinstance(value, str | int | tuple | list | dict | frozenset | set):
            reached.extend(_ours_within(value))
            constants[f"{thing.__module__}.{name}"] = _canonical(value)
    return text, tuple(reached), constants


def _is_ours(value: Any) -> bool:
    return isinstance(value, FunctionType | type) and value.__module__.startswith(_PACKAGE)


def _ours_within(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, tuple | list | frozenset | set):
        for item in value:
            yield from _ours_within(item)
    elif _is_ours(value):
        yield value


def _canonical(value: Any) -> str:
    """A constant in words that do not depend on the process."""
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if _is_ours(value):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(sorted(f"{_canonical(key)}: {_canonical(item)}" for key, item in value.items()))
            + "}"
        )
    if isinstance(value, frozenset | set):
        return "{" + ", ".join(sorted(map(_canonical, value))) + "}"
    if isinstance(value, tuple | list):
        return "(" + ", ".join(map(_canonical, value)) + ")"
    return repr(value) if isinstance(value, str | int | float | bool | None) else type(value).__name__
