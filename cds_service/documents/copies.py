"""Documents that an installed service shows as pages; ``docs/`` itself is not installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def copy_of(path: str) -> Callable[[Path], str]:
    """What another document holds, given its path below the repository."""
    return lambda root: (root / path).read_text(encoding="utf-8")
