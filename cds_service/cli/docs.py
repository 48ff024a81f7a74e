"""``relapse-cds docs``: writes the generated documents, or checks that they are current."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from cds_service.cli.faults import FAILED, Unusable


def add_parser(subparsers: Any) -> None:
    """``docs [--check] [--root DIR]``."""
    parser = subparsers.add_parser(
        "docs",
        help="write the generated documents of the repository",
        description="Writes the documents that are generated from the knowledge and the code.",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail where one is not current")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository (default: here)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write or check every document."""
    from cds_service.documents import DOCUMENTS, FOLDERS

    if not (args.root / "pyproject.toml").is_file():
        raise Unusable("--root: no pyproject.toml there; name the directory of the repository")
    stale = 0
    texts = {document.path: document.make(args.root) for document in DOCUMENTS}
    for folder in FOLDERS:
        pages = {f"{folder.path}/{name}": text for name, text in folder.make(args.root).items()}
        stale += _left_over(args.root / folder.path, {Path(name).name for name in pages}, args.check)
        texts |= pages
    for name, text in texts.items():
        path = args.root / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if args.check:
            sys.stdout.write(f"{name} is not current; run: relapse-cds docs\n")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {name}\n")
    return FAILED if stale and args.check else 0


def _left_over(folder: Path, names: set[str], check: bool) -> int:
    """How many documents of a folder nothing makes any more; they are removed unless only checked."""
    found = [path for path in sorted(folder.glob("*.md")) if path.name not in names]
    for path in found:
        sys.stdout.write(f"{path} is made by nothing{'' if check else ', removed'}\n")
        if not check:
            path.unlink()
    return len(found)
