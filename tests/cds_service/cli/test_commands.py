"""The command line: what it prints, and its exit codes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
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


ACTIONS = {
    "trials": ("match", "check", "refresh", "import"),
    "feedback": ("export",),
    "keys": ("show", "verify"),
    "knowledge": ("review", "sign", "status"),
}


def test_every_command_is_a_module() -> None:
    names = make_parser()._subparsers._group_actions[0].choices  # type: ignore[union-attr]
    assert {name.replace("-", "_") for name in names} == set(COMMANDS)  # type: ignore[union-attr]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_action_has_help_with_exit_codes(capsys: Capture, name: str) -> None:
    for action in ((), *((action,) for action in ACTIONS.get(name, ()))):
        with pytest.raises(SystemExit) as ended:
            main([name.replace("_", "-"), *action, "--help"])
        assert ended.value.code == 0
        told = capsys.readouterr().out
        assert "exit codes:" in told
        # A description between the usage and the options, folded like everything else.
        description = told.split("\n\n")[1]
        assert description.endswith(".")
        assert max(map(len, told.splitlines())) <= 100


def test_assess_prints_text(tmp_path: Path, capsys: Capture) -> None:
    assert main(["assess", str(write(tmp_path / "a.json", chart(asthma()))), "--at", AT]) == 0
    out = capsys.readouterr().out
    assert "Status     none" in out
    assert "No cards." in out


def test_assess_calls_criteria_sets_and_timing_by_their_names(tmp_path: Path, capsys: Capture) -> None:
    assert main(["assess", str(write(tmp_path / "a.json", chart(leukaemia()))), "--at", AT]) == 0
    out = capsys.readouterr().out
    assert "Criteria: Pediatric Oncology Education (default set)" in out
    assert "seed-000" not in out


def test_assess_prints_json(tmp_path: Path, capsys: Capture) -> None:
    assert main(["assess", str(write(tmp_path / "a.json", chart(leukaemia()))), "--at", AT, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["patient"] == "p1"
    assert found["at"] == "2024-06-04T00:00:00Z"
    assert isinstance(found["cards"], list)


def test_bundle_folder_and_request_say_the_same(tmp_path: Path, capsys: Capture) -> None:
    marrow = {
        "resourceType": "Observation",
        "id": "m1",
        "status": "final",
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2024-06-03",
        "code": {"coding": [{"system": "http://loinc.org", "code": "11150-0"}]},
        "valueQuantity": {"value": 1, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"},
    }
    resources = [patient(), asthma(), leukaemia(), marrow]
    folder = tmp_path / "folder"
    folder.mkdir()
    for number, resource in enumerate(resources):
        write(folder / f"{number}.json", resource)
    keyed = {"patient": patient(), "conditions": bundle(asthma(), leukaemia())}
    others = {"marrow": bundle(marrow), "blood": EMPTY, "csf": EMPTY}
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
        (b"", "is empty"),
        (b"\n ", "is empty"),
        (b"{", "ends too early (line 1, column 2)"),
        (b'{\n"id": "x', "ends too early (line 2"),
        (b"hello", "not JSON (line 1, column 1)"),
        (b'{"resourceType": "Patient",\n "id": x}', "not JSON (line 2, column 8)"),
        (b"<Bundle/>", "XML or HTML"),
        (b"\xff\xfe{\x00}\x00", "UTF-8 (byte 0)"),
        (b'{"id": NaN}', "NaN"),
        (b'{"resourceType": "Patient", "id": "a", "id": "b"}', "'id' stands twice"),
        (b'{"resourceType": "Patient", "id": "\\ud800"}', "not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "no resourceType"),
        (b'{"resourceType":"Bundle"}', "no patient"),
        (json.dumps(bundle(patient("a"), patient("b"))).encode(), "several patients"),
        (json.dumps(bundle(patient(), asthma("CANARY"))).encode(), "another patient"),
        (b'{"hook":"patient-view"}', "hookInstance"),
        (b'{"hook":"patient-view","context":{}}', "hookInstance"),
        (b"[" * 100_000, "nested too deeply"),
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


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("none.json", "no such file or folder"),
        ("", "no .json or .ndjson file in this folder"),
        ("x" * 300, "too long"),
        ("/dev/null", "neither a file nor a folder"),
    ],
)
def test_a_place_without_a_chart_is_unusable(tmp_path: Path, capsys: Capture, place: str, says: str) -> None:
    assert main(["assess", str(tmp_path / place)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line


def test_a_byte_order_mark_is_passed_over(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(chart(asthma())).encode())
    assert main(["assess", str(path)]) == 0
    assert "Status     none" in capsys.readouterr().out


def test_a_bad_moment_is_unusable(tmp_path: Path, capsys: Capture) -> None:
    assert main(["assess", str(write(tmp_path / "a.json", chart())), "--at", "yesterday"]) == 2
    assert "--at" in capsys.readouterr().err


def test_check_config(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAPSE_CDS_AUTH", "off")
    monkeypatch.setenv("RELAPSE_CDS_ALLOW_UNAUTHENTICATED", "true")
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


KEYS = 'public_url = "https://cds.example.org"\n[[tenants]]\nid = "a"\niss = "a"\njwks_file = "keys.json"\n'
CLOSED = 'public_url = "https://cds.example.org"\nauth = "off"\nallow_unauthenticated = true\n'


@pytest.mark.parametrize(
    ("text", "keys", "says"),
    [
        (KEYS, None, "tenants[0].jwks_file: no such file"),
        (KEYS, "", "tenants[0].jwks_file: a file that is no JWK Set"),
        (KEYS, '{"keys": []}', "tenants[0].jwks_file: no usable key"),
        (KEYS + 'prefetch_keys = { labs = "nowhere" }\n', None, "tenants[0].prefetch_keys.labs: no such key"),
        (CLOSED + 'hooks = ["all-relapse", "bogus"]\n', None, "hooks[1]: no such service"),
        (CLOSED + 'store = "mysql://db"\n', None, "store: not a database"),
        (CLOSED + 'store = "sqlite:///no/such/folder/cds.db"\n', None, "store: its folder does not exist"),
        (CLOSED + '[trials]\ncatalogue = "none.toml"\n', None, "trials.catalogue: no such file"),
    ],
)
def test_what_a_configuration_names_must_be_there(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, text: str, keys: str | None, says: str
) -> None:
    (tmp_path / "cds.toml").write_text(text)
    if keys is not None:
        (tmp_path / "keys.json").write_text(keys)
    monkeypatch.setenv("RELAPSE_CDS_CONFIG", str(tmp_path / "cds.toml"))
    assert main(["check-config"]) == 2
    assert f"  {says}" in capsys.readouterr().err


def test_a_configuration_that_cannot_be_read_is_the_only_fault(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELAPSE_CDS_CONFIG", str(tmp_path / "none.toml"))
    assert main(["check-config"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--port", "80000"], "--port: write a value less than or equal to 65535"),
        (
            ["--workers", "0", "--threads", "0"],
            "--workers: write a value greater than or equal to 1; --threads",
        ),
    ],
)
def test_serve_names_the_option_that_is_out_of_range(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, options: list[str], says: str
) -> None:
    monkeypatch.setenv("RELAPSE_CDS_AUTH", "off")
    monkeypatch.setenv("RELAPSE_CDS_ALLOW_UNAUTHENTICATED", "true")
    monkeypatch.setenv("RELAPSE_CDS_ENVIRONMENT", "development")
    assert main(["serve", *options]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("name", ["port", "metrics_port"])
def test_serve_tells_a_port_that_is_taken(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("RELAPSE_CDS_AUTH", "off")
    monkeypatch.setenv("RELAPSE_CDS_ALLOW_UNAUTHENTICATED", "true")
    monkeypatch.setenv("RELAPSE_CDS_ENVIRONMENT", "development")
    monkeypatch.setenv("RELAPSE_CDS_STORE", f"sqlite:///{tmp_path}/cds.db")
    # The log and the server's name are set up for a process of its own.
    monkeypatch.setattr("cds_service.observability.log.configure_logging", lambda level: None)
    monkeypatch.setattr("cds_service.server.gunicorn_server._hide_server_name", lambda: None)
    monkeypatch.setattr("gc.freeze", lambda: None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("RELAPSE_CDS_PORT", "0")
        monkeypatch.setenv(f"RELAPSE_CDS_{name.upper()}", str(port))
        assert main(["serve", "--workers", "1"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        f"relapse-cds: port {port} on 127.0.0.1 cannot be used: address already in use; choose another "
    )
    assert line.endswith("metrics_port" if name == "metrics_port" else "with --port or --host")


def test_serve_tells_which_store_cannot_be_opened(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cds.db").write_bytes(b"this is no database, whatever its name says" * 200)
    monkeypatch.setenv("RELAPSE_CDS_AUTH", "off")
    monkeypatch.setenv("RELAPSE_CDS_ALLOW_UNAUTHENTICATED", "true")
    monkeypatch.setenv("RELAPSE_CDS_ENVIRONMENT", "development")
    monkeypatch.setenv("RELAPSE_CDS_STORE", f"sqlite:///{tmp_path}/cds.db")
    monkeypatch.setattr("cds_service.observability.log.configure_logging", lambda level: None)
    assert main(["serve", "--workers", "1"]) == 2
    told = capsys.readouterr().err
    assert f"store sqlite:///{tmp_path}/cds.db: unavailable" in told
    assert "the file is no SQLite database" in told


def test_serve_does_not_start_with_faults(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAPSE_CDS_PORT", "none")
    assert main(["serve"]) == 2
    assert "port:" in capsys.readouterr().err


def test_docs_need_the_repository(tmp_path: Path, capsys: Capture) -> None:
    assert main(["docs", "--check", "--root", str(tmp_path)]) == 2
    assert "--root" in capsys.readouterr().err


def test_a_reader_that_stops_is_no_fault() -> None:
    """As in ``relapse-cds knowledge status | head -1``."""
    program = "import sys; from cds_service.cli import main; sys.exit(main(['call', '--list-presets']))"
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        ended = subprocess.run([sys.executable, "-c", program], stdout=closed, stderr=subprocess.PIPE)
    assert (ended.returncode, ended.stderr) == (141, b"")


def test_a_command_is_required(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2
    assert "COMMAND" in capsys.readouterr().err
