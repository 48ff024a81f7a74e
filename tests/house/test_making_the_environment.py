"""make tells a newcomer what is missing, and makes an environment anew that cannot work any more."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.locks import ROOT

# Stands for a Python: it refuses what its name lists, and makes an environment that holds itself.
STAND_IN = """#!/bin/sh
case "$*" in
  *version_info*) exit {old} ;;
  *ensurepip*) exit {bare} ;;
  "-m venv --clear "*) shift 3; mkdir -p "$1/bin"; cp "$0" "$1/bin/python"; echo made >> "$1/../made-times" ;;
esac
"""

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="NOT SHOWN: there is no make here")


def stand_in(folder: Path, *, old: int = 0, bare: int = 0) -> Path:
    path = folder / "some python"
    path.write_text(STAND_IN.format(old=old, bare=bare), "utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with a blank in its name that holds the Makefile."""
    folder = tmp_path / "a clone"
    folder.mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    return folder


def make(clone: Path, python: Path | str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", f"PYTHON={python}", "VENV=.venv", ".venv/.made"]
    return subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)


def times_made(clone: Path) -> int:
    return len((clone / "made-times").read_text("utf-8").splitlines())


def test_a_missing_python_is_told(clone: Path) -> None:
    told = make(clone, "python-that-is-not-there")
    assert told.returncode != 0
    assert "install Python 3.11 or newer" in told.stdout


def test_an_old_python_is_told(clone: Path) -> None:
    told = make(clone, stand_in(clone, old=1))
    assert told.returncode != 0
    assert "too old: Python 3.11 or newer" in told.stdout


def test_a_python_without_environments_is_told_with_the_package_that_brings_them(clone: Path) -> None:
    told = make(clone, stand_in(clone, bare=1))
    assert told.returncode != 0
    assert "apt-get install python3-venv" in told.stdout


def test_an_environment_is_made_once(clone: Path) -> None:
    python = stand_in(clone)
    for _ in range(2):
        done = make(clone, python)
        assert done.returncode == 0, done.stdout + done.stderr
    assert times_made(clone) == 1


def test_an_environment_that_was_moved_is_made_anew(clone: Path) -> None:
    make(clone, stand_in(clone))
    moved = clone.rename(clone.with_name("another clone"))
    assert make(moved, moved / "some python").returncode == 0
    assert times_made(moved) == 2


def test_an_environment_whose_python_is_gone_is_made_anew(clone: Path) -> None:
    python = stand_in(clone)
    make(clone, python)
    (clone / ".venv" / "bin" / "python").unlink()
    assert make(clone, python).returncode == 0
    assert times_made(clone) == 2


def test_an_environment_that_was_broken_off_is_made_anew(clone: Path) -> None:
    python = stand_in(clone)
    make(clone, python)
    (clone / ".venv" / ".made").unlink()
    assert make(clone, python).returncode == 0
    assert times_made(clone) == 2
