"""Kept lines on disk: one file a shard, in it the lines of each bucket of patients together.

A bucket is a range of the sorted ids, so that the rows of all buckets, one after the other, are sorted too.
A segment is a table of places (one 64-bit number a bucket and one more) and then the buckets' lines, each
``patient TAB line NEWLINE``; a shard with much to keep has several segments.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from typing import IO

PATIENTS_PER_BUCKET = 64
SEGMENT_BYTES = 8 * 1024 * 1024


def buckets_of(patients: list[str]) -> dict[str, int]:
    """The bucket of each patient; ``patients`` are sorted."""
    return {patient: number // PATIENTS_PER_BUCKET for number, patient in enumerate(patients)}


class KeptLines:
    """Collects the lines of one shard and writes a segment whenever there are many."""

    def __init__(self, file: IO[bytes], buckets: Mapping[str, int]) -> None:
        self._file = file
        self._buckets = buckets
        self._count = max(buckets.values(), default=-1) + 1
        self._waiting: dict[int, list[bytes]] = {}
        self._size = 0

    def add(self, patient: str, line: bytes) -> None:
        """Keeps one line."""
        kept = b"%b\t%b\n" % (patient.encode(), line.strip())
        self._waiting.setdefault(self._buckets[patient], []).append(kept)
        self._size += len(kept)
        if self._size >= SEGMENT_BYTES:
            self.flush()

    def flush(self) -> None:
        """Writes what is waiting."""
        if not self._waiting:
            return
        parts = [b"".join(self._waiting.get(number, ())) for number in range(self._count)]
        self._file.write(array("Q", [0, *accumulate(map(len, parts))]).tobytes())
        self._file.writelines(parts)
        self._waiting.clear()
        self._size = 0


def read_bucket(path: Path, bucket: int, count: int) -> Iterator[tuple[str, bytes]]:
    """The lines that one shard kept for a bucket, each with its patient."""
    table = array("Q")
    width = table.itemsize
    with path.open("rb") as file:
        while True:
            start = file.tell() + (count + 1) * width
            file.seek(bucket * width, 1)
            ends = array("Q", file.read(2 * width))
            if len(ends) < 2:
                return
            file.seek(start - width)
            whole = array("Q", file.read(width))[0]
            file.seek(start + ends[0])
            for kept in file.read(ends[1] - ends[0]).splitlines():
                patient, _tab, line = kept.partition(b"\t")
                yield patient.decode(), line
            file.seek(start + whole)
