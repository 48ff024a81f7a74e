"""The geometry of the small plots."""

from __future__ import annotations

import pytest

from cds_service.pages.plots import HEIGHT, WIDTH, Column, column_plot


def test_columns_are_as_high_as_their_values_and_stay_inside() -> None:
    plot = column_plot([Column("a", 10, 4), Column("b", 5), Column("c", 0)], "marked")
    whole, marked, half = plot.bars
    assert whole.height == pytest.approx(2 * half.height, abs=0.02)
    assert marked.height == pytest.approx(0.4 * whole.height, abs=0.02)
    assert (whole.marked, marked.marked) == (False, True)
    assert whole.title == "a: 10, 4 marked"
    for bar in plot.bars:
        assert 0 <= bar.x <= bar.x + bar.width <= WIDTH
        assert 0 <= bar.y <= bar.y + bar.height <= HEIGHT
        assert bar.y + bar.height == pytest.approx(plot.base, abs=0.02)


@pytest.mark.parametrize(
    ("highest", "top"), [(0, "2"), (2, "2"), (3, "4"), (5, "10"), (11, "20"), (999, "1000")]
)
def test_the_scale_ends_at_a_round_number(highest: int, top: str) -> None:
    assert [label.text for label in column_plot([Column("a", highest)]).beside][-1] == top


def test_many_columns_get_few_labels_and_the_last_is_among_them() -> None:
    plot = column_plot([Column(str(number), 1) for number in range(365)])
    assert len(plot.below) <= 8
    assert plot.below[-1].text == "364"


def test_without_columns_there_is_an_empty_plot() -> None:
    plot = column_plot([])
    assert (plot.bars, plot.below) == ([], [])
