"""The locks hold everything that is asked for, on every Python and machine they are meant for.

Nothing is resolved when a lock is installed, so what it lacks would be missing. The requirements of the
packages are read from their own metadata, as installed from the lock.
"""

from __future__ import annotations

import tomllib
from collections import deque
from collections.abc import Iterable
from importlib import metadata
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.house.locks import ENVIRONMENTS, LOCKS, ROOT, pins, pins_of, wanted

PYTHONS = ("3.11.0", "3.11.14", "3.12.0", "3.12.12", "3.13.0", "3.14.0")
MACHINES = (("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("darwin", "x86_64"))
OUTSIDE_THE_LOCKS = {"mutation", "parquet", "spark"}
"""Extras whose packages no lock holds; pyproject.toml says why."""


def place(python: str, system: str, machine: str) -> dict[str, str]:
    """What the markers of a requirement are judged by."""
    return {name: str(value) for name, value in default_environment().items()} | {
        "python_full_version": python,
        "python_version": python.rpartition(".")[0],
        "implementation_version": python,
        "sys_platform": system,
        "platform_system": system.capitalize(),
        "platform_machine": machine,
        "os_name": "posix",
    }


PLACES = [
    pytest.param(place(python, *machine), id=f"{python}-{'-'.join(machine)}")
    for python in PYTHONS
    for machine in MACHINES
]


def missing(
    asked: Iterable[Requirement],
    pinned: dict[str, str],
    where: dict[str, str],
    requires: Any = metadata.requires,
) -> list[str]:
    """What the requirements, and theirs in turn with each extra they name, ask for and no pin meets."""
    waiting = deque((requirement, "pyproject.toml") for requirement in asked)
    seen: set[tuple[str, str]] = set()
    lacking = []
    while waiting:
        requirement, asker = waiting.popleft()
        name = canonicalize_name(requirement.name)
        version = pinned.get(name)
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            lacking.append(f"{asker} asks for {requirement}, the lock holds {version}")
            continue
        # The empty extra stands for what is asked for without one.
        for extra in {"", *requirement.extras}:
            if (name, extra) not in seen:
                seen.add((name, extra))
                texts = (Requirement(text) for text in requires(name) or ())
                waiting += ((one, name) for one in texts if applies(one, where, extra))
    return sorted(set(lacking))


def applies(requirement: Requirement, where: dict[str, str], extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(where | {"extra": extra})


@pytest.mark.parametrize("lock", LOCKS)
def test_what_is_installed_is_what_the_locks_pin(lock: str) -> None:
    installed = {name: metadata.version(name) for name in pins(lock)}
    assert installed == pins(lock), "run make venv"


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("locks", ENVIRONMENTS, ids="+".join)
def test_every_requirement_is_met_by_the_locks_alone(locks: tuple[str, ...], where: dict[str, str]) -> None:
    asked = [one for one in wanted(ENVIRONMENTS[locks]) if applies(one, where, "")]
    assert missing(asked, pins_of(locks), where) == []


def test_every_extra_is_in_a_lock_or_said_to_be_outside() -> None:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    locked = {extra for extras in ENVIRONMENTS.values() for extra in extras}
    assert set(table["optional-dependencies"]) == locked | OUTSIDE_THE_LOCKS
    assert {lock for locks in ENVIRONMENTS for lock in locks} == set(LOCKS)


def test_what_builds_the_project_is_in_the_lock_of_the_service() -> None:
    # The checkout is installed without build isolation, so its build backend has to be there.
    table = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked = [Requirement(text) for text in table["build-system"]["requires"]]
    assert missing(asked, pins("runtime.lock"), place("3.11.0", "linux", "x86_64")) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pinned_package_takes_every_python_that_the_project_takes(lock: str) -> None:
    ranges = {name: metadata.metadata(name)["Requires-Python"] for name in pins(lock)}
    refused = {
        f"{name} on {python}"
        for name, range_ in ranges.items()
        for python in PYTHONS
        if range_ and python not in SpecifierSet(range_)
    }
    assert refused == set()


METADATA = {
    "tool": [
        'plain>=2; python_version < "3.13"',
        'colour; extra == "colour"',
        'mac; sys_platform == "darwin"',
    ],
    "plain": [],
    "colour": ["ink[red]"],
    "ink": ['pigment; extra == "red"'],
    "pigment": [],
    "mac": [],
}


@pytest.mark.parametrize(
    ("asked", "pinned", "python", "system", "lacking"),
    [
        ("tool", {"tool": "1", "plain": "2"}, "3.11.0", "linux", []),
        ("tool", {"tool": "1", "plain": "1"}, "3.11.0", "linux", ["tool asks for plain>=2"]),
        ("tool", {"tool": "1"}, "3.12.0", "linux", ["tool asks for plain>=2"]),
        ("tool", {"tool": "1"}, "3.13.0", "linux", []),
        ("tool", {"tool": "1"}, "3.13.0", "darwin", ["tool asks for mac"]),
        ("tool[colour]", {"tool": "1"}, "3.13.0", "linux", ["tool asks for colour"]),
        (
            "tool[colour]",
            {"tool": "1", "colour": "1", "ink": "1"},
            "3.13.0",
            "linux",
            ["ink asks for pigment"],
        ),
        ("tool>=2", {"tool": "1"}, "3.13.0", "linux", ["pyproject.toml asks for tool>=2"]),
    ],
)
def test_a_gap_is_found(
    asked: str, pinned: dict[str, str], python: str, system: str, lacking: list[str]
) -> None:
    where = place(python, system, "x86_64")
    found = missing([Requirement(asked)], pinned, where, METADATA.__getitem__)
    assert [line.partition(";")[0].partition(", the lock")[0] for line in found] == lacking
