"""The engine of one machine: processes over shards of the files, nothing held but a shard.

Whatever was done stays done: every part leaves its file, and a run that was stopped goes on from there.
"""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from cds_service.cohort.exports import Shard
from cds_service.cohort.kept_lines import buckets_of
from cds_service.cohort.rows import Row
from cds_service.cohort.rules import RulesSource
from cds_service.cohort.stages import Collected, FileFault, assess_bucket, collect, collect_joined, look
from cds_service.cohort.work_folder import WorkFolder, whole_files

MOST_JOINED = 200_000
"""References that are looked up in one pass over the Medications and Specimens."""

Progress = Callable[[str, int, int], None]
"""Told the stage, and how many of how many bytes or charts are done."""


def no_progress(_stage: str, _done: int, _whole: int) -> None:
    """Nobody is watching."""


@dataclass(frozen=True, slots=True)
class Job:
    """What every process must know: by which rules, as of when, and where the work is kept."""

    source: RulesSource
    at: datetime
    out: Path


@dataclass(frozen=True, slots=True)
class Run:
    """One run over an export."""

    shards: tuple[Shard, ...]
    job: Job
    workers: int = 2


@dataclass(slots=True)
class Outcome:
    """What a run found. The rows are read from the work folder, one bucket at a time."""

    types: Counter[str] = field(default_factory=Counter)
    faults: list[FileFault] = field(default_factory=list)
    fault_count: int = 0
    rows: Callable[[], Iterator[Row]] = lambda: iter(())

    def add(self, part: Collected) -> None:
        """Adds what was found in one shard."""
        self.types.update(part.types)
        self.faults.extend(part.faults)
        self.fault_count += part.fault_count


@dataclass(frozen=True, slots=True)
class Gathered:
    """The charts of the patients whose chart opens, on disk, and what was found on the way."""

    patients: list[str]
    outcome: Outcome
    files: list[str]
    buckets: int

    @property
    def types(self) -> tuple[str, ...]:
        """The resource types that the export holds."""
        return tuple(sorted(self.outcome.types))


def run_local(run: Run, progress: Progress = no_progress) -> Outcome:
    """Everything, from the first look to the rows. Raises OSError for a disk that fails."""
    work = WorkFolder(run.job.out)
    with processes(run) as pool:
        gathered = gather(run, work, pool, progress)
        stage = stage_of("rows", gathered.patients)
        read = each_bucket(stage, _assess, run.job, gathered, work, pool, progress)
    gathered.outcome.rows = lambda: (row for name in read for row in work.read(stage, name, list[Row]))
    return gathered.outcome


def gather(run: Run, work: WorkFolder, pool: Executor | None, progress: Progress) -> Gathered:
    """The first two steps. Raises OSError."""
    patients = _looked(run, work, pool, progress)
    while True:
        found = _collected(run, work, pool, progress, patients)
        late = {patient for part in found for patient in part.late} - set(patients)
        if not late:
            break
        # Conditions stood where nobody looked for them: once more, with their patients.
        patients = sorted({*patients, *late})
    _join(run, work, pool, progress, found, patients)
    lines = [work.place / stage_of(name, patients) / "lines" for name in ("collect", "join")]
    files = sorted(str(file) for folder in lines if folder.is_dir() for file in whole_files(folder))
    buckets = max(buckets_of(patients).values(), default=-1) + 1
    return Gathered(patients, _outcome(found), files, buckets)


def each_bucket(
    stage: str,
    function: Callable[..., None],
    job: Job,
    gathered: Gathered,
    work: WorkFolder,
    pool: Executor | None,
    progress: Progress,
) -> list[str]:
    """The third step: ``function`` over every bucket of charts; returns the names of the results."""
    if not work.path(stage, "files").exists():
        work.write(stage, "files", gathered.files)
    tasks = {
        str(number): (1, (function, job, stage, (number, gathered.buckets), gathered.types))
        for number in range(gathered.buckets)
    }
    do_all(stage, tasks, work, pool, progress)
    return list(tasks)


def _outcome(found: Sequence[Collected]) -> Outcome:
    outcome = Outcome()
    for part in found:
        outcome.add(part)
    return outcome


def stage_of(name: str, patients: Sequence[str]) -> str:
    """A stage whose results hold for a list of patients only."""
    return f"{name}-{len(patients)}"


def _looked(run: Run, work: WorkFolder, pool: Executor | None, progress: Progress) -> list[str]:
    shards = [(str(number), shard) for number, shard in enumerate(run.shards) if shard.may_hold_conditions]
    tasks = {name: (shard.size, (_look, run.job, name, shard)) for name, shard in shards}
    do_all("look", tasks, work, pool, progress)
    return sorted({patient for name in tasks for patient in work.read("look", name, list[str])})


