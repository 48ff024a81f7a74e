"""The package as an index shows it, and as somebody builds it who has only the source distribution."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest
import yaml

from fhir_mappings.knowledge.digests import content_digest
from tests.house.locks import ROOT

PACKAGES = ("fhir_mappings", "cds_service")
LEFT_BEHIND = {"__pycache__", "node_modules"}
LINK = re.compile(r"\]\(([^)\s]+)")
# What a clone has and a source distribution needs: everything that git keeps.
KEPT = (
    "Makefile",
    "pyproject.toml",
    "setup.py",
    "MANIFEST.in",
    "LICENSE",
    "requirements",
    "docs",
    "tests",
    ".ci",
)


def files_below(folder: Path) -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not LEFT_BEHIND & set(path.parts) and path.suffix not in {".pyc", ".db"}
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("built")
    checkout = folder / "checkout"
    ignored = shutil.ignore_patterns(*LEFT_BEHIND, ".venv", ".git", ".cache", "dist", "build", "*.egg-info")
    shutil.copytree(ROOT, checkout, ignore=ignored)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(checkout)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder


@pytest.fixture(scope="module")
def in_source(built: Path) -> set[str]:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as file:
        return {name.partition("/")[2] for name in file.getnames()}


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    (path,) = built.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def about(wheel: zipfile.ZipFile) -> Message:
    (name,) = [one for one in wheel.namelist() if one.endswith(".dist-info/METADATA")]
    return message_from_bytes(wheel.read(name))


def test_the_wheel_has_every_file_of_the_packages(wheel: zipfile.ZipFile) -> None:
    expected = {name for package in PACKAGES for name in files_below(ROOT / package)}
    assert len(expected) > 150
    assert expected - set(wheel.namelist()) == set()


def test_the_wheel_has_the_clinical_pages_and_the_digest_of_its_knowledge(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    for page in sorted((ROOT / "docs/clinical").rglob("*.md")):
        name = f"cds_service/pages/clinical/{page.relative_to(ROOT / 'docs/clinical').as_posix()}"
        assert wheel.read(name) == page.read_bytes(), name
    assert "fhir_mappings/knowledge/packaged.digest" in names
    shipped = wheel.read("fhir_mappings/knowledge/packaged.digest").decode().strip()
    assert shipped == content_digest(ROOT / "fhir_mappings/knowledge/relapsed_all")


def test_the_source_distribution_is_the_whole_project(in_source: set[str]) -> None:
    expected = {name for part in KEPT for name in (files_below(ROOT / part) or {part})}
    assert expected - in_source == set()


def test_the_metadata_are_complete(about: Message) -> None:
    assert about["Author"] == "The relapse-cds authors"
    assert about["License-Expression"] == "Apache-2.0"
    assert about["Requires-Python"] == ">=3.11"
    assert len(about.get_all("Classifier") or []) >= 10
    assert len(about["Keywords"].split(",")) >= 5
    urls = dict(text.split(", ", 1) for text in about.get_all("Project-URL") or [])
    assert {"Homepage", "Documentation", "Changelog"} <= urls.keys()


def test_every_link_and_picture_of_the_package_page_is_absolute(about: Message) -> None:
    page = str(about.get_payload())
    links = LINK.findall(page)
    assert len(links) > 10
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    home = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]["Homepage"]
    own = {link.removeprefix(home).partition("#")[0] for link in links if link.startswith(home)}
    assert any(name.endswith(".png") for name in own)
    assert [name for name in own if not (ROOT / name).exists()] == []


def test_the_index_accepts_both_files(built: Path) -> None:
    files = [str(path) for path in (*built.glob("*.whl"), *built.glob("*.tar.gz"))]
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_run_before_a_commit_exists() -> None:
    configured = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    entries = [hook["entry"].split() for repo in configured["repos"] for hook in repo["hooks"]]
    assert entries
    targets = (ROOT / "Makefile").read_text("utf-8")
    for command, *arguments in entries:
        if command == "make":
            assert f"\n{arguments[0]}: " in targets
        else:
            assert (ROOT / command).exists() or not (ROOT / ".venv").exists()
