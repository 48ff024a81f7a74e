"""Measures the cohort over an export: CPU seconds of the process tree, memory, and a ratio.

    python -m benchmarks.export --patients 100000 --demo-every 1000 --out EXPORT
    python -m benchmarks.cohort EXPORT --workers 2

CPU seconds count, not the clock: they are nearly the same on a busy machine. The floor is reading
the same files once and ``orjson.loads`` of every line, in the same run, on a part of the export.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson

from benchmarks.export import TODAY
from cds_service.cohort.exports import Shard, chunks, shards_of

_FLOOR_BYTES = 256 * 1024 * 1024
_RUN = "import sys; from cds_service.cli import main; sys.exit(main(sys.argv[1:]))"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command once and prints the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cohort", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("export", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args(arguments)
    shards = shards_of(chosen.export)
    size = sum(shard.size for shard in shards)
    floor, sample_bytes = _floor(shards)
    seconds, wall, peak = _measured(chosen.export, chosen.workers)
    start = _start_seconds(chosen.workers)
    resources = _resources(chosen.export)
    whole_floor = floor * size / sample_bytes
    print(f"{resources:,} resources, {size / 1e6:,.0f} MB, {chosen.workers} processes")
    print(f"CPU {seconds:.1f} s, {start:.1f} s of it to start; wall {wall:.1f} s; peak {peak} MB")
    print(f"{resources / (seconds - start):,.0f} resources per further CPU second")
    ratio = (seconds - start) / whole_floor
    print(f"{ratio:.2f} x reading and orjson.loads of the same lines ({whole_floor:.1f} s)")
    return 0


def _measured(export: Path, workers: int) -> tuple[float, float, int]:
    """CPU and wall seconds of the whole process tree, and the largest resident set of one process in MB."""
    with tempfile.TemporaryDirectory() as folder:
        at = datetime.combine(TODAY, datetime.min.time(), UTC).isoformat()
        command = [sys.executable, "-c", _RUN, "cohort", str(export), "--at", at, "--out", f"{folder}/out"]
        before, started = _children(), time.monotonic()
        done = subprocess.run([*command, "--workers", str(workers)], stdout=subprocess.DEVNULL)
        wall = time.monotonic() - started
    if done.returncode not in (0, 3):
        raise SystemExit(f"the run failed with {done.returncode}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    return _children() - before, wall, peak


def _start_seconds(workers: int) -> float:
    """What it costs to begin: an export of one patient, by as many processes."""
    with tempfile.TemporaryDirectory() as folder:
        export = Path(folder) / "export"
        export.mkdir()
        (export / "Patient.ndjson").write_text('{"resourceType":"Patient","id":"1"}\n')
        return _measured(export, workers)[0]


def _floor(shards: Sequence[Shard]) -> tuple[float, int]:
    """CPU seconds of reading some lines from everywhere and ``orjson.loads`` of each, and their bytes."""
    every = max(1, sum(shard.size for shard in shards) // _FLOOR_BYTES)
    read = 0
    started = time.process_time()
    for lines in _blocks(shards[::every]):
        for line in lines:
            orjson.loads(line)
            read += len(line) + 1
    return time.process_time() - started, read


def _blocks(shards: Sequence[Shard]) -> Iterator[list[bytes]]:
    for shard in shards:
        for chunk in chunks(shard):
            yield [line for line in chunk.lines if line.strip()]


def _resources(export: Path) -> int:
    return sum(len(chunk.lines) for shard in shards_of(export) for chunk in chunks(shard))


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    raise SystemExit(main())
