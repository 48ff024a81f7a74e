"""The comparison of two versions sees what differs, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.answers import answers, differences, main, places, without_identifiers, write
from tests.clinical.case_files import Case
from tests.clinical.test_cases import CASES


def folder_of(case: Case, folder: Path) -> Path:
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": each} for each in case.resources],
    }
    folder.mkdir()
    (folder / f"case-{case.id}.json").write_text(json.dumps(bundle), encoding="utf-8")
    (folder / "moments.json").write_text(json.dumps({f"case-{case.id}": case.at.isoformat()}))
    return folder


def test_the_same_version_answers_alike_under_every_choice(tmp_path: Path) -> None:
    charts = folder_of(next(case for case in CASES if case.id == "V07"), tmp_path / "charts")
    assert write(tmp_path / "answers.gz", answers(charts)) == 5
    assert main(["compare", str(tmp_path / "answers.gz"), "--charts", str(charts)]) == 0


def test_another_answer_is_named_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "answers.gz"
    write(file, iter([("case-1", {"cards": [{"summary": "Relapse"}]}), ("case-2", {})]))
    found = differences(file, iter([("case-1", {"cards": [{"summary": "None"}]}), ("case-3", {})]))
    assert list(found) == [
        'case-1: /cards/0/summary: "Relapse" -> "None"',
        "case-3: is new",
        "case-2: is gone",
    ]


def test_a_charts_answer_holds_assessment_cards_and_timeline(tmp_path: Path) -> None:
    charts = folder_of(next(case for case in CASES if case.id == "V07"), tmp_path / "charts")
    found = dict(answers(charts))
    assert found["case-V07"]["answer"]["status"] == "relapse"
    assert found["case-V07"]["answer"]["cards"]
    assert found["case-V07 --repopulation two-above-25"]["answer"]["status"] == "probable"
    assert found["case-V07 timeline"]["page"]["sets"]
    assert found["case-V07 timeline"]["picture"]["panels"]


def test_digests_and_identifiers_are_left_out_and_dates_stay() -> None:
    uuid, digest = "8f14e45f-ceea-467f-9af3-000000000001", "sha256:" + "0a" * 32
    text = f"{uuid} ({digest}) on 2026-06-15, 20260101"
    assert without_identifiers({"text": [text]}) == {"text": ["# (sha256:#) on 2026-06-15, 20260101"]}


def test_a_missing_key_and_a_longer_list_are_differences() -> None:
    assert [place for place, *_ in places({"a": [1], "b": 2}, {"a": [1, 2]})] == ["/a/1", "/b"]
