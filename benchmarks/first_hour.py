"""How long a newcomer waits, and what is downloaded: a fresh clone, no cache, the commands.

    python3 benchmarks/first_hour.py              the demonstration, twice
    python3 benchmarks/first_hour.py --tests      and make test-quick, make test

Prints the rows of the table in README.md. Needs git, make and the package index; standard library only.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ADDRESS, FIRST_CARD = "Demo EHR:", "[CRITICAL]"


class Stranger:
    """Somebody with a clone and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.clone = folder / "clone"
        self.wheels = folder / "wheels"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(self.clone)], check=True)
        foreign = ("MAKEFLAGS", "MAKELEVEL", "VIRTUAL_ENV")
        self.environment = {name: value for name, value in os.environ.items() if name not in foreign}
        self.environment["PIP_NO_CACHE_DIR"] = "1"

    def make(self, *arguments: str, until: tuple[str, ...] = ()) -> tuple[float, dict[str, float]]:
        """Seconds that a target takes, and after how many each text of ``until`` was first printed.

        Raises:
            subprocess.CalledProcessError: when the target fails.
        """
        command = ["make", *arguments]
        start = time.perf_counter()
        seen: dict[str, float] = {}
        with subprocess.Popen(
            command, cwd=self.clone, env=self.environment, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                for text in until:
                    if text in line:
                        seen.setdefault(text, time.perf_counter() - start)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        return time.perf_counter() - start, seen

    def downloads(self, lock: str) -> float:
        """Megabytes of files that a lock brings beyond those of the locks before it."""
        before = _bytes(self.wheels)
        pip = [str(self.clone / ".venv/bin/python"), "-m", "pip", "download", "--quiet", "--no-deps"]
        files = ["--dest", str(self.wheels), "--requirement", f"requirements/{lock}"]
        subprocess.run([*pip, *files], cwd=self.clone, env=self.environment, check=True)
        return (_bytes(self.wheels) - before) / 1e6

    def installed(self) -> float:
        """Megabytes of the environment."""
        return _bytes(self.clone / ".venv") / 1e6


def _bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*"))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tests", action="store_true", help="also measure make test-quick and make test")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="first-hour-"))
    try:
        measure(Stranger(folder), tests=given.tests)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def measure(stranger: Stranger, *, tests: bool) -> None:
    """Prints a row for each command."""
    print("| Command | Address | First card | Ends | Downloaded | Installed |\n|---|---|---|---|---|---|")
    for name, lock in (("`make demo ONCE=1`, no cache", "runtime.lock"), ("the same again", "")):
        seconds, seen = stranger.make("demo", "ONCE=1", "PORT=0", until=(ADDRESS, FIRST_CARD))
        waits = (f"{seen[text]:.1f} s" for text in (ADDRESS, FIRST_CARD))
        print(f"| {name} | {' | '.join(waits)} | {seconds:.0f} s | {sizes(stranger, lock)} |", flush=True)
    targets = {"venv": "dev.lock", "test-quick": "", "test": ""} if tests else {}
    for target, lock in targets.items():
        seconds, _ = stranger.make(target)
        print(f"| `make {target}` | | | {seconds:.0f} s | {sizes(stranger, lock)} |", flush=True)


def sizes(stranger: Stranger, lock: str) -> str:
    """What was downloaded, and what is installed by now."""
    new = f"{stranger.downloads(lock):.0f} MB" if lock else "nothing"
    return f"{new} | {stranger.installed():.0f} MB"


if __name__ == "__main__":
    sys.exit(main())
