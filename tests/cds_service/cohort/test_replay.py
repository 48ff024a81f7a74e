"""Charts as they stood: nothing before it was on record, cards that repeat, and lead times."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cds_service.cli import main
from cds_service.cohort.replay import as_it_stood, history, known_on, median, steps_between, with_action
from cds_service.cohort.rows import Row

SNOMED, LOINC = "http://snomed.info/sct", "http://loinc.org"


@pytest.mark.parametrize(
    ("resource", "day"),
    [
        ({"issued": "2026-06-05T10:00:00Z", "effectiveDateTime": "2026-06-01"}, "2026-06-05"),
        ({"effectiveDateTime": "2026-06-01T23:00:00Z"}, "2026-06-01"),
        ({"effectivePeriod": {"start": "2026-06-01"}}, "2026-06-01"),
        ({"recordedDate": "2026-06-03", "onsetDateTime": "2026-05-01"}, "2026-06-03"),
        ({"onsetDateTime": "2026-05"}, "2026-05-31"),
        ({"onsetDateTime": "2026"}, "2026-12-31"),
        ({"authoredOn": "2026-06-01"}, "2026-06-01"),
        ({"performedPeriod": {"start": "2026-06-01"}}, "2026-06-01"),
        ({"collection": {"collectedDateTime": "2026-06-01"}}, "2026-06-01"),
        ({"period": {"start": "2026-06-01"}}, "2026-06-01"),
        ({}, ""),
        ({"issued": 5}, ""),
    ],
)
def test_a_line_is_known_from_a_day_on(resource: dict[str, Any], day: str) -> None:
    assert known_on(json.dumps({"resourceType": "X", **resource}).encode()) == day


def test_a_patient_who_died_later_was_alive() -> None:
    line = b'{"resourceType":"Patient","id":"1","deceasedDateTime":"2026-06-10"}'
    assert b"deceased" not in as_it_stood([line], "2026-06-09")[0]
    assert b"deceased" in as_it_stood([line], "2026-06-10")[0]


def moment(day: int) -> datetime:
    return datetime(2026, 6, day, tzinfo=UTC)


def rows(*keys: str) -> Any:
    """One row a step: no key, no card."""
    told = iter(keys)

    def assess(_lines: Any, at: datetime) -> Row:
        key = next(told)
        return Row(
            patient="1",
            status="relapse" if key else "none",
            event_date="2026-06-02",
            topics=("allFinding",) if key else (),
            card_keys=(key,) if key else (),
        )

    return assess


@pytest.mark.parametrize(
    ("keys", "quiet_days", "cards", "repeats"),
    [
        (("a", "a", "a"), 30, 1, 0),  # quiet after the first
        (("a", "b", "b"), 30, 2, 0),  # new evidence ends the quiet
        (("a", "a", "a"), 1, 3, 2),  # the quiet is over each time
        (("", "", "a"), 30, 1, 0),
        (("", "", ""), 30, 0, 0),
    ],
)
def test_cards_repeat_as_the_quiet_rules_let_them(
    keys: tuple[str, ...], quiet_days: int, cards: int, repeats: int
) -> None:
    steps = [moment(3), moment(5), moment(7)]
    found = history("1", [], steps, rows(*keys), quiet_days, lambda one, other: one == other)
    assert sum(len(step.topics) for step in found.steps) == cards
    assert sum(step.repeats for step in found.steps) == repeats


def test_lead_times_go_from_proof_and_card_to_what_was_done_first() -> None:
    found = history("1", [], [moment(5)], rows("a"), 30, lambda *_: True)
    actions = [("2026-06-01", "salvage"), ("2026-06-20", "trial"), ("2026-06-12", "transplant-referral")]
    told = with_action(found, actions)
    assert (told.proof, told.first_card) == ("2026-06-02", "2026-06-05")
    assert (told.action, told.action_day) == ("transplant-referral", "2026-06-12")
    assert (told.lead_days, told.card_lead_days) == (10, 7)
    assert with_action(found, []).lead_days is None


def test_the_last_moment_is_always_looked_at() -> None:
    assert steps_between(moment(1), moment(9), timedelta(days=7)) == [moment(1), moment(8), moment(9)]
    assert median([]) is None
    assert (median([3, 1, 2]), median([1, 2])) == (2, 1.5)


def observation(number: int, day: str, issued: str, value: int) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"m{number}",
        "status": "final",
        "subject": {"reference": "Patient/1"},
        "code": {"coding": [{"system": LOINC, "code": "11150-0"}]},
        "effectiveDateTime": day,
        "issued": f"{issued}T09:00:00Z",
        "valueQuantity": {"value": value, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"},
    }


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """B-ALL, remission, a relapse taken on 2 June 2026 and reported on 5 June, blinatumomab on 16 June."""
    drug = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1597258"}]}
    chart: list[dict[str, Any]] = [
        {"resourceType": "Patient", "id": "1", "birthDate": "2015-01-01", "gender": "female"},
        {
            "resourceType": "Condition",
            "id": "c",
            "subject": {"reference": "Patient/1"},
            "code": {"coding": [{"system": SNOMED, "code": "277571004"}]},
            "verificationStatus": {"coding": [{"code": "confirmed"}]},
            "recordedDate": "2024-01-03",
            "onsetDateTime": "2024-01-02",
        },
        observation(1, "2024-01-02", "2024-01-02", 90),
        observation(2, "2024-02-10", "2024-02-11", 1),
        observation(3, "2026-06-02", "2026-06-05", 78),
        {
            "resourceType": "MedicationAdministration",
            "id": "blina",
            "status": "completed",
            "subject": {"reference": "Patient/1"},
            "medicationCodeableConcept": drug,
            "effectiveDateTime": "2026-06-16",
        },
    ]
    folder = tmp_path / "export"
    folder.mkdir()
    lines = [json.dumps(one) for one in chart]
    (folder / "chart.ndjson").write_text("\n".join(lines) + "\n")
    return folder


def replay(export: Path, out: Path, *more: str) -> int:
    named = ["--from", "2026-05-20", "--to", "2026-06-20", "--every", "1d"]
    return main(["replay", str(export), *named, "--out", str(out), "--workers", "1", *more])


def test_a_relapse_is_told_when_its_result_is_issued_and_not_before(export: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert replay(export, out) == 0
    with (out / "replay.csv").open(newline="") as file:
        (found,) = csv.DictReader(file)
    assert (found["first_card"], found["first_status"], found["proof"]) == (
        "2026-06-05",
        "relapse",
        "2026-06-02",
    )
    assert (found["action"], found["action_day"]) == ("salvage", "2026-06-16")
    assert (found["lead_days"], found["card_lead_days"]) == ("14", "11")
    told = json.loads((out / "summary.json").read_text())
    assert (told["charts"], told["chartsWithCard"], told["relapses"]) == (1, 1, 1)
    assert told["leadTime"] == {"relapses": 1, "medianDays": 14, "longestDays": 14}
    assert told["cardBeforeAction"]["earlier"] == 1
    assert json.loads((out / "audit.json").read_text())["event"] == "replay"


def test_small_counts_are_not_told(export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    replay(export, tmp_path / "one")
    assert "<5 charts" in capsys.readouterr().out
    replay(export, tmp_path / "two", "--small-cells", "--clinicians", "4")
    told = capsys.readouterr().out
    assert "median 14 days" in told
    assert "the card came before it in 1" in told


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["--to", "2026-05-01"], "after --from"),
        (["--every", "0"], "write days"),
        (["--clinicians", "0"], "from 1 on"),
    ],
)
def test_bad_input_is_one_line(
    export: Path, tmp_path: Path, more: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay(export, tmp_path / "out", *more) == 2
    assert why in capsys.readouterr().err
