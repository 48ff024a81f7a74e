"""The score of the last mutation run, one row a module, as docs/mutation.md shows it.

``make mutation`` runs the mutants and then this. A mutant counts as killed when a test failed on it or never
ended.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

RESULTS = Path("mutants")
SURVIVED = 0
"""The exit code of a test run that noticed nothing."""


def scores(results: Path) -> Iterator[tuple[str, int, int]]:
    """Module, number of mutants run, number of them that survived. A mutant not run is not counted."""
    for path in sorted(results.rglob("*.py.meta")):
        codes = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"].values()
        run = [code for code in codes if code is not None]
        if run:
            module = path.relative_to(results).as_posix().removesuffix(".py.meta").replace("/", ".")
            yield module.removeprefix("fhir_mappings."), len(run), run.count(SURVIVED)


def table(rows: list[tuple[str, int, int]]) -> str:
    """The rows and their sum as a table of Markdown."""
    total, left = sum(run for _, run, _ in rows), sum(survived for _, _, survived in rows)
    lines = ["| Module | Mutants | Killed | Survived | Score |", "|---|---|---|---|---|"]
    lines.extend(_row(f"`{name}`", run, survived) for name, run, survived in rows)
    return "\n".join([*lines, _row("together", total, left)])


def _row(name: str, run: int, survived: int) -> str:
    return f"| {name} | {run} | {run - survived} | {survived} | {100 * (run - survived) / run:.1f} % |"


def main() -> int:
    """Print the table; 2 where nothing was run."""
    rows = list(scores(RESULTS))
    if not rows:
        print(f"no results under {RESULTS}/: run `make mutation` first", file=sys.stderr)
        return 2
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
