"""Digests of knowledge files: the same on every machine, in a checkout and in an installed package.

The build of the package reads this file by itself, so it imports nothing but the standard library.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

SHIPPED = "packaged.digest"
"""The file beside the knowledge in a built package: the digest of the knowledge it was built with."""
_DIGESTED = frozenset({".toml", ".csv", ".py"})


def content_digest(directory: Path) -> str:
    """``sha256:`` over names and contents of all TOML, CSV and Python files below ``directory``.

    Line ends are normalised and names are relative, so every machine and every checkout gets the same digest.
    """
    names = {
        path.relative_to(directory).as_posix(): path
        for path in directory.rglob("*")
        if path.suffix in _DIGESTED and path.is_file()
    }
    digest = hashlib.sha256()
    for name in sorted(names):
        content = names[name].read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return f"sha256:{digest.hexdigest()}"


def file_digest(path: Path) -> str:
    """``sha256:`` over the content of one file, line ends normalised."""
    content = path.read_bytes().replace(b"\r\n", b"\n")
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def shipped_digest(directory: Path) -> str:
    """The digest with which the knowledge in ``directory`` was packaged; empty in a checkout.

    Raises OSError for a file that is there and cannot be read.
    """
    path = directory.parent / SHIPPED
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


def text_digest(parts: Iterable[str]) -> str:
    """``sha256:`` over texts in their order."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(f"{len(data)}\0".encode())
        digest.update(data)
    return f"sha256:{digest.hexdigest()}"
