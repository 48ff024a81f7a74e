"""Installs locks into the environment of the Python that runs this, and proves that nothing is missing.

    .venv/bin/python requirements/install.py [--project] requirements/runtime.lock

With --project the checkout itself follows, editable, so that its command and its metadata are there.

A lock is installed as it stands, with its hashes and without resolving: a release of tomorrow cannot change
what today's commit installs, with the pip of any Python. pip stays the installer because it reads what a
hospital's network has set already (pip.conf, PIP_INDEX_URL, PIP_CERT). uv is faster, reads none of that, and
has to be downloaded first: 18 MB beside the 24 MB of the service's libraries. Standard library only: it runs
before anything is there.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_PIN = re.compile(r"^[A-Za-z0-9._-]+==", re.MULTILINE)
_TAKEN = re.compile(r"(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9._-]+)==([^\s;]+)")
_INSTALLING = "Installing collected packages"
# Settings of a person's own pip that would put the packages elsewhere or ask for more than the lock holds.
_FOREIGN = (
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_CONSTRAINT",
    "PIP_REQUIREMENT",
    "PYTHONPATH",
    "PYTHONHOME",
)
_LINES_OF_A_LOG = 10
"""Where nobody watches a terminal, every tenth package is told."""


def main(arguments: list[str]) -> int:
    """Install, check, and say what to do where it fails; returns the exit code."""
    locks = [argument for argument in arguments if argument != "--project"]
    if not locks or any(lock.startswith("-") for lock in locks):
        sys.stderr.write(f"usage: {sys.argv[0]} [--project] LOCK...\n")
        return 2
    for lock in locks:
        if code := _install(lock):
            sys.stderr.write(
                f"\n{lock} was not installed; pip's message stands above. Nothing is broken: run the same\n"
                "command again once the package index answers.\n"
            )
            return code
    if "--project" in arguments and (code := _install_project()):
        return code
    return _check()


def _pip(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    return kept | {"PIP_USER": "0", "PYTHONUNBUFFERED": "1"}


def _install(lock: str) -> int:
    total = len(_PIN.findall(Path(lock).read_text("utf-8")))
    print(f"Installing the {total} packages of {lock}, hashes checked ...", flush=True)
    # Byte code is written when a module is first imported; of some libraries that is one module in twenty.
    options = (
        "--require-hashes",
        "--no-deps",
        "--no-compile",
        "--progress-bar",
        "off",
        "--requirement",
        lock,
    )
    with subprocess.Popen(
        _pip("install", *options), stdout=subprocess.PIPE, text=True, encoding="utf-8", errors="replace",
        env=_environment(),
    ) as pip:  # fmt: skip
        assert pip.stdout is not None  # noqa: S101 - PIPE was asked for
        for message in progress(pip.stdout, total, live=sys.stdout.isatty()):
            print(message, end="", flush=True)
    return pip.returncode


def _install_project() -> int:
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    return _told_where_it_fails(_pip("install", *options), f"{ROOT} itself could not be installed.")


def progress(lines: Iterable[str], total: int, *, live: bool) -> Iterator[str]:
    """What to print for the lines of pip: one line that moves on a terminal, a few lines elsewhere."""
    count, width = 0, 0
    for line in lines:
        if found := _TAKEN.match(line.strip()):
            count += 1
            text = f"  {count:3} of {total}  {found[1]} {found[2]}"
        elif line.startswith(_INSTALLING):
            text = f"  {count:3} of {total}  unpacking"
        else:
            continue
        if live:
            yield "\r" + text.ljust(width)
            width = max(width, len(text))
        elif "unpacking" in text or count % _LINES_OF_A_LOG == 0:
            yield text + "\n"
    if live and width:
        yield "\r" + " " * width + "\r"


def _check() -> int:
    return _told_where_it_fails(
        _pip("check"),
        "The environment is not complete. If packages were installed by hand or a lock has changed,\n"
        "'make clean' and the same command again make it anew.",
    )


def _told_where_it_fails(command: list[str], advice: str) -> int:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment())
    if done.returncode:
        sys.stderr.write(f"{done.stdout}{done.stderr}\n{advice}\n")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
