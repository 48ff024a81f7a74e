"""The locks as the tests of this folder read them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ("runtime.lock", "dev.lock")
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


def wanted(lock: str) -> list[Requirement]:
    """What pyproject.toml asks of a lock, its extras included."""
    table = project_table()
    extras = ["postgresql"] if lock == "runtime.lock" else ["postgresql", "dev"]
    texts = table["dependencies"] + [
        text for extra in extras for text in table["optional-dependencies"][extra]
    ]
    return [Requirement(text) for text in texts]
