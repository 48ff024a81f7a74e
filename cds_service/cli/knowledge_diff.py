"""``relapse-cds knowledge diff``: what changed since another version, in words for the changelog."""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cds_service.cli.faults import Unusable

_INSIDE = "fhir_mappings/knowledge/relapsed_all"


def run(args: argparse.Namespace) -> int:
    """Print one line a change, or that nothing changed."""
    from fhir_mappings.assess import KnowledgeError
    from fhir_mappings.knowledge.review.content import PACKAGED, differences

    with _before(args.version) as before:
        try:
            found = differences(before, args.directory or PACKAGED)
        except KnowledgeError as error:
            sys.stderr.write(f"{error}\n")
            raise Unusable("one of the two cannot be read by this version; see above") from None
    sys.stdout.writelines(f"- {line}\n" for line in found)
    if not found:
        sys.stdout.write("No number, criterion, option, sentence or code changed.\n")
    return 0


@contextmanager
def _before(version: str) -> Iterator[Path]:
    """The folder of the other knowledge: as named, or out of the checkout's history."""
    if Path(version).is_dir():
        yield _knowledge_in(Path(version))
        return
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(_archived(version))) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder) / _INSIDE


def _knowledge_in(folder: Path) -> Path:
    return folder / _INSIDE if (folder / _INSIDE).is_dir() else folder


def _archived(version: str) -> bytes:
    """The knowledge of a tag or commit as a tar file. Raises Unusable."""
    git = shutil.which("git")
    root = Path(__file__).parents[2]
    if git is None or not (root / ".git").exists() or version.startswith("-"):
        raise Unusable(f"{version}: no such folder; in a checkout with git a tag or a commit will do, too")
    done = subprocess.run(  # noqa: S603  (git itself, no shell, and no option can be smuggled in)
        [git, "-C", str(root), "archive", "--format=tar", version, "--", _INSIDE],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise Unusable(f"{version}: no folder, and no version in the history that holds {_INSIDE}")
    return done.stdout
