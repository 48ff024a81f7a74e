"""Nothing that was acknowledged is lost by kill -9. The long run is ``benchmarks/feedback_durability.py``."""

from __future__ import annotations

from pathlib import Path

from tests.cds_service.feedback.durability import run

ROUNDS = 5


def test_what_was_acknowledged_survives_kill_9(database_url: str, tmp_path: Path) -> None:
    outcome = run(database_url, tmp_path, ROUNDS, seconds=0.5, tell=lambda _: None)
    assert sum(map(len, outcome.acknowledged)) > 10 * ROUNDS
    assert (outcome.lost, outcome.twice, outcome.wrong) == ([0] * ROUNDS, 0, [])
