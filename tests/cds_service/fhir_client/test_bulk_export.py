"""Bulk exports: with tokens, through every delay, from hostile servers, and from HAPI."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cds_service.cli import main
from cds_service.fhir_client import bulk_export
from cds_service.fhir_client.backend_services import Client, NotAuthorized, TokenSource
from cds_service.fhir_client.transport import Transport
from cds_service.http.fhir_base import parse_base
from tests.cds_service.cohort.engines import demonstration
from tests.cds_service.fhir_client.bulk_server import LINES, Told, bulk_server, ndjson
from tests.servers.hosting import NotInstalled, hapi_command, running

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP384R1())


def pem(key: Any) -> bytes:
    kinds = serialization
    written: bytes = key.private_bytes(kinds.Encoding.PEM, kinds.PrivateFormat.PKCS8, kinds.NoEncryption())
    return written


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses are noted and not made."""
    pauses: list[float] = []
    real = bulk_export.BulkClient.__init__

    def init(self: Any, *arguments: Any, **named: Any) -> None:
        real(self, *arguments, **{"sleep": pauses.append, **named})

    monkeypatch.setattr(bulk_export.BulkClient, "__init__", init)
    return pauses


def export(url: str, out: Path, *more: str) -> int:
    return main(["export", url, "--out", str(out), "--allow-private", *more])


def signed(tmp_path: Path, key: Any = RSA) -> tuple[str, ...]:
    file = tmp_path / "private.pem"
    file.write_bytes(pem(key))
    return ("--client-id", "relapse", "--key", str(file), "--key-id", "k1")


@pytest.mark.parametrize("key", [RSA, EC], ids=["RS384", "ES384"])
def test_an_export_is_ordered_waited_for_fetched_and_deleted(tmp_path: Path, key: Any) -> None:
    told, out = Told(key=key.public_key()), tmp_path / "out"
    with bulk_server(told) as url:
        assert (
            export(url, out, *signed(tmp_path, key), "--types", "Patient,Condition", "--since", "2020") == 0
        )
    for number, kind in enumerate(LINES):
        assert (out / f"{kind}.{number:03}.ndjson").read_bytes() == ndjson(kind)
    methods = [(method, path) for method, path, _token in told.requests]
    assert methods[0] == ("GET", "/fhir/.well-known/smart-configuration")
    assert ("GET", "/fhir/Patient/$export?_type=Patient,Condition&_since=2020") in methods
    assert methods[-1] == ("DELETE", "/fhir/status/1")
    (claims,) = told.assertions
    assert (claims["iss"], claims["sub"], claims["scope"]) == ("relapse", "relapse", "system/*.rs")
    assert claims["exp"] - claims["iat"] <= 300
    assert json.loads((out / "manifest.json").read_text())["deletedAtServer"] is True


def test_the_folder_is_private_and_can_be_assessed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with bulk_server(Told()) as url:
        export(url, out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in out.iterdir()} == {0o600}
    assert json.loads((out / "audit.json").read_text())["resources"] == 4
    code = main(["cohort", str(out), "--at", "2026-06-15", "--out", str(tmp_path / "rows"), "--workers", "1"])
    assert code == 0


def test_a_token_that_ends_is_renewed(tmp_path: Path) -> None:
    told = Told(key=RSA.public_key(), tokens_end_after=2)
    with bulk_server(told) as url:
        assert export(url, tmp_path / "out", *signed(tmp_path)) == 0
    assert len(told.assertions) >= 2
    assert len({claims["jti"] for claims in told.assertions}) == len(told.assertions)


def test_delays_are_kept_as_the_server_wishes(tmp_path: Path, _no_waiting: list[float]) -> None:  # noqa: PT019
    told = Told(polls=3, retry_after="7", throttled=2)
    with bulk_server(told) as url:
        assert export(url, tmp_path / "out") == 0
    assert _no_waiting.count(7.0) == 3


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_that_is_cut_is_fetched_again(tmp_path: Path, packed: bool) -> None:
    told, out = Told(cut=2, packed=packed), tmp_path / "out"
    with bulk_server(told) as url:
        assert export(url, out) == 0
    assert (out / "Condition.001.ndjson").read_bytes() == ndjson("Condition")


