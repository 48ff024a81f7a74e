"""The documents that are generated from the knowledge, the clinical cases and the code.

To add one: a module with a function that takes the root of the repository and returns the text, and
one line in ``DOCUMENTS``. The text must depend on nothing but the files of the repository.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Document:
    """A generated document: its path below the repository, and what makes its text from the root."""

    path: str
    make: Callable[[Path], str]


DOCUMENTS: tuple[Document, ...] = ()
"""Every generated document."""
