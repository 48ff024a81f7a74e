"""``relapse-cds trials``: what it prints, and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import responses

from cds_service.cli import main
from cds_service.store import open_store
from cds_service.trials.clinicaltrials_gov import ADDRESS
from cds_service.trials.stored import StoredTrialCache
from tests.cds_service.trials.charts import bundle_of, patients
from tests.cds_service.trials.registry_pages import page, record


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration but a cache of the test's own."""
    monkeypatch.delenv("RELAPSE_CDS_CONFIG", raising=False)
    monkeypatch.setenv("RELAPSE_CDS_TRIALS_CACHE_FILE", str(tmp_path / "answer.json"))


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    (patient,) = (one for one in patients() if one.id == "late-marrow")
    path = tmp_path / "chart.json"
    path.write_bytes(bundle_of(patient))
    return path


@pytest.fixture
def registry() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_match_prints_the_table_as_json(chart: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trials", "match", str(chart), "--at", "2026-11-20", "--json"]) == 0
    found = printed(capsys)
    assert found["list"]["complete"] is True
    first = found["studies"][0]
    assert first["id"] == "DEMO-ALL-001"
    assert {row["verdict"] for row in first["criteria"]} <= {"met", "unknown"}
    assert next(row for row in first["criteria"] if row["what"] == "lineage")["found"] == "B lineage"
    assert {study["id"] for study in found["excluded"]} >= {"DEMO-ALL-003"}


def test_match_prints_the_table_to_read(chart: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trials", "match", str(chart), "--at", "2026-11-20"]) == 0
    text = capsys.readouterr().out
    assert "1. DEMO-ALL-001" in text
    assert "Not listed, because the record disagrees:" in text


def test_match_twice_prints_the_same(chart: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["trials", "match", str(chart), "--at", "2026-11-20", "--json"])
    once = capsys.readouterr().out
    main(["trials", "match", str(chart), "--at", "2026-11-20", "--json"])
    assert capsys.readouterr().out == once


def test_match_says_when_the_chart_would_have_no_trial_card(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (patient,) = (one for one in patients() if one.expect.status == "none" and "healthy" in one.id)
    path = tmp_path / "healthy.json"
    path.write_bytes(bundle_of(patient))
    assert main(["trials", "match", str(path), "--at", "2026-11-20"]) == 0
    assert "no trial card for this chart" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["match", "/nowhere.json"], "no such file"),
        (["match", "{chart}", "--at", "soon"], "--at"),
        (["refresh"], "clinicaltrials_gov is off"),
        (["import", "/nowhere.json"], "name a saved answer"),
    ],
)
def test_input_that_cannot_be_used(
    chart: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["trials", *(one.replace("{chart}", str(chart)) for one in arguments)]) == 2
    assert said in capsys.readouterr().err


def hook_request(tmp_path: Path, **changes: Any) -> Path:
    (patient,) = (one for one in patients() if one.id == "late-marrow")
    empty = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    body = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": patient.id},
        "prefetch": {"conditions": json.loads(bundle_of(patient)), "csf": empty, "marrow": empty},
        **changes,
    }
    path = tmp_path / "request.json"
    path.write_text(json.dumps(body))
    return path


def test_match_takes_the_body_of_a_hook_request(
    chart: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["trials", "match", str(chart), "--at", "2026-11-20", "--json"])
    whole = printed(capsys)
    assert main(["trials", "match", str(hook_request(tmp_path)), "--at", "2026-11-20", "--json"]) == 0
    assert printed(capsys)["studies"] == whole["studies"]


def test_a_body_that_the_service_would_refuse_is_refused_with_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = hook_request(tmp_path, hookInstance=3)
    assert main(["trials", "match", str(path)]) == 2
    assert "hookInstance" in capsys.readouterr().err


