"""Whether a store is what it should be: reachable, of this version, whole, and its audit trail unbroken."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field

from cds_service.store.audit import Audit
from cds_service.store.audit_chain import Seals
from cds_service.store.backup import count_rows
from cds_service.store.engines import Engines
from cds_service.store.faults import reported
from cds_service.store.migration import revision_of, revisions


@dataclass(slots=True)
class StoreReport:
    """What was found, in lines; a store with ``faults`` should not be served from."""

    lines: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def check_store(engines: Engines, audit_secret: bytes | None) -> StoreReport:
    """Looks at everything and changes nothing.

    :raises StoreUnavailable: the database cannot be read.
    """
    report = StoreReport()
    with reported("checking it"):
        found, known = revision_of(engines), revisions()
        report.lines.append(f"tables: {found or 'none'}; this version's newest: {known[-1]}")
        if found is None:
            report.faults.append("there are no tables; `relapse-cds serve` or `store migrate` makes them")
            return report
        if found in known[:-1]:
            report.lines.append("the service migrates it when it starts, or: relapse-cds store migrate")
        if engines.is_sqlite:
            report.faults.extend(f"SQLite says: {line}" for line in _sqlite_faults(engines))
        if report.faults:
            report.lines.append("a damaged file is not read further: restore a backup into a new one")
            return report
        counts = count_rows(engines)
        report.lines.extend(f"  {name}: {count}" for name, count in sorted(counts.items()))
    seals = Seals(audit_secret) if audit_secret else Seals()
    audit = Audit(engines, seals)
    trail = audit.verify()
    report.lines.append(f"audit trail: {trail.entries} entries, {trail.keyed} sealed with the secret")
    if not trail.holds:
        report.faults.append("the audit trail does not hold; see: relapse-cds audit verify")
    return report


def _sqlite_faults(engines: Engines) -> list[str]:
    with closing(engines.durable.raw_connection()) as connection:
        cursor = connection.cursor()
        rows = cursor.execute("PRAGMA integrity_check(20)").fetchall()
        cursor.close()
    return [str(row[0]) for row in rows if row[0] != "ok"]
