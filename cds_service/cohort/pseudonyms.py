"""Rows under pseudonyms: every id is the HMAC, under the tenant's key, of the id in the EHR."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from cds_service.cohort.rows import Row
from cds_service.cohort.site import Site
from cds_service.cohort.work_folder import replacing

SHOWN = 32
"""Hexadecimal digits of a pseudonym that are written: 128 bits."""


@dataclass(frozen=True, slots=True)
class Pseudonymiser:
    """Renames the patients and the records of rows."""

    of_patient: Callable[[str], str]

    @classmethod
    def of(cls, site: Site) -> Pseudonymiser:
        """With the tenant's key in the service's store. Raises Unusable without a configuration."""
        store = site.store()
        tenant = site.tenant.id if site.tenant else "none"
        store.pseudonym(tenant, "")
        return cls(lambda text: store.pseudonym(tenant, text)[:SHOWN])

    def rows(self, rows: Iterable[Row], key_table: Path | None) -> Iterator[Row]:
        """The rows under pseudonyms and in their order, so that nothing tells the order of the ids."""
        # Encoded rows are small; only charts with ALL have one.
        packed: dict[str, bytes] = {}
        names: list[tuple[str, str]] = []
        for row in rows:
            name = self.of_patient(row.patient)
            evidence = tuple(self._record(reference) for reference in row.evidence)
            packed[name] = msgspec.msgpack.encode(
                msgspec.structs.replace(row, patient=name, evidence=evidence)
            )
            names.append((name, row.patient))
        if key_table is not None:
            _write_keys(sorted(names), key_table)
        for name in sorted(packed):
            yield msgspec.msgpack.decode(packed[name], type=Row)

    def _record(self, reference: str) -> str:
        kind, _slash, _identifier = reference.partition("/")
        return f"{kind}/{self.of_patient(reference)}"


def _write_keys(names: Iterable[tuple[str, str]], path: Path) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("pseudonym", "patient"))
    writer.writerows(names)
    with replacing(path) as file:
        file.write(text.getvalue().encode())
