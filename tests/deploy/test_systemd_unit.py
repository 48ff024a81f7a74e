"""deploy/relapse-cds.service: what systemd itself says about it, and that it starts what there is."""

from __future__ import annotations

import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from cds_service.cli import COMMANDS
from cds_service.server.gunicorn_server import GRACE_SECONDS
from cds_service.settings.model import ENVIRONMENT_PREFIX, Settings
from cds_service.settings.secret_files import SECRET_KEYS, SECRETS_VARIABLE

UNIT = Path(__file__).parents[2] / "deploy" / "relapse-cds.service"
MOST_EXPOSED = 1.5
"""systemd's figure from 0 (nothing is left open) to 10."""


def lines(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.+)$", UNIT.read_text("utf-8"), re.MULTILINE)


def test_systemd_finds_little_left_open() -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("THE UNIT'S HARDENING IS NOT MEASURED: there is no systemd-analyze here")
    done = subprocess.run(
        [analyze, "security", "--offline=true", "--no-pager", str(UNIT)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    figure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    if figure is None:
        pytest.skip(f"THE UNIT'S HARDENING IS NOT MEASURED: this systemd-analyze cannot: {done.stderr[:200]}")
    assert float(figure[1]) <= MOST_EXPOSED


def test_the_unit_is_read_as_systemd_reads_it() -> None:
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(UNIT.read_text("utf-8"))
    assert parser.sections() == ["Unit", "Service", "Install"]


def test_commands_variables_and_credentials_exist() -> None:
    commands = [line.split()[1].replace("-", "_") for line in lines("ExecStart") + lines("ExecStartPre")]
    assert commands == ["serve", "check_config"]
    assert set(commands) <= set(COMMANDS)
    keys = {f"{ENVIRONMENT_PREFIX}{key.upper()}" for key in Settings.model_fields}
    variables = {line.partition("=")[0] for line in lines("Environment")}
    assert variables <= keys | {f"{ENVIRONMENT_PREFIX}CONFIG", SECRETS_VARIABLE, "PYTHONDONTWRITEBYTECODE"}
    assert [line.partition(":")[0] for line in lines("LoadCredential")] == list(SECRET_KEYS)


def test_what_is_in_flight_is_finished_before_systemd_kills() -> None:
    (stop,) = lines("TimeoutStopSec")
    assert int(stop.removesuffix("s")) > GRACE_SECONDS


def test_nothing_secret_is_given_in_the_environment() -> None:
    assert not [line for line in lines("Environment") if re.search(r"SECRET=|TOKEN=|STORE=", line)]
