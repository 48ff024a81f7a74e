"""The spellings of code systems, and tables of codes that are found under every one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Meaning = TypeVar("Meaning")


@dataclass(frozen=True, slots=True)
class CodeSystems:
    """Spellings that mean a code system.

    ``aliases`` maps a spelling as ``plain_spelling`` writes it to the URL of its system; ``editions`` are
    beginnings of such spellings that name an edition or a version of a system; ``categories`` gives the
    length of the code (with its point) that every national edition of a system shares, by URL.
    """

    aliases: Mapping[str, str] = field(default_factory=dict)
    editions: tuple[tuple[str, str], ...] = ()
    categories: Mapping[str, int] = field(default_factory=dict)

    def canonical(self, system: str) -> str:
        """The URL of the system that ``system`` spells; empty where the spelling is not known."""
        spelling = plain_spelling(system)
        found = self.aliases.get(spelling, "")
        if found:
            return found
        return next((url for start, url in self.editions if spelling.startswith(start)), "")

    def pair(self, system: str | None, code: str | None) -> tuple[str, str]:
        """The URL of the system, or its spelling where that is not known, and the code without blanks."""
        spelt = system or ""
        return (self.canonical(spelt) or spelt, (code or "").strip())


def plain_spelling(system: str) -> str:
    """A spelling without what tells no systems apart: case, https, a closing slash, a version after ``|``."""
    text = system.partition("|")[0].strip().casefold().rstrip("/")
    return f"http:{text[6:]}" if text.startswith("https:") else text


class CodeTable(Mapping[str, Mapping[str, Meaning]], Generic[Meaning]):
    """Meanings by code and then by the URL of the system, as listed; ``find`` reads every spelling."""

    def __init__(
        self, rows: Mapping[str, Mapping[str, Meaning]] | None = None, systems: CodeSystems | None = None
    ) -> None:
        self._rows = rows or {}
        self._systems = systems or CodeSystems()
        self._undotted = {
            code.replace(".", ""): code for code in self._rows if "." in code and code[:1].isalpha()
        }

    def __getitem__(self, code: str) -> Mapping[str, Meaning]:
        return self._rows[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, system: str | None, code: str) -> Meaning | None:
        """The meaning of a code under its system, whatever way both are spelt; None where there is none.

        A code that a national edition divides further means what its category means.
        """
        if system is None:
            return None
        listed = self._rows.get(code)
        if listed is not None:
            found = listed.get(system)
            if found is not None:
                return found
        return self._find_spelt(system, code)

    def _find_spelt(self, system: str, code: str) -> Meaning | None:
        code = self.spelt(code)
        listed = self._rows.get(code)
        if listed is None:
            if not code[:1].isalpha():
                return None
            return self._find_category(self._systems.canonical(system), code)
        url = self._systems.canonical(system) or system.strip()
        found = listed.get(url)
        return found if found is not None else self._find_category(url, code)

    def _find_category(self, url: str, code: str) -> Meaning | None:
        length = self._systems.categories.get(url)
        if length is None or len(code) < length - 1:
            return None
        dotted = code if "." in code else f"{code[:3]}.{code[3:]}"
        return self._rows.get(dotted[:length], {}).get(url) if len(dotted) > length else None

    def spelt(self, code: str) -> str:
        """The code as the table writes it: without blanks, in capitals, with its point, no closing ``-``."""
        if code in self._rows:
            return code
        plain = code.strip().upper().rstrip("-").rstrip(".")
        return plain if plain in self._rows else self._undotted.get(plain, plain)

    def with_rows(self, added: Mapping[str, Mapping[str, Meaning]]) -> CodeTable[Meaning]:
        """The table with more rows, under the same spellings of systems."""
        rows = {code: dict(systems) for code, systems in self._rows.items()}
        for code, systems in added.items():
            rows.setdefault(code, {}).update(systems)
        return CodeTable(rows, self._systems)
