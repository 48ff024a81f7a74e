"""The locks as the tests of this folder read them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = tuple(sorted(path.name for path in (ROOT / "requirements").glob("*.lock")))
ENVIRONMENTS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("runtime.lock",): ("postgresql",),
    ("runtime.lock", "otel.lock"): ("postgresql", "otel"),
    ("dev.lock",): ("postgresql", "otel", "dev"),
}
"""Locks that are installed together, and the extras of pyproject.toml that they are for."""
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+) \\$", re.MULTILINE)


def lock_text(name: str) -> str:
    return (ROOT / "requirements" / name).read_text("utf-8")


def pins(name: str) -> dict[str, str]:
    """Every package of a lock and its version."""
    return {canonicalize_name(project): version for project, version in _PIN.findall(lock_text(name))}


def project_table() -> dict[str, Any]:
    """What pyproject.toml says of the project."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return table


def pins_of(locks: tuple[str, ...]) -> dict[str, str]:
    """Every package of several locks and its version."""
    return {name: version for lock in locks for name, version in pins(lock).items()}


def wanted(extras: tuple[str, ...]) -> list[Requirement]:
    """What pyproject.toml asks for with these extras."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    texts = table["dependencies"] + [
        text for extra in extras for text in table["optional-dependencies"][extra]
    ]
    return [Requirement(text) for text in texts]
