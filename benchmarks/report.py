"""The figures as one table: goal, measured, met. In the terminal, and in ``docs/performance.md``."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. ``goal`` None: reported without a goal."""

    what: str
    measured: str
    value: float = 0.0
    goal: float | None = None

    @property
    def verdict(self) -> str:
        """Whether the goal is met."""
        if self.goal is None:
            return ""
        # As the figure is shown, so it is judged.
        return "met" if round(self.value, 2) <= self.goal else "not met"


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown, aligned so that a terminal shows them well."""
    cells = [("figure", "goal", "measured", "")]
    cells += [
        (row.what, "" if row.goal is None else f"<= {row.goal:g}", row.measured, row.verdict) for row in rows
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + " |"
        for line in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def machine() -> str:
    """Where it was measured."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("Flask", "orjson", "msgspec"))
    return (
        f"Python {platform.python_version()}, {libraries}; {os.cpu_count()} cores, {_processor()}; "
        f"load average {os.getloadavg()[0]:.1f} when done."
    )


def write(text: str, page: Path = PAGE) -> None:
    """Puts the text between the markers of the page. Raises ValueError where it has none."""
    whole = page.read_text()
    head, begin, rest = whole.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page.name} has no {BEGIN} and {END}")
    page.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}")


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if not information.exists():
        return platform.machine()
    names = [line for line in information.read_text().splitlines() if line.startswith("model name")]
    return names[0].partition(": ")[2] if names else platform.machine()
