"""Locks are installed from an index that fails half-way, lies or lacks something, and the outcome is told."""

from __future__ import annotations

import hashlib
import os
import runpy
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.house.locks import ROOT
from tests.house.package_index import EVERY_FILE, PackageIndex

SCRIPT = ROOT / "requirements" / "install.py"
NAMES = ("alpha", "beta", "gamma")
progress: Callable[..., Iterator[str]] = runpy.run_path(str(SCRIPT))["progress"]


def wheel(folder: Path, name: str, *requires: str) -> Path:
    """A package of one empty module."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    about = f"{name}-1.0.dist-info"
    asked = "".join(f"Requires-Dist: {one}\n" for one in requires)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{name}.py", "")
        file.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{asked}")
        file.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(
            f"{about}/RECORD", f"{name}.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n"
        )
    return path


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    for name in NAMES:
        wheel(folder, name)
    return folder


@pytest.fixture(scope="module")
def index(wheels: Path) -> Iterator[PackageIndex]:
    with PackageIndex(wheels).running() as running:
        yield running


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment in a folder with a blank in its name."""
    place = tmp_path_factory.mktemp("made for this") / "en v"
    venv.create(place, with_pip=True, symlinks=True)
    return place / "bin" / "python"


def lock(folder: Path, wheels: Path, *names: str) -> Path:
    lines = []
    for name in names:
        digest = hashlib.sha256((wheels / f"{name}-1.0-py3-none-any.whl").read_bytes()).hexdigest()
        lines.append(f"{name}==1.0 \\\n    --hash=sha256:{digest}\n")
    path = folder / "some.lock"
    path.write_text("".join(lines), "utf-8")
    return path


def install(
    python: Path, index: PackageIndex, *arguments: object, **more: str
) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    environment |= {"PIP_INDEX_URL": index.url, "PIP_NO_CACHE_DIR": "1", "NO_PROXY": "127.0.0.1", **more}
    command = [str(python), str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def installed(python: Path) -> set[str]:
    (packages,) = python.parents[1].glob("lib/python*/site-packages")
    return {name for name in NAMES if (packages / f"{name}.py").exists()}


def test_an_index_that_fails_half_way_is_told_and_a_second_run_repairs_it(
    tmp_path: Path, wheels: Path, index: PackageIndex, python: Path
) -> None:
    path = lock(tmp_path, wheels, *NAMES)
    index.serves = 1
    failed = install(python, index, path)
    assert failed.returncode != 0
    assert "run the same" in failed.stderr
    assert installed(python) == set()
    index.serves = EVERY_FILE
    done = install(python, index, path)
    assert (done.returncode, done.stderr) == (0, "")
    assert installed(python) == set(NAMES)


def test_a_file_that_is_not_the_pinned_one_is_refused(
    tmp_path: Path, wheels: Path, index: PackageIndex, python: Path
) -> None:
    wheel(wheels, "delta")
    path = lock(tmp_path, wheels, "delta")
    wheel(wheels, "delta", "alpha")
    refused = install(python, index, path)
    assert refused.returncode != 0
    assert "HASHES" in refused.stderr


def test_what_the_lock_lacks_is_neither_fetched_nor_passed_over(
    tmp_path: Path, wheels: Path, index: PackageIndex, python: Path
) -> None:
    wheel(wheels, "epsilon", "zeta")
    wheel(wheels, "zeta")
    refused = install(python, index, lock(tmp_path, wheels, "epsilon"))
    assert refused.returncode != 0
    assert "epsilon 1.0 requires zeta" in refused.stderr
    assert "make clean" in refused.stderr
    subprocess.run([python, "-m", "pip", "uninstall", "-qqy", "epsilon"], check=True)


@pytest.mark.parametrize(
    "foreign", ["PIP_USER=1", "PIP_CONSTRAINT=no-such-file", "PIP_TARGET=elsewhere", "PYTHONPATH=elsewhere"]
)
def test_a_persons_own_settings_of_pip_change_nothing(
    tmp_path: Path, wheels: Path, index: PackageIndex, python: Path, foreign: str
) -> None:
    name, _, value = foreign.partition("=")
    done = install(python, index, lock(tmp_path, wheels, "alpha"), **{name: value})
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [(), ("--project",), ("--help",)])
def test_a_call_without_a_lock_tells_how(
    python: Path, index: PackageIndex, arguments: tuple[str, ...]
) -> None:
    told = install(python, index, *arguments)
    assert (told.returncode, told.stderr.startswith("usage:")) == (2, True)


def test_progress_on_a_terminal_is_one_line() -> None:
    lines = ["Collecting alpha==1.0 (from -r some.lock)", "  Downloading alpha", "Collecting be==2", "noise"]
    shown = list(progress(lines, 12, live=True))
    assert shown[0] == "\r    1 of 12  alpha 1.0"
    assert shown[1] == "\r" + "    2 of 12  be 2".ljust(len("    1 of 12  alpha 1.0"))
    assert shown[-1].strip() == ""
    assert not any("\n" in text for text in shown)


def test_progress_in_a_log_is_a_line_for_ten_packages() -> None:
    lines = [f"Collecting p{number}==1" for number in range(25)] + ["Installing collected packages: p0, p1"]
    assert list(progress(lines, 25, live=False)) == [
        "   10 of 25  p9 1\n",
        "   20 of 25  p19 1\n",
        "   25 of 25  unpacking\n",
    ]


def test_the_script_needs_nothing_but_the_standard_library() -> None:
    isolated = [sys.executable, "-I", "-S", str(SCRIPT)]
    assert subprocess.run(isolated, capture_output=True, check=False).returncode == 2
