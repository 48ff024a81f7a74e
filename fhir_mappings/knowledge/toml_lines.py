"""Where a key stands in a TOML text, so that a fault can name its line."""

from __future__ import annotations

import re
from collections.abc import Iterator

Path = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_ASSIGNMENT = re.compile(r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
_FENCES = ('"' * 3, "'" * 3)


class KeyLines:
    """Line numbers of the keys and tables of one TOML text.

    Keys inside inline tables and arrays have no line of their own; they get that of the key that holds them.
    """

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {}
        self._last_index: dict[Path, int] = {}
        table: Path = ()
        for number, line in _structural_lines(text):
            if header := _HEADER.match(line):
                table = self._enter(_parts(header[2]), is_array=header[1] == "[[")
                self._lines.setdefault(table, number)
            elif assignment := _ASSIGNMENT.match(line):
                self._lines.setdefault((*table, *_parts(assignment[1])), number)

    def find(self, path: Path) -> int:
        """Line of ``path``, else of the nearest table or key around it; 1 where nothing is nearer."""
        for end in range(len(path), 0, -1):
            if line := self._lines.get(path[:end]):
                return line
        return 1

    def _enter(self, names: Path, *, is_array: bool) -> Path:
        """The full path of a table header: an array of tables is entered at its newest element."""
        table: Path = ()
        for position, name in enumerate(names):
            table = (*table, name)
            if is_array and position == len(names) - 1:
                self._last_index[table] = self._last_index.get(table, -1) + 1
            if table in self._last_index:
                table = (*table, self._last_index[table])
        return table


def _parts(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _structural_lines(text: str) -> Iterator[tuple[int, str]]:
    """Numbered lines that are neither inside a multi-line string nor inside a multi-line array."""
    fence = ""
    depth = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if fence:
            fence = "" if fence in line else fence
            continue
        if depth == 0:
            yield number, line
        fence = _opened_fence(line)
        depth = 0 if _HEADER.match(line) else depth + _bracket_balance(line)


def _opened_fence(line: str) -> str:
    return next((fence for fence in _FENCES if line.count(fence) == 1), "")


def _bracket_balance(line: str) -> int:
    bare = re.sub(r'"(?:\\.|[^"\\])*"|' + r"'[^']*'", "", line).split("#", 1)[0]
    return bare.count("[") - bare.count("]")