def test_with_a_configuration_the_answer_goes_into_the_store_of_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "service.toml"
    config.write_text(f'environment = "development"\nauth = "off"\nstore = "sqlite:///{tmp_path}/store.db"\n')
    monkeypatch.setenv("RELAPSE_CDS_CONFIG", str(config))
    saved = tmp_path / "page.json"
    saved.write_bytes(page(record()))
    assert main(["trials", "import", str(saved), "--at", "2026-11-20"]) == 0
    assert not (tmp_path / "answer.json").exists()
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    answer = StoredTrialCache(store).load()
    store.close()
    assert answer is not None
    assert (answer.origin, len(answer.records)) == ("file", 1)


def test_check_names_every_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "trials.toml"
    path.write_text('[list]\nlabel = "Office"\nmaintained = 2026-11-01\n\n[[studies]]\nid = "A"\n')
    assert main(["trials", "check", str(path)]) == 1
    text = capsys.readouterr().out
    assert "trials.toml:5: title: missing key; add it" in text
    assert "Office, as of 2026-11-01: 0 studies can be used, 3 faults" in text


def test_check_of_a_clean_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trials", "check"]) == 0
    assert "7 studies can be used" in capsys.readouterr().out


def test_an_import_is_used_by_the_next_match(
    tmp_path: Path, chart: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = [tmp_path / "page-1.json", tmp_path / "page-2.json"]
    saved[0].write_bytes(page(record(), token="t"))
    saved[1].write_bytes(page(record("NCT99990002", title="Asthma", conditions=["Asthma"])))
    assert main(["trials", "import", *map(str, saved), "--at", "2026-11-19"]) == 0
    assert capsys.readouterr().out == "2 studies read, 1 about relapsed ALL\n"
    main(["trials", "match", str(chart), "--at", "2026-11-20", "--json"])
    found = printed(capsys)
    assert found["list"]["asOf"] == "2026-11-19"
    assert [study["id"] for study in found["studies"]] == ["NCT99990001"]
    assert found["studies"][0]["link"] == "https://clinicaltrials.gov/study/NCT99990001"


def test_an_import_of_something_else_keeps_the_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_bytes(page(record()))
    bad.write_bytes(b'{"FullStudiesResponse": {}}')
    main(["trials", "import", str(good)])
    before = (tmp_path / "answer.json").read_bytes()
    assert main(["trials", "import", str(good), str(bad)]) == 2
    told = capsys.readouterr().err
    assert str(bad) in told
    assert "the list that was there is kept" in told
    assert (tmp_path / "answer.json").read_bytes() == before


def test_refresh_asks_with_the_place_of_the_hospital(
    registry: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RELAPSE_CDS_TRIALS_CLINICALTRIALS_GOV", "true")
    monkeypatch.setenv("RELAPSE_CDS_TRIALS_SITE_LATITUDE", "42.36")
    monkeypatch.setenv("RELAPSE_CDS_TRIALS_SITE_LONGITUDE", "-71.06")
    registry.get(ADDRESS, body=page(record()))
    assert main(["trials", "refresh", "--ages", "0-17", "--sex", "female"]) == 0
    assert capsys.readouterr().out == "1 study received, 1 about relapsed ALL\n"
    parameters = registry.calls[0].request.params  # type: ignore[attr-defined]
    assert parameters["filter.geo"] == "distance(42.3600,-71.0600,250km)"
    assert "17 years" in parameters["filter.advanced"]


def test_refresh_keeps_the_list_when_the_registry_does_not_answer(
    registry: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RELAPSE_CDS_TRIALS_CLINICALTRIALS_GOV", "true")
    registry.get(ADDRESS, status=404)
    assert main(["trials", "refresh"]) == 1
    assert "status-404" in capsys.readouterr().err


@pytest.mark.parametrize("ages", ["17", "17-0", "0-x", "0-1000"])
def test_an_age_band_of_another_form(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ages: str
) -> None:
    monkeypatch.setenv("RELAPSE_CDS_TRIALS_CLINICALTRIALS_GOV", "true")
    assert main(["trials", "refresh", "--ages", ages]) == 2
    assert "--ages" in capsys.readouterr().err
