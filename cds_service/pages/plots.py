"""Small plots as rectangles for an SVG picture; a template draws them, the style sheet colours them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 16, 12, 24
_MOST_LABELS = 8
_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a plot: what it is called, its height, the part of it that is marked, and its words."""

    label: str
    value: int
    marked: int = 0


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle; ``title`` is shown when it is pointed at."""

    x: float
    y: float
    width: float
    height: float
    marked: bool
    title: str


@dataclass(frozen=True, slots=True)
class Label:
    """A text at a place."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Everything that is drawn. ``lines`` are the heights of the grid."""

    bars: Sequence[Bar]
    below: Sequence[Label]
    beside: Sequence[Label]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    base: int = HEIGHT - _BOTTOM


def column_plot(columns: Sequence[Column], marked_words: str = "") -> Plot:
    """Columns side by side on a scale that starts at zero; without words for a marked part all is marked."""
    top = _ceiling(max((column.value for column in columns), default=0))
    wide = (WIDTH - _LEFT - _RIGHT) / max(1, len(columns))
    scale = (HEIGHT - _TOP - _BOTTOM) / top
    bars: list[Bar] = []
    for number, column in enumerate(columns):
        x = _LEFT + number * wide + wide * 0.1
        title = f"{column.label}: {column.value}"
        if marked_words:
            title += f", {column.marked} {marked_words}"
        for value, marked in ((column.value, not marked_words), (column.marked, True)):
            if value:
                high = value * scale
                y = HEIGHT - _BOTTOM - high
                bars.append(
                    Bar(round(x, 2), round(y, 2), round(wide * 0.8, 2), round(high, 2), marked, title)
                )
    step = -(-len(columns) // _MOST_LABELS) or 1
    below = [
        Label(round(_LEFT + (number + 0.5) * wide, 2), HEIGHT - 7, column.label)
        for number, column in enumerate(columns)
        if (len(columns) - 1 - number) % step == 0
    ]
    beside = [
        Label(_LEFT - 6, round(HEIGHT - _BOTTOM - value * scale, 2), f"{value:g}")
        for value in (0, top / 2, top)
    ]
    return Plot(bars, below, beside)


def _ceiling(highest: int) -> int:
    """The next round number that is even, so that its half is whole."""
    size = 2
    while True:
        for step in _STEPS:
            if size * step >= highest:
                return size * step
        size *= 10
