"""Facts of several queries to one set: the newest version of a resource wins, order never matters."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Protocol, TypeVar

from fhir_mappings.clinical.facts import Facts


class Versioned(Protocol):
    """A fact that stands on one version of one resource."""

    @property
    def resource(self) -> str:
        """``Type/id``."""
        ...

    @property
    def version(self) -> str:
        """Sorts versions of one resource, newest last."""
        ...


Fact = TypeVar("Fact", bound=Versioned)


def merge_facts(parts: Iterable[Facts]) -> Facts:
    """The union of all parts, without duplicates and without superseded versions, in a fixed order."""
    parts = tuple(parts)
    newest: dict[str, str] = {}
    for part in parts:
        for fact in _all(part):
            if fact.version > newest.get(fact.resource, ""):
                newest[fact.resource] = fact.version

    def kept(groups: Iterable[tuple[Fact, ...]]) -> tuple[Fact, ...]:
        by_resource: dict[str, list[Fact]] = {}
        for fact in chain.from_iterable(groups):
            if fact.version == newest.get(fact.resource, ""):
                by_resource.setdefault(fact.resource, []).append(fact)
        found: list[Fact] = []
        for resource in sorted(by_resource):
            same = by_resource[resource]
            # Nearly every resource states one fact, which needs neither comparing nor ordering.
            found.extend(same if len(same) == 1 else sorted(dict.fromkeys(same), key=repr))
        return tuple(found)

    return Facts(
        persons=kept(part.persons for part in parts),
        diagnoses=kept(part.diagnoses for part in parts),
        results=kept(part.results for part in parts),
        specimens=kept(part.specimens for part in parts),
        procedures=kept(part.procedures for part in parts),
        medications=kept(part.medications for part in parts),
        courses=kept(part.courses for part in parts),
        enrolments=kept(part.enrolments for part in parts),
        referrals=kept(part.referrals for part in parts),
        ignored=kept(part.ignored for part in parts),
        reports=kept(part.reports for part in parts),
        unreadable=frozenset(chain.from_iterable(part.unreadable for part in parts)),
    )


def _all(part: Facts) -> Iterable[Versioned]:
    return chain(
        part.persons,
        part.diagnoses,
        part.results,
        part.specimens,
        part.procedures,
        part.medications,
        part.courses,
        part.enrolments,
        part.referrals,
        part.ignored,
        part.reports,
    )