@pytest.mark.parametrize(
    ("told", "why"), [(Told(cut=99), "truncated"), (Told(wrong_count=True), "are stated")]
)
def test_a_file_that_stays_cut_is_never_written(
    tmp_path: Path, told: Told, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    with bulk_server(told) as url:
        assert export(url, out) == 2
    assert why in capsys.readouterr().err
    assert [file.name for file in out.iterdir()] == [".export.json"]


def test_an_export_that_was_stopped_goes_on(tmp_path: Path) -> None:
    told, out = Told(cut=99), tmp_path / "out"
    with bulk_server(told) as url:
        assert export(url, out) == 2
        told.cut = 0
        assert export(url, out) == 2, "an unfinished export is not begun anew"
        assert export(url, out, "--types", "Condition", "--resume") == 2, "of another order"
        assert export(url, out, "--resume") == 0
    assert sum("$export" in path for _method, path, _token in told.requests) == 1
    assert (out / "Patient.000.ndjson").read_bytes() == ndjson("Patient")
    assert not (out / ".export.json").exists()


def elsewhere(url: str) -> Callable[[str], Any]:
    """A manifest whose files are at another server."""
    return lambda _base: {
        "requiresAccessToken": True,
        "output": [{"type": "Patient", "url": f"{url}/files/Patient"}],
    }


def test_another_server_is_not_contacted_unless_it_is_named_and_never_gets_the_token(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Told()
    with bulk_server(other) as files:
        told = Told(key=RSA.public_key(), manifest=elsewhere(files))
        with bulk_server(told) as url:
            assert export(url, tmp_path / "one", *signed(tmp_path)) == 2
            assert other.requests == []
            assert "--file-server" in capsys.readouterr().err
            told.polls = 0
            origin = files.removesuffix("/fhir")
            assert export(url, tmp_path / "two", *signed(tmp_path), "--file-server", origin) == 0
    assert other.requests == [("GET", "/fhir/files/Patient", "")]


EVIL = "http://evil.example"


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (Told(location=f"{EVIL}/status"), "another server"),
        (Told(location="javascript:alert(1)"), "another server"),
        (Told(location="http://127.0.0.1@evil.example/x"), "another server"),
        (Told(redirect=f"{EVIL}/x"), "status 302"),
        (Told(status_code=403), "may not export"),
        (Told(status_code=404), "no bulk export here"),
        (Told(status_code=500), "status 500"),
        (Told(manifest=lambda _base: []), "cannot be understood"),
        (Told(manifest=lambda _base: {"output": "all"}), "cannot be understood"),
        (Told(manifest=lambda _base: {"output": [{"type": "Patient"}]}), "without an address"),
        (Told(manifest=lambda _base: {"output": [{"url": "file:///etc/passwd"}]}), "that is none"),
        (Told(manifest=lambda _base: {"output": [{"url": f"{EVIL}/f", "type": "Patient"}]}), "evil.example"),
        (
            Told(manifest=lambda base: {"output": [{"url": f"{base}/files/x", "type": "../../x"}]}),
            "odd characters",
        ),
        (
            Told(manifest=lambda base: {"output": [{"url": f"{base}/files/x", "type": "/etc/x"}]}),
            "odd characters",
        ),
    ],
)
def test_a_hostile_server_gets_nothing_and_writes_nothing(
    tmp_path: Path, told: Told, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    with bulk_server(told) as url:
        assert export(url, out) == 2
    assert why in capsys.readouterr().err
    assert [file.name for file in tmp_path.rglob("*") if file.is_file() and file.name != ".export.json"] == []


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["http://127.0.0.1:9/fhir"], "only with --allow-private"),
        (["https://127.0.0.1:9/fhir"], "refused"),
        (["nonsense"], "not an absolute"),
        (["https://a.example", "--client-id", "x"], "--key and --key-id"),
        (["https://a.example", "--types", "Condition,../x"], "resource types"),
    ],
)
def test_bad_input_is_one_line(
    tmp_path: Path, arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", *arguments, "--out", str(tmp_path / "out")]) == 2
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"no pem",
        pem(ec.generate_private_key(ec.SECP256R1())),
        pem(rsa.generate_private_key(65537, 1024)),
    ],
)
def test_only_keys_that_smart_asks_for_are_used(key: bytes) -> None:
    transport = Transport(parse_base("http://127.0.0.1:9/fhir"), True, None, 1_000)
    with pytest.raises(NotAuthorized):
        TokenSource(transport, Client("x", key, "k"), "http://127.0.0.1:9/fhir/token")


def test_hapis_own_bulk_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        command = hapi_command()
    except NotInstalled as reason:
        pytest.skip(f"SKIPPED LOUDLY: {reason}")
    monkeypatch.undo()
    out, rows = tmp_path / "out", tmp_path / "rows"
    with running(command) as url:
        assert main(["load-demo", "--fhir-server", url, "--today", "2026-06-15"]) == 0
        assert export(url, out, "--hours", "0.1") == 0
    assert (
        main(["cohort", str(out), "--at", "2026-06-15T12:00:00Z", "--out", str(rows), "--workers", "1"]) == 0
    )
    summary = json.loads((rows / "summary.json").read_text())
    assert summary["status"] == demonstration(date(2026, 6, 15))
