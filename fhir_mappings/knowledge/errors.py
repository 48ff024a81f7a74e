"""Faults of knowledge files: each says what is wrong, where it stands and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One mistake in one knowledge file.

    ``line`` counts from 1; 0 means that the file as a whole is meant. ``key`` is the dotted key of a TOML
    file (``agents[2].title``) or the column or code of a CSV row.
    """

    file: str
    line: int
    key: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.key}: {self.problem}; {self.remedy}"


class KnowledgeError(Exception):
    """The knowledge cannot be used; ``str()`` gives every fault on a line of its own."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__(self.faults)

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)
