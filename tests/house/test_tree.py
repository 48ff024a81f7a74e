"""House rules of the whole tree: sizes, names, and nothing that belongs to one machine."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("fhir_mappings", "cds_service", "tests", "docs", "deploy", "benchmarks", "requirements", ".ci")
TEXT = {
    ".py",
    ".toml",
    ".csv",
    ".md",
    ".html",
    ".css",
    ".js",
    ".json",
    ".sh",
    ".txt",
    ".ini",
    ".yml",
    ".yaml",
    "",
}
FORBIDDEN_WORDS = {"utils", "util", "helpers", "helper", "manager", "managers"}
FORBIDDEN_NAMES = {"process", "processing", "misc", "common"}
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|home|Users|tmp/team)/")
LONGEST_MODULE = 400


def files_of(*parts: str) -> Iterator[Path]:
    for part in parts:
        for path in sorted((ROOT / part).rglob("*")):
            inside = path.relative_to(ROOT).parts
            if path.is_file() and not {"__pycache__", "node_modules"} & set(inside):
                yield path


def top_level_files() -> list[Path]:
    names = ("pyproject.toml", "Makefile", "README.md", "CHANGELOG.md", ".editorconfig", ".gitignore")
    return [ROOT / name for name in names if (ROOT / name).exists()]


def modules() -> list[Path]:
    return [path for path in files_of(*PARTS) if path.suffix == ".py"]


def test_the_tree_was_found() -> None:
    assert len(modules()) > 20
    assert any(path.suffix == ".toml" for path in files_of("fhir_mappings"))


def test_no_module_is_longer_than_one_can_hold() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in modules()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_modules_are_named_after_a_subject() -> None:
    vague = []
    for path in modules():
        names = set(path.relative_to(ROOT).with_suffix("").parts)
        words = {word for name in names for word in name.split("_")}
        if names & FORBIDDEN_NAMES or words & FORBIDDEN_WORDS:
            vague.append(str(path.relative_to(ROOT)))
    assert vague == []


def test_nothing_points_into_the_machine_it_was_written_on() -> None:
    found = []
    for path in [*files_of(*PARTS), *top_level_files()]:
        if path.suffix in TEXT and path != Path(__file__):
            lines = path.read_text("utf-8", errors="replace").splitlines()
            hits = [number for number, line in enumerate(lines, start=1) if MACHINE_PATH.search(line)]
            found += [f"{path.relative_to(ROOT)}:{number}" for number in hits]
    assert found == []


@pytest.mark.parametrize("line", ["/work/x", "at /root/.pyenv", '"/home/me/y"', "/Users/me"])
def test_the_search_for_machine_paths_finds_them(line: str) -> None:
    assert MACHINE_PATH.search(f"{line}/")


@pytest.mark.parametrize("part", ["fhir_mappings", "cds_service", "tests"])
def test_every_toml_file_parses(part: str) -> None:
    for path in files_of(part):
        if path.suffix == ".toml":
            tomllib.loads(path.read_text("utf-8"))


def test_no_symbolic_links_lead_out_of_the_tree() -> None:
    links = [path for path in files_of(*PARTS) if path.is_symlink()]
    assert [str(path) for path in links if not path.resolve().is_relative_to(ROOT)] == []


def test_the_check_script_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
