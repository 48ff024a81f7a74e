"""deploy/compose.yaml and what prepares it, read without starting anything: hardening, names, secrets."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.settings.loading import load_settings
from cds_service.settings.model import ENVIRONMENT_PREFIX, Settings
from cds_service.settings.secret_files import SECRET_KEYS, SECRETS_VARIABLE

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
FOR_TRYING = {"hapi"}
"""Not hardened, never beside real patients."""


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("prepare.sh IS NOT TESTED: there is no openssl here")
    directory = tmp_path_factory.mktemp("secrets")
    prepare(directory)
    return directory


def prepare(directory: Path) -> None:
    command = ["sh", str(DEPLOY / "compose" / "prepare.sh"), str(directory)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


@pytest.mark.parametrize("name", sorted(set(COMPOSE["services"]) - FOR_TRYING))
def test_every_container_can_write_and_do_as_little_as_possible(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "SYS_ADMIN" not in service.get("cap_add", [])


def test_the_proxy_alone_is_reached_from_outside() -> None:
    assert [name for name, service in COMPOSE["services"].items() if "ports" in service] == ["nginx"]


def test_no_image_floats() -> None:
    """A tag that says which version; ``latest`` is for the image that is built here alone."""
    images = {name: service["image"] for name, service in COMPOSE["services"].items()}
    assert [name for name, image in images.items() if ":latest" in image] == ["relapse-cds"]
    assert all(":" in image.partition(":-")[2] for image in images.values())


def test_every_variable_is_a_key_of_the_service() -> None:
    keys = {f"{ENVIRONMENT_PREFIX}{key.upper()}" for key in Settings.model_fields}
    environment = set(COMPOSE["services"]["relapse-cds"]["environment"])
    assert environment <= keys | {f"{ENVIRONMENT_PREFIX}CONFIG", SECRETS_VARIABLE}


def test_the_shipped_configuration_can_be_used_with_the_prepared_secrets(secrets: Path) -> None:
    settings = load_settings(
        {
            f"{ENVIRONMENT_PREFIX}CONFIG": str(DEPLOY / "compose" / "site" / "site.toml"),
            SECRETS_VARIABLE: str(secrets / "service"),
        }
    )
    assert settings.auth == "required"
    assert settings.store.startswith("postgresql+psycopg://relapse_cds:")
    assert sorted(path.name for path in (secrets / "service").iterdir()) == sorted(SECRET_KEYS)


def test_secrets_are_unlike_each_other_and_closed_to_others(secrets: Path) -> None:
    files = [path for path in secrets.rglob("*") if path.is_file() and path.name != "nginx.conf"]
    contents = [path.read_text() for path in files]
    assert len(set(contents)) == len(contents) == 7
    assert [path.name for path in files if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
    if os.geteuid() == 0:
        assert {path.stat().st_uid for path in (secrets / "service").iterdir()} == {10001}


def test_preparing_again_changes_no_secret(secrets: Path) -> None:
    before = {path: path.read_bytes() for path in secrets.rglob("*") if path.is_file()}
    prepare(secrets)
    assert {path: path.read_bytes() for path in secrets.rglob("*") if path.is_file()} == before


def test_nginx_is_led_to_the_service(secrets: Path) -> None:
    shipped = (DEPLOY / "nginx.conf").read_text("utf-8").splitlines()
    made = (secrets / "nginx.conf").read_text("utf-8").splitlines()
    changed = [new.split()[1] for old, new in zip(shipped, made, strict=True) if old != new]
    address = COMPOSE["services"]["relapse-cds"]["networks"]["inside"]["ipv4_address"]
    assert changed == [f"{address}:8080"]
