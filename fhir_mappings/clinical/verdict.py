"""The answer of a criterion, with its evidence or with what is missing."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_mappings.clinical.moments import Moment


@dataclass(frozen=True, slots=True)
class Evidence:
    """One datum that decided something, with the threshold it was held against.

    ``value`` and ``unit`` are canonical; ``original`` is set where the record wrote it differently.
    """

    resource: str
    what: str
    value: str = ""
    unit: str = ""
    original: str = ""
    date: str = ""
    comparator: str = ""
    threshold: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """What would be needed to decide: a key of the knowledge's phrases and its words."""

    key: str
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Met:
    """The criterion is met by ``because``; ``on`` is the moment that completed it."""

    because: tuple[Evidence, ...]
    on: Moment


@dataclass(frozen=True, slots=True)
class NotMet:
    """Data at hand show that the criterion is not met."""

    because: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """Not decidable; ``missing`` says what is needed, ``because`` what came near."""

    missing: tuple[Missing, ...]
    because: tuple[Evidence, ...] = ()


Verdict = Met | NotMet | Unknown
