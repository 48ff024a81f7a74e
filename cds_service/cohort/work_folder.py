"""What a run keeps while it goes on, so that it can be stopped and gone on with.

Every part of the work leaves one file, written beside and renamed into place: it is there whole or not at
all. The folder belongs to one run; ``run.json`` says to which.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

import msgspec

Value = TypeVar("Value")
FOLDER = ".work"
_HALF = re.compile(r"\..+\.[0-9]+")


class AnotherRun(Exception):
    """The folder holds the work of another run, or of one that is not to be gone on with."""


class WorkFolder:
    """The folder ``.work`` below the folder of the results."""

    def __init__(self, out: Path) -> None:
        self.place = out / FOLDER

    def begin(self, identity: dict[str, Any], *, resume: bool) -> None:
        """Makes the folder, or takes it over from the run that was stopped. Raises AnotherRun, OSError."""
        told = msgspec.json.encode(identity)
        note = self.place / "run.json"
        if note.exists():
            if not resume:
                raise AnotherRun(
                    "an unfinished run is here; go on with it with --resume, or give another --out"
                )
            if note.read_bytes() != told:
                raise AnotherRun(
                    "the unfinished run was of another export, moment, configuration or version; "
                    "give another --out"
                )
            return
        make_private(self.place)
        with replacing(note) as file:
            file.write(told)

    def path(self, stage: str, name: str) -> Path:
        """The file of one part of the work."""
        return self.place / stage / name

    def write(self, stage: str, name: str, value: Any) -> None:
        """Keeps the result of one part."""
        make_private(self.place / stage)
        with replacing(self.path(stage, name)) as file:
            file.write(msgspec.json.encode(value))

    def read(self, stage: str, name: str, kind: Callable[..., Value] | type[Value]) -> Value:
        """The result of one part that was done."""
        return msgspec.json.decode(self.path(stage, name).read_bytes(), type=kind)

    def remove(self) -> None:
        """Everything is done."""
        shutil.rmtree(self.place, ignore_errors=True)


def whole_files(folder: Path) -> list[Path]:
    """The files of a folder that were written whole; what a killed process left half is none of them."""
    return sorted(file for file in folder.iterdir() if not file.name.startswith("."))


def remove_halves(folder: Path) -> None:
    """Removes what a killed process left half beside the results."""
    for file in folder.iterdir():
        if _HALF.fullmatch(file.name):
            file.unlink(missing_ok=True)


def make_private(folder: Path) -> None:
    """A folder that nobody else may look into. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that is there whole or not at all, and that nobody else may read. Raises OSError."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
