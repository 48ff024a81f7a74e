"""Builds wheel and source archive so that two builds of one commit are the same bytes.

    python deploy/release/build.py OUT

Run it with the environment of requirements/dev.lock, in a checkout. Files come from git, times from the
commit: what lies about in the folder, the clock, the user and the umask have no say. Prints the SHA-256 of
each file.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM_MODE, FILE_MODE = 0o755, 0o644


def build(out: Path, revision: str = "HEAD") -> list[Path]:
    """Builds both from a commit into a folder; returns the files."""
    epoch = int(_git("log", "-1", "--format=%ct", revision))
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        checkout, raw = Path(folder, "checkout"), Path(folder, "raw")
        raw.mkdir()
        with tarfile.open(fileobj=io.BytesIO(_archive(revision))) as archive:
            archive.extractall(checkout, filter="data")
        _call_backend(checkout, raw, epoch)
        (wheel,), (source,) = raw.glob("*.whl"), raw.glob("*.tar.gz")
        made = [out / wheel.name, out / source.name]
        made[0].write_bytes(settled_wheel(wheel.read_bytes(), epoch))
        made[1].write_bytes(settled_source(source.read_bytes(), epoch))
    return made


def _call_backend(checkout: Path, out: Path, epoch: int) -> None:
    program = (
        "import sys; from setuptools import build_meta as backend; out = sys.argv[1]; "
        "backend.build_sdist(out); backend.build_wheel(out)"
    )
    environ = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch), "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-W", "ignore", "-c", program, str(out)]
    subprocess.run(command, cwd=checkout, env=environ, check=True, stdout=subprocess.DEVNULL)


def settled_wheel(data: bytes, epoch: int) -> bytes:
    """The same wheel with its members in order, at one time, with plain modes."""
    # A zip file knows no time before 1980.
    at = datetime.fromtimestamp(max(epoch, 315_532_800), UTC).timetuple()[:6]
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as wheel,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new,
    ):
        for name in sorted(wheel.namelist()):
            member = zipfile.ZipInfo(name, at)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system = 3
            member.external_attr = (0o100000 | FILE_MODE) << 16
            new.writestr(member, wheel.read(name))
    return out.getvalue()


def settled_source(data: bytes, epoch: int) -> bytes:
    """The same archive with its members in order, at one time, of nobody."""
    packed = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(data)) as source,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in sorted(source.getmembers(), key=lambda one: one.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = epoch, 0, 0, "", ""
            member.mode = PROGRAM_MODE if member.isdir() or member.mode & 0o100 else FILE_MODE
            member.pax_headers = {}
            new.addfile(member, source.extractfile(member) if member.isfile() else None)
    return gzip.compress(packed.getvalue(), compresslevel=9, mtime=epoch)


def _archive(revision: str) -> bytes:
    return subprocess.run(["git", "archive", revision], cwd=ROOT, check=True, capture_output=True).stdout


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def main() -> None:
    """Builds into the folder that was named, and prints digests as ``sha256sum`` does."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    for path in build(Path(sys.argv[1])):
        print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}")


if __name__ == "__main__":
    main()
