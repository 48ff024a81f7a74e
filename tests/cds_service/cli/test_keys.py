"""``relapse-cds keys``: what the operator is told about keys and tokens."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from cds_service.cli import main
from tests.cds_service.auth import forge
from tests.cds_service.auth.forge import AT, ES, FEEDBACK, OTHER, RS, token
from tests.cds_service.auth.key_server import serving


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "general.json").write_bytes(forge.key_set(ES.jwk(), forge.rsa_key("weak", 1024).jwk()))
    file = tmp_path / "relapse-cds.toml"
    file.write_text(
        f"""
        public_url = "{forge.BASE}"
        store = "sqlite:///{tmp_path}/store.db"
        [[tenants]]
        id = "general"
        iss = "{forge.ISS}"
        jwks_file = "general.json"
        """
    )
    monkeypatch.setenv("RELAPSE_CDS_CONFIG", str(file))
    return file


def verify(monkeypatch: pytest.MonkeyPatch, text: str, *arguments: str) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    return main(["keys", "verify", "--at", AT.isoformat(), *arguments])


@pytest.mark.usefixtures("config")
def test_show_lists_the_trusted_keys_and_why_others_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "show"]) == 0
    out = capsys.readouterr().out
    assert f"iss   {forge.ISS}" in out
    assert "es-1  EC 384 bits  ES384" in out
    assert "left out  weak: RSA of 1024 bits" in out


@pytest.mark.usefixtures("config")
def test_show_of_an_unknown_tenant_is_unusable(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "show", "--tenant", "other"]) == 2
    assert "no tenant has the id other" in capsys.readouterr().err


def test_show_says_why_there_are_no_keys(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config.parent / "general.json").write_text("<html>")
    assert main(["keys", "show", "--tenant", "general"]) == 1
    assert "what is there is no JWK Set" in capsys.readouterr().out


def test_show_fetches_a_configured_address(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving() as server:
        server.publish(forge.key_set(RS.jwk()))
        text = config.read_text().replace('jwks_file = "general.json"', f'jku = "{server.url}"')
        config.write_text('environment = "development"\n' + text)
        assert main(["keys", "show"]) == 0
    assert "epic+kid/with=base64  RSA 2048 bits  RS384" in capsys.readouterr().out


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize("prefix", ["", "Bearer ", "bearer "])
def test_a_good_token_is_accepted_as_often_as_it_is_asked_about(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], prefix: str
) -> None:
    good = prefix + token(aud=FEEDBACK) + "\n"
    assert verify(monkeypatch, good) == 0
    assert verify(monkeypatch, good) == 0
    assert f"Accepted: tenant general, for {FEEDBACK}" in capsys.readouterr().out


BAD: list[tuple[str, str, str]] = [
    ("audience", token(aud="https://elsewhere.example.org"), "aud is https://elsewhere.example.org"),
    ("issuer", token(iss="https://unknown.example.org"), "no tenant has this iss"),
    ("unknown-key", token(OTHER), "no trusted key has kid other-1"),
    ("unknown-key", token(forge.rsa_key("weak", 1024)), "no trusted key has kid weak"),
    ("signature", token(forge.stranger(ES.kid)), "does not fit the key"),
    ("expired", token(iat=forge.NOW - 900, exp=forge.NOW - 600), "expired 600 s ago"),
    ("lifetime", token(exp=forge.NOW + 7200), "accepted: 1 to 3600 s"),
    ("typ", token(ES, {"typ": "at+jwt"}), "typ is at+jwt instead of JWT"),
    ("algorithm", token(forge.ec_key("p", "P-256", "ES256")), "accepted: ES384, RS384"),
    ("not-a-compact-jwt", "abc", "segments instead of three"),
]


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize(("reason", "text", "words"), BAD, ids=[case[0] for case in BAD])
def test_the_operator_learns_what_is_wrong_and_the_token_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], reason: str, text: str, words: str
) -> None:
    assert verify(monkeypatch, text) == 1
    out = capsys.readouterr().out
    assert out.startswith(f"Refused ({reason}")
    assert words in out
    assert not [part for part in text.split(".") if len(part) > 20 and part in out]


@pytest.mark.usefixtures("config")
def test_one_audience_can_be_asked_about(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(monkeypatch, token(), "--audience", FEEDBACK) == 1
    assert "Refused (audience, tenant general)" in capsys.readouterr().out


def test_without_keys_nothing_can_be_said(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (config.parent / "general.json").unlink()
    assert verify(monkeypatch, token()) == 1
    assert "tenant general has no keys: the file cannot be read" in capsys.readouterr().out


@pytest.mark.usefixtures("config")
def test_no_token_is_unusable(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(monkeypatch, " \n") == 2
    assert "no token on standard input" in capsys.readouterr().err


@pytest.mark.usefixtures("config")
def test_foreign_text_cannot_steer_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(monkeypatch, token(iss="\x1b[2J\nAccepted")) == 1
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert len(out.splitlines()) == 1
