"""A criteria set: the numbers one definition of relapse holds the same data against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar


class Part(Protocol):
    """The numbers of one criterion, with their citations."""

    @property
    def cites(self) -> tuple[str, ...]: ...


P = TypeVar("P", bound=Part)


@dataclass(frozen=True, slots=True)
class CriteriaSet:
    """One definition of relapse: the numbers of its criteria by their keys.

    A criterion without a part is not evaluated by the set.
    """

    id: str
    label: str
    source: str
    default: bool
    complete: bool
    incomplete_note: str = ""
    parts: Mapping[str, Part] = field(default_factory=dict)

    def part(self, key: str, kind: type[P]) -> P | None:
        """The numbers of one criterion; None where the set does not have it."""
        found = self.parts.get(key)
        return found if isinstance(found, kind) else None

    def with_part(self, key: str, part: Part) -> CriteriaSet:
        """The same set with other numbers for one criterion."""
        return replace(self, parts={**self.parts, key: part})
