"""The export: stable columns, moments in UTC, nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.feedback.export import COLUMNS, write_csv, write_json
from cds_service.store import FeedbackEvent

EVENT = FeedbackEvent(
    tenant="general",
    service="all-relapse",
    card="c1",
    topic="allFinding",
    rule_version="2026.1",
    outcome="overridden",
    suggestion="",
    reason_code="already-known",
    reason_system="urn:x",
    reason_display="Already known",
    comment="",
    outcome_at=datetime(2026, 11, 20, 4, 29, 30, tzinfo=timezone(timedelta(hours=-5))),
    received_at=datetime(2026, 11, 20, 9, 30, 0, 5, tzinfo=UTC),
    status="matched",
)


def as_csv(*events: FeedbackEvent) -> list[list[str]]:
    out = io.StringIO(newline="")
    assert write_csv(events, out) == len(events)
    return list(csv.reader(io.StringIO(out.getvalue(), newline="")))


def as_objects(*events: FeedbackEvent) -> list[dict[str, str]]:
    out = io.StringIO()
    assert write_json(events, out) == len(events)
    found: list[dict[str, str]] = json.loads(out.getvalue())
    return found


def test_the_columns_are_those_that_were_promised() -> None:
    assert ",".join(COLUMNS) == (
        "tenant,service,card,topic,ruleVersion,outcome,suggestion,reasonCode,reasonSystem,reasonDisplay,"
        "comment,outcomeTimestamp,receivedAt,status"
    )


def test_a_row_as_csv() -> None:
    header, row = as_csv(EVENT)
    assert tuple(header) == COLUMNS
    assert row == [
        "general",
        "all-relapse",
        "c1",
        "allFinding",
        "2026.1",
        "overridden",
        "",
        "already-known",
        "urn:x",
        "Already known",
        "",
        "2026-11-20T09:29:30.000000Z",
        "2026-11-20T09:30:00.000005Z",
        "matched",
    ]


def test_a_row_as_json_leaves_out_what_is_empty() -> None:
    [found] = as_objects(EVENT)
    assert found.keys() == set(COLUMNS) - {"suggestion", "comment"}
    assert found["ruleVersion"] == "2026.1"


def test_nothing_to_export_is_a_header_or_an_empty_list() -> None:
    assert as_csv() == [list(COLUMNS)]
    assert as_objects() == []


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_a_spreadsheet_would_run_is_led_by_an_apostrophe(start: str) -> None:
    evil = f"{start}cmd|' /C calc'!A0"
    row = as_csv(replace(EVENT, comment=evil, card=evil, reason_code=evil))[1]
    assert [row[2], row[7], row[10]] == ["'" + evil] * 3
    assert as_objects(replace(EVENT, comment=evil))[0]["comment"] == evil


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=5))
def test_any_comments_survive_in_both_forms(comments: list[str]) -> None:
    events = [replace(EVENT, comment=comment) for comment in comments]
    cells = [row[10] for row in as_csv(*events)[1:]]
    assert [cell.removeprefix("'") for cell in cells] == [comment.removeprefix("'") for comment in comments]
    assert [row.get("comment", "") for row in as_objects(*events)] == comments
