"""What a number was before: a reviewer sees when it changed, and from what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import Field

from fhir_mappings.knowledge.errors import Fault
from fhir_mappings.knowledge.loader import KnowledgeFile

Version = Annotated[
    str, Field(pattern=r"^\d{4}\.\d{2}\.\d+$", description="a version of the knowledge, such as 2026.11.1")
]


class EarlierNumber(KnowledgeFile):
    """One entry of ``was``: the value that a number had from version ``since`` on."""

    value: Decimal
    since: Version


def past_faults(
    path: Path, key: str, value: Decimal, since: str, was: Sequence[EarlierNumber]
) -> Iterator[Fault]:
    """A past that cannot have been: versions that do not go back, or a change that changed nothing."""
    versions = [since, *(one.since for one in was)]
    if any(version_order(later) <= version_order(earlier) for later, earlier in pairwise(versions)):
        yield Fault(str(path), 0, f"{key}.was", "versions do not go back", "write the latest change first")
    values = [value, *(one.value for one in was)]
    if any(later == earlier for later, earlier in pairwise(values)):
        yield Fault(str(path), 0, f"{key}.was", "a change that changes nothing", "remove that entry")


def version_order(version: str) -> tuple[int, ...]:
    """A version as numbers that can be compared; a version of a site counts as the one it stands on."""
    return tuple(int(part) for part in version.split(",", 1)[0].split("."))
