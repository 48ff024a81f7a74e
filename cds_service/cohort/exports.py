"""The files of an export, cut into shards, and the lines of one shard.

NDJSON as Bulk Data writes it (one resource a line, plain or gzip), and files of one JSON resource or
Bundle. A plain file is cut by bytes: a shard owns the lines that begin in it. A gzip file cannot be entered
in the middle and is one shard. Whatever is wrong with a file costs the lines it stands in, and is told.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import msgspec

from cds_service.cohort.heads import Block, head_of, unfolded
from cds_service.cohort.plan import LineFault
from fhir_mappings.assess import Malformed, decode, older_version

SHARD_BYTES = 16 * 1024 * 1024
BLOCK_BYTES = 512 * 1024
LONGEST_LINE = 16 * 1024 * 1024
"""A longer line is named and passed over: no resource that the rules read is near it."""
LARGEST_BUNDLE = 64 * 1024 * 1024
_PEEKED_BYTES = 256 * 1024
_NOT_DATA = frozenset(
    {
        *("manifest.json", "audit.json", "summary.json", "readiness.json", "terminology.json"),
        *("errors.ndjson", "rows.ndjson", "log.ndjson"),
    }
)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_NO_JSON = ((0, "not-json"),)
_BOM = b"\xef\xbb\xbf"


class UnusableExport(Exception):
    """There is nothing that can be read; the message says what was looked for, and where."""


class Shard(msgspec.Struct, frozen=True):
    """A part of one file. ``end`` is the file's length for a part that is read to the end.

    ``may_hold_conditions`` is what name and beginning of the file say: the first step reads only those, and
    a Condition that the second step meets elsewhere is looked at then.
    """

    path: str
    start: int
    end: int
    kind: str
    may_hold_conditions: bool

    @property
    def size(self) -> int:
        """Bytes of the file that are read."""
        return self.end - self.start


@dataclass(slots=True)
class Chunk:
    """Some lines of a shard, the place of the first in the (unpacked) file, and what was lost before them."""

    lines: Sequence[bytes]
    offset: int
    faults: tuple[tuple[int, str], ...] = ()

    def place(self, fault: LineFault) -> int:
        """The offset of a line in the file."""
        return self.offset + sum(len(line) + 1 for line in self.lines[: fault.line])


def shards_of(export: Path, shard_bytes: int = SHARD_BYTES) -> list[Shard]:
    """The shards of an export, in the order of its files. Raises UnusableExport."""
    files = _files(export)
    if not files:
        raise UnusableExport(
            f"{export}: no export is here; give a .ndjson, .ndjson.gz or .json file, or a folder of them"
        )
    return [shard for file in files for shard in _cut(file, shard_bytes)]


def check_version(shards: list[Shard]) -> None:
    """Raises UnusableExport where the first resources of a file have the shape of another FHIR version."""
    for path in dict.fromkeys(shard.path for shard in shards):
        for line in _first_lines(Path(path)):
            try:
                version = older_version(decode(line).resource)
            except Malformed:
                continue
            if version:
                raise UnusableExport(
                    f"{path}: resources in the shape of FHIR {version}; order the export in FHIR R4"
                )


def chunks(shard: Shard) -> Iterator[Chunk]:
    """The lines of a shard. Never raises for what stands in the file; raises OSError for the disk."""
    if shard.kind == "json":
        yield _json_file(shard)
        return
    if shard.kind == "utf-16":
        yield Chunk([], 0, ((0, "not-utf-8"),))
        return
    if shard.kind == "gzip":
        with gzip.open(shard.path, "rb") as packed:
            yield from _lines(cast(IO[bytes], packed), 0, None)
        return
    with Path(shard.path).open("rb", buffering=0) as file:
        yield from _lines(file, shard.start, shard.end)


def _files(export: Path) -> list[Path]:
    if export.is_file():
        return [export]
    if not export.is_dir():
        return []
    found = (file for file in export.rglob("*") if file.is_file() and file.name not in _NOT_DATA)
    hidden = (file for file in found if not any(p.startswith(".") for p in file.relative_to(export).parts))
    return sorted(file for file in hidden if file.name.endswith((".ndjson", ".ndjson.gz", ".json", ".jsonl")))


def _cut(file: Path, shard_bytes: int) -> Iterator[Shard]:
    size = file.stat().st_size
    head = _beginning(file)
    may = _may_hold_conditions(file, head)
    kind = "utf-16" if head[:2] in _UTF16 else _kind(file, head)
    if kind != "plain":
        yield Shard(str(file), 0, size, kind, may)
        return
    for start in range(0, max(size, 1), shard_bytes):
        yield Shard(str(file), start, min(size, start + shard_bytes), kind, may)


def _kind(file: Path, head: bytes) -> str:
    if file.name.endswith(".gz"):
        return "gzip"
    # A .json file may still be one resource a line; a Bundle on many lines is not.
    if file.suffix != ".json":
        return "plain"
    lines = head.splitlines()
    if len(head) == _PEEKED_BYTES and len(lines) > 1:
        lines.pop()
    types = [_type(line) for line in lines if line.strip()]
    return "json" if not types or None in types or "Bundle" in types else "plain"


def _type(line: bytes) -> str | None:
    head = head_of(line)
    return head.resource_type if head is not None else None


def _beginning(file: Path) -> bytes:
    """The first bytes of a file, unpacked; as many as can be read."""
    try:
        with gzip.open(file, "rb") if file.name.endswith(".gz") else file.open("rb") as opened:
            return opened.read(_PEEKED_BYTES)
    except (EOFError, OSError, zlib.error):
        return b""


def _may_hold_conditions(file: Path, head: bytes) -> bool:
    if file.suffix == ".json" or "condition" in file.name.lower():
        return True
    types = {found for line in head.splitlines()[:-1] or [head] if (found := _type(line))}
    return not types or "Condition" in types or "Bundle" in types or len(types) > 1


def _first_lines(file: Path) -> list[bytes]:
    lines = _beginning(file).splitlines()[:50]
    return [line for line in lines if line.startswith(b"{") and line.rstrip().endswith(b"}")]


def _json_file(shard: Shard) -> Chunk:
    if shard.size > LARGEST_BUNDLE:
        return Chunk([], 0, ((0, "too-long"),))
    data = Path(shard.path).read_bytes().removeprefix(_BOM)
    if head_of(data) is None:
        return Chunk([], 0, _NO_JSON)
    try:
        return Chunk(unfolded(data), 0)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return Chunk([], 0, _NO_JSON)


def _lines(file: IO[bytes], start: int, end: int | None) -> Iterator[Chunk]:
    """Blocks of whole lines that begin in [start, end); a line that is too long is passed over."""
    reader = _Reader(file)
    position = reader.to_line(start) if start else 0
    rest = b""
    while end is None or position < end:
        block, fault = reader.read()
        data = rest + block
        cut = data.rfind(b"\n") + 1 if block else len(data)
        if end is not None and position + cut > end:
            # The last line that is ours is the one in which the shard's last byte stands.
            last = data.find(b"\n", max(0, end - 1 - position))
            cut = last + 1 if last >= 0 else (cut if not block else 0)
        if cut:
            faults = ((position + cut, fault),) if fault else ()
            yield _chunk(data[:cut], position, faults)
            position += cut
        elif fault:
            yield Chunk([], position, ((position, fault),))
        rest = data[cut:]
        if not block:
            return
        if len(rest) > LONGEST_LINE:
            yield Chunk([], position, ((position, "too-long"),))
            position = reader.over(position + len(rest))
            rest = b""


def _chunk(data: bytes, position: int, faults: tuple[tuple[int, str], ...]) -> Chunk:
    if position == 0 and data.startswith(_BOM):
        data = data.replace(_BOM, b"   ", 1)
    return Chunk(Block(data), position, faults)


class _Reader:
    """Reads a file in blocks. What a packed file breaks off with is a fault, and its end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        # A packed file that breaks off gives up what came before only to a reader that takes what there is.
        self._read = getattr(file, "read1", file.read)

    def read(self) -> tuple[bytes, str]:
        """The next block, empty at the end, and what is wrong with the file there."""
        try:
            return self._read(BLOCK_BYTES), ""
        except EOFError:
            return b"", "truncated"
        except (gzip.BadGzipFile, zlib.error):
            return b"", "not-gzip"

    def to_line(self, start: int) -> int:
        """Goes to the first line that begins at or after ``start``; returns its place."""
        self._file.seek(start - 1)
        return self.over(start - 1)

    def over(self, position: int) -> int:
        """Reads on from ``position`` until a line has ended; returns where the next begins."""
        while True:
            block, _fault = self.read()
            if not block:
                return position
            end = block.find(b"\n")
            if end >= 0:
                position += end + 1
                self._file.seek(position, os.SEEK_SET)
                return position
            position += len(block)
