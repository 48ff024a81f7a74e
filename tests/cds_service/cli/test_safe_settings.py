"""A configuration that would surprise its operator is named before anything starts."""

from __future__ import annotations

import json
import logging
from importlib.util import find_spec
from pathlib import Path

import pytest

from cds_service.app import store_of
from cds_service.cli import main
from cds_service.cli.demo import refuse_production
from cds_service.cli.faults import Unusable
from cds_service.server import gunicorn_server
from cds_service.settings.model import Settings
from cds_service.store import StoreMisconfigured

OPEN = 'public_url = "https://cds.example.org"\nauth = "off"\n'


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "relapse-cds.toml"
    monkeypatch.setenv("RELAPSE_CDS_CONFIG", str(path))
    return path


def test_a_driver_that_is_missing_is_named(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def without_psycopg(name: str) -> object:
        return None if name == "psycopg" else find_spec(name)

    config.write_text(OPEN + 'allow_unauthenticated = true\nstore = "postgresql+psycopg://cds@db/cds"\n')
    monkeypatch.setattr("cds_service.cli.named_files.find_spec", without_psycopg)
    assert main(["check-config"]) == 2
    told = "store: the driver psycopg is not installed; install relapse-cds[postgresql]"
    assert told in capsys.readouterr().err


def test_a_service_without_its_driver_ends_with_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_service.store.engines.find_spec", lambda name: None)
    with pytest.raises(StoreMisconfigured, match=r"install relapse-cds\[postgresql\]"):
        store_of(Settings(store="postgresql+psycopg://cds@db.example/cds"))


@pytest.mark.parametrize(
    "text",
    [
        OPEN + "allow_unauthenticated = true\n",
        OPEN,
        'public_url = "https://cds.example.org"\n',
        "broken = = \n",
        OPEN + 'allow_unauthenticated = true\nenvironment = "production"\n',
    ],
)
def test_the_demonstration_does_not_start_beside_production(config: Path, text: str) -> None:
    config.write_text(text)
    with pytest.raises(Unusable, match="RELAPSE_CDS_CONFIG configures a service in production"):
        refuse_production()


def test_the_demonstration_command_is_refused(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(OPEN)
    assert main(["demo", "--once", "--port", "0"]) == 2
    assert "open to anybody" in capsys.readouterr().err


def test_the_demonstration_starts_beside_development(config: Path) -> None:
    config.write_text('environment = "development"\nauth = "off"\n')
    refuse_production()


def test_the_demonstration_needs_no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RELAPSE_CDS_CONFIG", raising=False)
    refuse_production()


@pytest.mark.parametrize(
    ("user", "settings", "events"),
    [
        (0, Settings(environment="development", auth="off"), ["running-as-root"]),
        (1000, Settings(environment="development", auth="off"), []),
        (1000, Settings(auth="off", allow_unauthenticated=True), ["anybody-may-call"]),
        (1000, Settings(), []),
        (0, Settings(auth="off", allow_unauthenticated=True), ["anybody-may-call", "running-as-root"]),
    ],
)
def test_what_an_operator_should_not_have_missed_is_logged_once(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    user: int,
    settings: Settings,
    events: list[str],
) -> None:
    monkeypatch.setattr("cds_service.server.gunicorn_server.os.geteuid", lambda: user)
    with caplog.at_level(logging.WARNING):
        gunicorn_server._warn(settings)
    assert [json.loads(record.getMessage())["event"] for record in caplog.records] == events
