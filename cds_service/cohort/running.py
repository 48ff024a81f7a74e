"""One run from the order to its files: configuration, engine, results, audit."""

from __future__ import annotations

import argparse
import errno
import getpass
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from cds_service.cohort import summary as summaries
from cds_service.cohort.exports import SHARD_BYTES, Shard, UnusableExport, check_version, shards_of
from cds_service.cohort.local import Job, Outcome, Progress, Run, run_local
from cds_service.cohort.progress import shown
from cds_service.cohort.pseudonyms import Pseudonymiser
from cds_service.cohort.report import report_html
from cds_service.cohort.results import NoParquet, has_parquet, write_errors, write_json, write_rows
from cds_service.cohort.rows import Row
from cds_service.cohort.rules import Rules, RulesSource
from cds_service.cohort.site import Site, Unusable, site_of
from cds_service.cohort.work_folder import AnotherRun, WorkFolder, make_private, remove_halves, replacing
from fhir_mappings.assess import KnowledgeError


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for on the command line."""

    command: str
    export: Path
    out: Path
    at: datetime
    site: Site
    bases: tuple[str, ...] = ()
    workers: int = 2
    resume: bool = False
    pseudonyms: bool = False
    key_table: Path | None = None
    small_cells: bool = False

    @classmethod
    def of(cls, args: argparse.Namespace, command: str, at: datetime) -> Order:
        """The order of a command. Raises Unusable."""
        if args.out is None:
            raise Unusable("--out: name the folder for the results")
        if args.key_table and not args.pseudonyms:
            raise Unusable("--key-table: only with --pseudonyms")
        return cls(
            command=command,
            export=Path(args.export),
            out=args.out,
            at=at,
            site=site_of(args.config, args.tenant),
            bases=tuple(args.base),
            workers=args.workers,
            resume=args.resume,
            pseudonyms=args.pseudonyms,
            key_table=args.key_table,
            small_cells=args.small_cells,
        )

    @property
    def source(self) -> RulesSource:
        """The rules of this order."""
        return RulesSource.of(self.site.settings, self.site.tenant, self.bases)


@dataclass(frozen=True, slots=True)
class Told:
    """What a run leaves."""

    summary: dict[str, Any]


def run_cohort(order: Order, *, engine: str = "local", parquet: bool = False) -> Told:
    """Runs an order and writes its files. Raises Unusable with a line that says what to do."""
    if parquet and not has_parquet():
        raise Unusable("--parquet: pyarrow is not installed; install relapse-cds[parquet]")
    with telling_faults(order):
        rules, shards, work = begun(order, engine)
        with shown() as progress:
            outcome = _engine(engine)(
                Run(tuple(shards), Job(order.source, order.at, order.out), order.workers), progress
            )
        content = _written(order, rules, outcome, parquet=parquet)
        note_run(order, content["patients"], content["opened"], content["errors"])
        work.remove()
    return Told(content)


def begun(order: Order, engine: str) -> tuple[Rules, list[Shard], WorkFolder]:
    """The rules, the shards, and the work folder of a run that begins or goes on."""
    rules = order.source.load()
    shards = shards_of(order.export, SHARD_BYTES)
    check_version(shards)
    make_private(order.out)
    order.out.chmod(0o700)
    work = WorkFolder(order.out)
    if order.resume:
        remove_halves(order.out)
    work.begin(_identity(order, rules, shards, engine), resume=order.resume)
    return rules, shards, work


def _engine(name: str) -> Callable[[Run, Progress], Outcome]:
    if name == "local":
        return run_local
    from cds_service.cohort.spark import NoSpark, run_spark

    def run(what: Run, progress: Progress) -> Outcome:
        try:
            return run_spark(what, progress)
        except NoSpark as fault:
            raise Unusable(str(fault)) from None

    return run


def _identity(order: Order, rules: Rules, shards: list[Shard], engine: str) -> dict[str, Any]:
    """What must be the same for a run to be gone on with."""
    stats = [(shard.path, shard.start, shard.end, Path(shard.path).stat().st_mtime_ns) for shard in shards]
    return {
        "command": order.command,
        "engine": engine,
        "at": order.at.isoformat(),
        "shards": hashlib.sha256(repr(stats).encode()).hexdigest(),
        "rules": order.source.digest,
        "knowledge": rules.knowledge.digest,
        "software": software_version(),
    }


def _written(order: Order, rules: Rules, outcome: Outcome, *, parquet: bool) -> dict[str, Any]:
    rows: Iterator[Row] = outcome.rows()
    if order.pseudonyms:
        rows = Pseudonymiser.of(order.site).rows(rows, order.key_table)
    summary = write_rows(rows, order.out, parquet=parquet)
    faults = outcome.faults
    write_errors(faults, order.out)
    content = summaries.as_json(summary, stamp(order, rules), outcome.types, outcome.fault_count)
    write_json(content, order.out / "summary.json")
    page = report_html(content, rules.knowledge, software_version(), small_cells=order.small_cells)
    with replacing(order.out / "report.html") as file:
        file.write(page.encode())
    return content


def stamp(order: Order, rules: Rules) -> dict[str, Any]:
    """As of when, and by which knowledge."""
    knowledge = rules.knowledge
    return {
        "at": order.at.astimezone(rules.zone).isoformat().replace("+00:00", "Z"),
        "knowledge": {
            "disease": knowledge.disease,
            "version": knowledge.version,
            "digest": knowledge.digest,
            "review": knowledge.review,
        },
        "software": software_version(),
        "rules": order.source.digest,
    }


def note_run(order: Order, patients: int, rows: int, errors: int) -> None:
    """The audit entry of a run: who, when, what, how many. Nothing of it names a patient."""
    fields: dict[str, str | int | float | bool] = {
        "user": getpass.getuser(),
        "asOf": order.at.isoformat(),
        "patients": patients,
        "rows": rows,
        "errors": errors,
        "pseudonyms": order.pseudonyms,
    }
    order.site.note(order.command, datetime.now(UTC), fields, order.out)


@contextmanager
def telling_faults(order: Order) -> Iterator[None]:
    """Faults of the export, of the folder and of the disk, as one line that says what to do."""
    try:
        yield
    except UnusableExport as fault:
        raise Unusable(str(fault)) from None
    except AnotherRun as fault:
        raise Unusable(f"{order.out}: {fault}") from None
    except KnowledgeError as fault:
        raise Unusable(f"the knowledge cannot be used:\n{fault}") from None
    except NoParquet as fault:
        raise Unusable(str(fault)) from None
    except OSError as fault:
        place = fault.filename or order.out
        if fault.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Unusable(f"{order.out}: the disk is full; make room and go on with --resume") from None
        raise Unusable(f"{place}: {fault.strerror or 'cannot be read or written'}") from None


def software_version() -> str:
    """The version of the installed distribution."""
    try:
        return version("relapse-cds")
    except PackageNotFoundError:
        return "not-installed"
