"""The clinical cases as they are written, for those who review a rule. A checkout has them, a wheel not."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fhir_mappings.knowledge.review.boundary_tables import table_of, written_cases

CONVENTIONS = "conventions.toml"
HOME = "status"
"""The home of a case that names none."""
_TABLES = ("common", "record", "draft_orders")
_NOT_ASKED = ("id", "name", "rule", "expect")


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """One case as its file tells it: ``asked`` is everything but id, name, home and expectation.

    ``rule`` is its home, the one rule that is signed with it.
    """

    id: str
    name: str
    file: str
    asked: Mapping[str, Any]
    expect: Mapping[str, Any]
    rule: str = HOME

    @property
    def canonical(self) -> str:
        """What is on record and what is right, in one form for a digest: neither name nor layout counts."""
        asked = {
            key: table_of(value) if key in _TABLES else value for key, value in self.asked.items() if value
        }
        whole = {"id": self.id, "asked": asked, "expect": self.expect}
        return json.dumps(whole, sort_keys=True, default=str, ensure_ascii=False)

    def names(self, *keys: str) -> set[str]:
        """What the expectation lists under any of ``keys``."""
        found: set[str] = set()
        for key in keys:
            value = self.expect.get(key, ())
            found.update([value] if isinstance(value, str) else value)
        return found


def cases_beside(package_directory: Path) -> Path | None:
    """The folder of the cases of the checkout in which the knowledge lies, if it lies in one."""
    folder = package_directory.parents[2] / "tests" / "clinical" / package_directory.name
    return folder if (folder / CONVENTIONS).is_file() else None


def read_case_records(folder: Path) -> Mapping[str, CaseRecord]:
    """Every case of a folder by its id, in the order of the files. Raises ValueError for what is no TOML."""
    return {case.id: case for path in sorted(folder.glob("*.toml")) for case in _of_file(path, folder)}


def conventions_text(folder: Path) -> str:
    """What every case takes for granted, as it is written."""
    return (folder / CONVENTIONS).read_text(encoding="utf-8").replace("\r\n", "\n")


def conventions_canonical(folder: Path) -> str:
    """What every case takes for granted, in one form for a digest."""
    raw = tomllib.loads(conventions_text(folder))
    entries = [{**one, "record": table_of(str(one.get("record", "")))} for one in raw.get("convention", ())]
    return json.dumps(entries, sort_keys=True, default=str, ensure_ascii=False)


def _of_file(path: Path, folder: Path) -> Iterator[CaseRecord]:
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    if path.name == CONVENTIONS:
        return
    shared = {key: value for key, value in raw.items() if key not in ("case", "table", "rule")}
    for entry in written_cases(raw):
        own = {key: value for key, value in entry.items() if key not in _NOT_ASKED}
        home = entry.get("rule") or raw.get("rule", HOME)
        yield CaseRecord(entry["id"], entry["name"], path.stem, shared | own, entry["expect"], home)
