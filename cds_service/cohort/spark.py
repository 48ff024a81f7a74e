"""The engine of a data platform: the same three steps as tasks of Spark 4.0 to 4.3 (extra ``spark``).

Every task reads one shard by itself, because that is far quicker than lines that come through the JVM; the
files must be where all executors see them. Only lines of opened charts are shuffled, by patient. What has
no files, a table of resources, is ``spark_table``.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from cds_service.cohort.exports import Shard
from cds_service.cohort.local import Job, Outcome, Progress, Run, no_progress
from cds_service.cohort.plan import row
from cds_service.cohort.rows import Row
from cds_service.cohort.rules import RulesSource
from cds_service.cohort.stages import Collected, joined_lines, kept_lines, look
from cds_service.cohort.work_folder import WorkFolder, make_private, replacing

Line = tuple[str, bytes]


class NoSpark(Exception):
    """Spark cannot be used; the message says what is missing."""


def run_spark(run: Run, progress: Progress = no_progress) -> Outcome:
    """Everything, as tasks of the session that is there, else of one on this machine. Raises NoSpark."""
    context = session().sparkContext
    source = run.job.source
    looked = [shard for shard in run.shards if shard.may_hold_conditions]
    first = context.parallelize(looked, max(len(looked), 1)).flatMap(_looking(source))
    patients = sorted(set(first.collect()))
    progress("look", 1, 1)
    while True:
        outcome, late, lines = _collected(run, context, patients)
        if not late:
            break
        patients = sorted({*patients, *late})
    progress("collect", 1, 1)
    charts = lines.groupByKey().mapPartitions(_assessing(run.job, tuple(outcome.types)))
    outcome.rows = _kept_rows(run, charts.sortByKey().values().toLocalIterator())
    progress("rows", 1, 1)
    return outcome


def session() -> Any:
    """The Spark session. Raises NoSpark."""
    try:
        sql: Any = importlib.import_module("pyspark.sql")
    except ImportError:
        raise NoSpark("--engine spark: pyspark is not installed; install relapse-cds[spark]") from None
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        builder = sql.SparkSession.builder.appName("relapse-cds").config(
            "spark.ui.showConsoleProgress", "false"
        )
        return builder.getOrCreate()
    except Exception as fault:
        raise NoSpark(
            f"--engine spark: no session ({type(fault).__name__}); is Java 17 or newer here?"
        ) from None


def _collected(run: Run, context: Any, patients: list[str]) -> tuple[Outcome, set[str], Any]:
    """The second step: what was found, patients that come late, and the lines of all of them."""
    ids = context.broadcast(frozenset(patients))
    numbered = context.parallelize(list(enumerate(run.shards)), max(len(run.shards), 1))
    parts = numbered.flatMap(_collecting(run.job.source, ids)).persist()
    told = dict(parts.filter(lambda part: part[0] is None).values().collect())
    found = {number: msgspec.json.decode(text, type=Collected) for number, text in sorted(told.items())}
    outcome, late, named = Outcome(), set[str](), dict[str, set[str]]()
    for part in found.values():
        outcome.add(part)
        late.update(part.late)
        for key, users in part.joins.items():
            named.setdefault(key, set()).update(users)
    wanted = context.broadcast({key: sorted(users) for key, users in named.items()})
    holding = [
        run.shards[number] for number, part in found.items() if {"Medication", "Specimen"} & part.types.keys()
    ]
    joins = context.parallelize(holding, max(len(holding), 1)).flatMap(_joining(wanted))
    return outcome, late, parts.filter(lambda part: part[0] is not None).union(joins)


def _looking(source: RulesSource) -> Callable[[Shard], list[str]]:
    return lambda shard: look(shard, source.load())


def _collecting(source: RulesSource, ids: Any) -> Callable[[tuple[int, Shard]], Iterator[tuple[Any, Any]]]:
    """The lines of a shard by patient, and under None what was found in it."""

    def collect(numbered: tuple[int, Shard]) -> Iterator[tuple[Any, Any]]:
        number, shard = numbered
        lines: list[Line] = []
        told = kept_lines(
            shard, ids.value, source.load(), lambda patient, line: lines.append((patient, line))
        )
        yield from lines
        yield None, (number, msgspec.json.encode(told))

    return collect


def _joining(wanted: Any) -> Callable[[Shard], Iterator[Line]]:
    def join(shard: Shard) -> Iterator[Line]:
        named: Mapping[str, list[str]] = wanted.value
        for key, line in joined_lines(shard, named):
            for patient in named[key]:
                yield patient, line

    return join


def _assessing(job: Job, types: tuple[str, ...]) -> Callable[[Iterable[tuple[str, Any]]], Iterator[Any]]:
    def assess(charts: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[tuple[str, bytes]]:
        rules = job.source.load().with_types(types)
        for patient, lines in charts:
            # Sorted and each once, as the local engine hands them on.
            found = row(patient, sorted({line.strip() for line in lines}), job.at, rules)
            if found is not None:
                yield patient, msgspec.json.encode(found)

    return assess


def _kept_rows(run: Run, rows: Iterable[bytes]) -> Callable[[], Iterator[Row]]:
    """The rows on this machine, one a line."""
    place = WorkFolder(run.job.out).path("spark", "rows")
    make_private(place.parent)
    with replacing(place) as file:
        file.writelines(line + b"\n" for line in rows)

    def read() -> Iterator[Row]:
        with place.open("rb") as lines:
            for line in lines:
                yield msgspec.json.decode(line, type=Row)

    return read
