"""The last good answer of the registry, kept between runs."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Raw

FILE_NAME = "relapse-cds-trials.json"


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """Studies as the registry sent them. ``fetched_at`` is aware; ``origin`` is ``api`` or ``file``."""

    fetched_at: datetime
    origin: str
    records: tuple[bytes, ...]


class TrialCache(Protocol):
    """Where the last good answer is kept."""

    def load(self) -> CachedAnswer | None:
        """The last good answer; None where there is none or it cannot be read."""

    def save(self, answer: CachedAnswer) -> None:
        """Keep ``answer`` in place of the one before. Raises OSError when it cannot be written."""


class _File(msgspec.Struct, rename="camel"):
    fetched_at: datetime
    origin: str
    studies: list[Raw]


class FileTrialCache:
    """One JSON file, replaced as a whole, so that a reader never sees half of it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> CachedAnswer | None:
        """The answer in the file."""
        try:
            content = msgspec.json.decode(self._path.read_bytes(), type=_File)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None
        if content.fetched_at.tzinfo is None:
            return None
        return CachedAnswer(content.fetched_at, content.origin, tuple(bytes(raw) for raw in content.studies))

    def save(self, answer: CachedAnswer) -> None:
        """Write a new file beside the old one, then put it in its place."""
        content = _File(answer.fetched_at, answer.origin, [Raw(record) for record in answer.records])
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(msgspec.json.encode(content))
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).replace(self._path)
        except OSError:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise


class MemoryTrialCache:
    """Kept for the life of the process only."""

    def __init__(self) -> None:
        self._answer: CachedAnswer | None = None

    def load(self) -> CachedAnswer | None:
        """The last answer saved here."""
        return self._answer

    def save(self, answer: CachedAnswer) -> None:
        """Keep ``answer``."""
        self._answer = answer
