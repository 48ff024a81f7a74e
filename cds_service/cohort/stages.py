"""One part of the work of a run: one shard looked at, one shard kept, one bucket of patients assessed.

Each part reads files and leaves one result; which process or machine does it is the engine's business.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from cds_service.cohort.exports import Chunk, Shard, chunks
from cds_service.cohort.kept_lines import KeptLines, read_bucket
from cds_service.cohort.plan import LineFault, candidates, joined, kept, row
from cds_service.cohort.rows import Row
from cds_service.cohort.rules import Rules
from cds_service.cohort.work_folder import make_private, replacing

MOST_FAULTS = 1_000
"""Named faults of one shard; what goes beyond is counted."""


class FileFault(msgspec.Struct, frozen=True, order=True, omit_defaults=True):
    """Something that was not understood or not used: where it stands, and why."""

    file: str
    offset: int
    why: str
    resource_type: str = ""
    patient: str = ""


class Collected(msgspec.Struct):
    """What the second step found in a shard. ``joins``: a resource of nobody -> the buckets that name it."""

    types: dict[str, int]
    late: list[str]
    joins: dict[str, list[str]]
    faults: list[FileFault]
    fault_count: int


class _Faults:
    def __init__(self, path: str) -> None:
        self._path = path
        self.named: list[FileFault] = []
        self.count = 0

    def add(self, chunk: Chunk, faults: Iterable[LineFault]) -> None:
        """Notes the faults of a chunk: of its lines, and of the file after them."""
        for fault in faults:
            self._note(FileFault(self._path, chunk.place(fault), fault.why, fault.resource_type))
        for offset, why in chunk.faults:
            self._note(FileFault(self._path, offset, why))

    def _note(self, fault: FileFault) -> None:
        self.count += 1
        if len(self.named) < MOST_FAULTS:
            self.named.append(fault)


def look(shard: Shard, rules: Rules) -> list[str]:
    """The first step over one shard: the patients, sorted. Faults are named by the second step."""
    patients: set[str] = set()
    for chunk in chunks(shard):
        patients |= candidates(chunk.lines, rules)
    return sorted(patients)


def kept_lines(
    shard: Shard, ids: Collection[str], rules: Rules, keep: Callable[[str, bytes], None]
) -> Collected:
    """The second step over one shard; ``keep`` is given each line with its patient."""
    types: Counter[str] = Counter()
    late: set[str] = set()
    joins: dict[str, set[str]] = {}
    faults = _Faults(shard.path)
    for chunk in chunks(shard):
        found = kept(chunk.lines, ids, rules)
        for patient, own in found.lines.items():
            for line in own:
                keep(patient, line)
        for key, patients in found.joins.items():
            joins.setdefault(key, set()).update(patients)
        types.update(found.types)
        faults.add(chunk, found.faults)
        if "Condition" in found.types and not shard.may_hold_conditions:
            late |= candidates(chunk.lines, rules)
    named = {key: sorted(patients) for key, patients in sorted(joins.items())}
    unseen = sorted(patient for patient in late if patient not in ids)
    return Collected(dict(sorted(types.items())), unseen, named, faults.named, faults.count)


def joined_lines(shard: Shard, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """The Medications and Specimens of one shard that kept lines refer to."""
    for chunk in chunks(shard):
        yield from joined(chunk.lines, wanted)


def collect(shard: Shard, buckets: Mapping[str, int], rules: Rules, into: Path) -> Collected:
    """The second step over one shard; the lines go to the file ``into``."""
    make_private(into.parent)
    with replacing(into) as file:
        lines = KeptLines(file, buckets)
        told = kept_lines(shard, buckets, rules, lines.add)
        lines.flush()
    return told


def collect_joined(
    shard: Shard, buckets: Mapping[str, int], wanted: Mapping[str, list[str]], into: Path
) -> None:
    """What kept lines refer to in one shard, for each patient whose lines do; it goes to ``into``."""
    make_private(into.parent)
    with replacing(into) as file:
        lines = KeptLines(file, buckets)
        for key, line in joined_lines(shard, wanted):
            for patient in wanted[key]:
                lines.add(patient, line)
        lines.flush()


def charts_of(bucket: int, count: int, kept_files: Iterable[Path]) -> Iterator[tuple[str, list[bytes]]]:
    """The patients of one bucket with their lines, both sorted: nothing depends on files or engine."""
    charts: dict[str, set[bytes]] = {}
    for path in kept_files:
        for patient, line in read_bucket(path, bucket, count):
            charts.setdefault(patient, set()).add(line)
    for patient in sorted(charts):
        yield patient, sorted(charts[patient])


def assess_bucket(
    bucket: int, count: int, kept_files: Iterable[Path], at: datetime, rules: Rules
) -> list[Row]:
    """The third step over the patients of one bucket."""
    rows = (row(patient, lines, at, rules) for patient, lines in charts_of(bucket, count, kept_files))
    return [found for found in rows if found is not None]
