"""Deadlines."""

from __future__ import annotations

import pytest

from cds_service.fhir_client.deadline import Deadline


def test_time_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("cds_service.fhir_client.deadline.time.monotonic", lambda: now)
    deadline = Deadline.after(2.0)
    assert (deadline.remaining(), deadline.share_left(), deadline.expired) == (2.0, 1.0, False)
    now = 101.5
    assert (deadline.remaining(), deadline.share_left(), deadline.expired) == (0.5, 0.25, False)
    now = 103.0
    assert (deadline.remaining(), deadline.share_left(), deadline.expired) == (0.0, 0.0, True)


def test_no_budget_has_no_share() -> None:
    assert Deadline.after(0).share_left() == 0.0
