"""The command line: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cds_service.cli import COMMANDS, main, make_parser
from tests.cds_service.charts import EMPTY, asthma, bundle, leukaemia, patient, request

Capture = pytest.CaptureFixture[str]
AT = "2024-06-04"


def write(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def chart(*resources: Any) -> dict[str, Any]:
    return bundle(patient(), *resources)


def test_every_command_has_help_with_exit_codes(capsys: Capture) -> None:
    names = make_parser()._subparsers._group_actions[0].choices  # type: ignore[union-attr]
    assert {name.replace("-", "_") for name in names} == set(COMMANDS)  # type: ignore[union-attr]
    for name in names:  # type: ignore[union-attr]
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert ended.value.code == 0
        assert "exit codes" in capsys.readouterr().out.lower()


def test_assess_prints_text(tmp_path: Path, capsys: Capture) -> None:
    assert main(["assess", str(write(tmp_path / "a.json", chart(asthma()))), "--at", AT]) == 0
    out = capsys.readouterr().out
    assert "Status     none" in out
    assert "No cards." in out


def test_assess_prints_json(tmp_path: Path, capsys: Capture) -> None:
    assert main(["assess", str(write(tmp_path / "a.json", chart(leukaemia()))), "--at", AT, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["patient"] == "p1"
    assert found["at"] == "2024-06-04T00:00:00Z"
    assert isinstance(found["cards"], list)


def test_bundle_folder_and_request_say_the_same(tmp_path: Path, capsys: Capture) -> None:
    resources = [patient(), asthma(), leukaemia()]
    folder = tmp_path / "folder"
    folder.mkdir()
    for number, resource in enumerate(resources):
        write(folder / f"{number}.json", resource)
    keyed = {"patient": patient(), "conditions": bundle(asthma(), leukaemia())}
    others = dict.fromkeys(("marrow", "blood", "csf"), EMPTY)
    places = [
        folder,
        write(tmp_path / "bundle.json", bundle(*resources)),
        write(tmp_path / "request.json", request({**keyed, **others})),
    ]
    answers = []
    for place in places:
        assert main(["assess", str(place), "--at", AT, "--json"]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert answers[0] == answers[1]
    assert answers[0]["status"] == answers[2]["status"]


def test_an_incomplete_request_fails_and_says_why(tmp_path: Path, capsys: Capture) -> None:
    assert main(["assess", str(write(tmp_path / "r.json", request())), "--at", AT]) == 1
    assert "conditions (not-supplied)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "truncated"),
        (b"{", "truncated"),
        (b"hello", "malformed"),
        (b"[]", "not a JSON object"),
        (b"{}", "no resourceType"),
        (b'{"resourceType":"Bundle"}', "no patient"),
        (json.dumps(bundle(patient("a"), patient("b"))).encode(), "several patients"),
        (json.dumps(bundle(patient(), asthma("CANARY"))).encode(), "another patient"),
        (b'{"hook":"patient-view","context":{}}', "hookInstance"),
        (b"[" * 100_000, "not a JSON object"),
    ],
)
def test_an_unusable_file_is_told_in_one_line(
    tmp_path: Path, capsys: Capture, content: bytes, says: str
) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    assert main(["assess", str(path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert says in line
    assert "CANARY" not in line


def test_a_missing_file_or_an_empty_folder_is_unusable(tmp_path: Path, capsys: Capture) -> None:
    assert main(["assess", str(tmp_path / "none.json")]) == 2
    assert main(["assess", str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_bad_moment_is_unusable(tmp_path: Path, capsys: Capture) -> None:
    assert main(["assess", str(write(tmp_path / "a.json", chart())), "--at", "yesterday"]) == 2
    assert "--at" in capsys.readouterr().err


def test_check_config(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAPSE_CDS_AUTH", "off")
    monkeypatch.setenv("RELAPSE_CDS_PUBLIC_URL", "https://cds.example.org")
    assert main(["check-config"]) == 0
    assert "can be used" in capsys.readouterr().out
    monkeypatch.setenv("RELAPSE_CDS_PORT", "SECRET")
    monkeypatch.setenv("RELAPSE_CDS_TYPO", "SECRET")
    assert main(["check-config"]) == 2
    told = capsys.readouterr().err
    assert "port:" in told
    assert "RELAPSE_CDS_TYPO:" in told
    assert "SECRET" not in told


def test_a_key_file_that_is_not_there_is_named(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "cds.toml"
    config.write_text(
        'public_url = "https://cds.example.org"\n[[tenants]]\nid = "a"\niss = "a"\njwks_file = "none.json"\n'
    )
    monkeypatch.setenv("RELAPSE_CDS_CONFIG", str(config))
    assert main(["check-config"]) == 2
    assert "tenants[0].jwks_file" in capsys.readouterr().err


def test_serve_does_not_start_with_faults(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAPSE_CDS_PORT", "none")
    assert main(["serve"]) == 2
    assert "port:" in capsys.readouterr().err


def test_docs_need_the_repository(tmp_path: Path, capsys: Capture) -> None:
    assert main(["docs", "--check", "--root", str(tmp_path)]) == 2
    assert "--root" in capsys.readouterr().err


def test_a_command_is_required(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2
    assert "COMMAND" in capsys.readouterr().err
