"""Secrets from a directory of files: what is read, what wins, and that nothing of them is ever shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.settings.faults import SettingsError
from cds_service.settings.loading import load_settings

BASE = {"RELAPSE_CDS_AUTH": "off", "RELAPSE_CDS_ENVIRONMENT": "development"}
SECRET = "correct-horse-battery-staple"


def environment(directory: Path, **more: str) -> dict[str, str]:
    return {**BASE, "RELAPSE_CDS_SECRETS": str(directory), **more}


def test_a_file_gives_the_key_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "pseudonym_secret").write_text(SECRET)
    (tmp_path / "store").write_text("postgresql+psycopg://service:hidden@db/relapse")
    settings = load_settings(environment(tmp_path))
    assert settings.pseudonym_secret is not None
    assert settings.pseudonym_secret.get_secret_value() == SECRET
    assert settings.store == "postgresql+psycopg://service:hidden@db/relapse"
    assert "hidden" not in repr(settings)


@pytest.mark.parametrize(("ending", "kept"), [("", ""), ("\n", ""), ("\r\n", ""), ("\n\n", "\n"), (" ", " ")])
def test_one_line_break_at_the_end_is_no_part_of_it(tmp_path: Path, ending: str, kept: str) -> None:
    (tmp_path / "audit_secret").write_bytes((SECRET + ending).encode())
    settings = load_settings(environment(tmp_path))
    assert settings.audit_secret is not None
    assert settings.audit_secret.get_secret_value() == SECRET + kept


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("sqlite:///from-the-file.db")
    settings = load_settings(environment(tmp_path, RELAPSE_CDS_STORE="sqlite:///from-the-environment.db"))
    assert settings.store == "sqlite:///from-the-environment.db"


def test_the_directory_wins_over_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text('store = "sqlite:///from-the-configuration.db"\n')
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "store").write_text("sqlite:///from-the-secrets.db")
    settings = load_settings(environment(secrets, RELAPSE_CDS_CONFIG=str(tmp_path / "site.toml")))
    assert settings.store == "sqlite:///from-the-secrets.db"


def test_what_kubernetes_keeps_beside_the_secrets_is_passed_over(tmp_path: Path) -> None:
    data = tmp_path / "..2026_01_01"
    data.mkdir()
    (data / "operator_token").write_text(SECRET)
    (tmp_path / "..data").symlink_to(data)
    (tmp_path / "operator_token").symlink_to(tmp_path / "..data" / "operator_token")
    settings = load_settings(environment(tmp_path))
    assert settings.operator_token is not None
    assert settings.operator_token.get_secret_value() == SECRET


@pytest.mark.parametrize(
    ("name", "content", "remedy"),
    [
        ("on_incomplete", b"info-card", "name it after one of"),
        ("auth", b"off", "name it after one of"),
        ("password", SECRET.encode(), "name it after one of"),
        ("operator_token", b"", "write the secret"),
        ("operator_token", b"\n", "write the secret"),
        ("operator_token", b"\xff\xfe" + SECRET.encode(), "UTF-8"),
    ],
)
def test_what_cannot_be_a_secret_is_named(tmp_path: Path, name: str, content: bytes, remedy: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SettingsError) as told:
        load_settings(environment(tmp_path))
    assert name in str(told.value)
    assert remedy in str(told.value)
    assert SECRET not in str(told.value)


def test_a_directory_that_is_not_there_is_named_beside_every_other_fault(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as told:
        load_settings(environment(tmp_path / "nowhere", RELAPSE_CDS_PORT="no-port"))
    assert "RELAPSE_CDS_SECRETS" in str(told.value)
    assert "port" in str(told.value)