def _collected(
    run: Run, work: WorkFolder, pool: Executor | None, progress: Progress, patients: list[str]
) -> list[Collected]:
    stage = stage_of("collect", patients)
    _write_patients(work, stage, patients)
    tasks = {
        str(number): (shard.size, (_collect, run.job, stage, str(number), shard))
        for number, shard in enumerate(run.shards)
    }
    do_all(stage, tasks, work, pool, progress)
    return [work.read(stage, name, Collected) for name in tasks]


def _write_patients(work: WorkFolder, stage: str, patients: list[str]) -> None:
    if not work.path(stage, "patients").exists():
        work.write(stage, "patients", patients)


def _join(
    run: Run,
    work: WorkFolder,
    pool: Executor | None,
    progress: Progress,
    found: Sequence[Collected],
    patients: Sequence[str],
) -> None:
    """The Medications and Specimens that the kept lines name, from the shards that hold any."""
    named: dict[str, set[str]] = {}
    for part in found:
        for key, users in part.joins.items():
            named.setdefault(key, set()).update(users)
    stage, collected = stage_of("join", patients), stage_of("collect", patients)
    keys = sorted(named)
    holding = [
        (number, run.shards[number])
        for number, part in enumerate(found)
        if "Medication" in part.types or "Specimen" in part.types
    ]
    for first in range(0, len(keys), MOST_JOINED):
        wanted = f"wanted-{first}"
        if not work.path(stage, wanted).exists():
            names = {key: sorted(named[key]) for key in keys[first : first + MOST_JOINED]}
            work.write(stage, wanted, names)
        tasks = {
            f"{number}-{first}": (
                shard.size,
                (_join_shard, run.job, (stage, collected), wanted, (number, shard)),
            )
            for number, shard in holding
        }
        do_all(stage, tasks, work, pool, progress)


def do_all(
    stage: str,
    tasks: Mapping[str, tuple[int, tuple[Any, ...]]],
    work: WorkFolder,
    pool: Executor | None,
    progress: Progress,
) -> None:
    """Does what was not done yet. A task is its size and a function with its arguments."""
    done = sum(size for name, (size, _call) in tasks.items() if work.path(stage, name).exists())
    whole = sum(size for size, _call in tasks.values())
    progress(stage.partition("-")[0], done, whole)
    open_tasks = {name: task for name, task in tasks.items() if not work.path(stage, name).exists()}
    for size in _results(open_tasks, pool):
        done += size
        progress(stage.partition("-")[0], done, whole)


def _results(tasks: Mapping[str, tuple[int, tuple[Any, ...]]], pool: Executor | None) -> Iterator[int]:
    if pool is None:
        for size, (function, *arguments) in tasks.values():
            function(*arguments)
            yield size
        return
    running: dict[Future[None], int] = {
        pool.submit(function, *arguments): size for size, (function, *arguments) in tasks.values()
    }
    try:
        for future in as_completed(running):
            future.result()
            yield running.pop(future)
    finally:
        for future in running:
            future.cancel()


@contextmanager
def processes(run: Run) -> Iterator[Executor | None]:
    """The processes of a run; None where this one does the work."""
    if run.workers <= 1:
        yield None
        return
    # Started fresh: a fork of a process with threads may hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(run.workers, mp_context=context) as pool:
        yield pool


def _look(job: Job, name: str, shard: Shard) -> None:
    WorkFolder(job.out).write("look", name, look(shard, job.source.load()))


def _collect(job: Job, stage: str, name: str, shard: Shard) -> None:
    work = WorkFolder(job.out)
    into = work.path(stage, "lines") / name
    work.write(stage, name, collect(shard, _buckets(work.place, stage), job.source.load(), into))


def _join_shard(job: Job, stages: tuple[str, str], wanted: str, numbered: tuple[int, Shard]) -> None:
    work, (stage, collected), (number, shard) = WorkFolder(job.out), stages, numbered
    name = f"{number}-{wanted.rpartition('-')[2]}"
    into = work.path(stage, "lines") / f"join-{name}"
    collect_joined(shard, _buckets(work.place, collected), _wanted(work.place, stage, wanted), into)
    work.write(stage, name, None)


def _assess(job: Job, stage: str, bucket: tuple[int, int], types: tuple[str, ...]) -> None:
    work, (number, count) = WorkFolder(job.out), bucket
    rules = job.source.load().with_types(types)
    work.write(stage, str(number), assess_bucket(number, count, kept_files(work, stage), job.at, rules))


def kept_files(work: WorkFolder, stage: str) -> list[Path]:
    """The files of kept lines that a stage reads."""
    return [Path(name) for name in _files(work.place, stage)]


@lru_cache(maxsize=1)
def _buckets(place: Path, stage: str) -> dict[str, int]:
    return buckets_of(WorkFolder(place.parent).read(stage, "patients", list[str]))


@lru_cache(maxsize=1)
def _wanted(place: Path, stage: str, name: str) -> dict[str, list[str]]:
    return WorkFolder(place.parent).read(stage, name, dict[str, list[str]])


@lru_cache(maxsize=1)
def _files(place: Path, stage: str) -> list[str]:
    return WorkFolder(place.parent).read(stage, "files", list[str])
