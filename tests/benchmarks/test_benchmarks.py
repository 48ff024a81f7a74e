"""The benchmark runs, on a chart so small that its figures mean nothing; no time is judged here."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from benchmarks import __main__ as bench
from benchmarks import report
from benchmarks.calling import call
from benchmarks.charts import body, other_chart, relapse_chart
from benchmarks.floor import floor_app
from benchmarks.report import Row
from benchmarks.service import service_app
from cds_service.app_state import parts_of


def test_the_floor_and_the_service_see_the_relapse_and_nothing_else() -> None:
    app = service_app()
    try:
        for wsgi in (floor_app(), app):
            assert orjson.loads(call(wsgi, body(relapse_chart(40))))["cards"]
            assert orjson.loads(call(wsgi, body(relapse_chart(40), pretty=True)))["cards"]
        assert orjson.loads(call(app, body(other_chart(40)))) == {"cards": []}
    finally:
        parts_of(app).close()


def test_charts_are_the_same_bytes_every_time_and_of_the_size_they_say() -> None:
    data = body(relapse_chart(200))
    assert data == body(relapse_chart(200))
    assert 1_900 < len(data) / 200 < 2_300
    entries = [entry for value in relapse_chart(200).values() for entry in value.get("entry", ())]
    assert len(entries) + 1 == 200


@pytest.mark.slow
def test_every_part_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    few = ["--sizes", "10", "20", "--rounds", "1", "--block", "0.001", "--query-seconds", "0.001"]
    assert bench.main(few) == 0
    printed = capsys.readouterr().out
    for part in (
        "relapse, 10",
        "control",
        "extra memory",
        "per resource",
        "without ALL",
        "without prefetch",
        "start",
    ):
        assert part in printed


@pytest.mark.parametrize(
    ("value", "goal", "verdict"),
    [(1.0, 1.0, "met"), (1.004, 1.0, "met"), (1.01, 1.0, "not met"), (9.0, None, "")],
)
def test_a_goal_is_judged_as_the_figure_is_shown(value: float, goal: float | None, verdict: str) -> None:
    assert Row("x", "y", value, goal).verdict == verdict


def test_the_table_goes_between_the_markers_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write(report.table([Row("a figure", "1.00", 1.0, 2.0)]), page)
    text = page.read_text()
    assert "old" not in text
    assert "a figure" in text
    assert (text.startswith("before\n"), text.endswith("after\n")) == (True, True)
    page.write_text("no markers")
    with pytest.raises(ValueError, match="has no"):
        report.write("x", page)
