"""The seals of the audit trail, and whether a trail still is what was written.

Each row is sealed with the seal of the row before, so that a row that is changed, moved, added or taken out
shows. With a secret that the database does not hold, nobody who can only write to the database can seal
anew. What a chain alone cannot show is that its newest rows are gone: the log names the newest seal every
hour, and ``verify`` takes such a seal as ``head``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

START = "0" * 64
"""What the first row of a trail follows."""

PURGED = "trail-purged"
"""The event that tells which rows the service itself forgot; only then may a trail begin in the middle."""

FIRST_KEPT = "firstKept"
MOST_BREAKS = 20
"""More broken rows than this are not named one by one."""

_KEYED = "hmac-sha256"

Field = str | int | float | bool


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One event. ``fields`` come from the caller's allow-list: no patient id, token or free text."""

    at: datetime
    event: str
    tenant: str
    fields: Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """An entry as it stands in the trail. ``digest`` is its seal: hexadecimal SHA-256, or
    ``hmac-sha256:KEY:HEX`` with the name of the key."""

    id: int
    entry: AuditEntry
    previous: str
    digest: str

    @property
    def key(self) -> str:
        """The name of the key that sealed it; empty where none did."""
        kind, _, rest = self.digest.partition(":")
        return rest.partition(":")[0] if kind == _KEYED else ""


class Seals:
    """Makes seals with the first secret, or without a key where there is none; knows those of all secrets."""

    def __init__(self, *secrets: bytes) -> None:
        keys = [hmac.digest(secret, b"relapse-cds audit trail", "sha256") for secret in secrets]
        self._keys = {hmac.digest(key, b"name", "sha256").hex()[:16]: key for key in keys}
        self._name = next(iter(self._keys), "")

    @property
    def has_key(self) -> bool:
        """Whether new rows are sealed with a key."""
        return bool(self._name)

    def make(self, entry: AuditEntry, previous: str) -> str:
        """The seal of an entry that follows the one sealed ``previous``."""
        return self._made(self._name, entry, previous)

    def knows(self, key: str) -> bool:
        """Whether rows that this key sealed can be checked; rows without a key always can."""
        return not key or key in self._keys

    def fits(self, sealed: SealedEntry) -> bool:
        """Whether the row's seal belongs to its content and to the row that it says it follows."""
        if not self.knows(sealed.key):
            return False
        return hmac.compare_digest(self._made(sealed.key, sealed.entry, sealed.previous), sealed.digest)

    def _made(self, name: str, entry: AuditEntry, previous: str) -> str:
        moment = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
        text = json.dumps([previous, moment, entry.event, entry.tenant, canonical(entry.fields)]).encode()
        if not name:
            return hashlib.sha256(text).hexdigest()
        return f"{_KEYED}:{name}:{hmac.digest(self._keys[name], text, 'sha256').hex()}"


@dataclass(frozen=True, slots=True)
class Break:
    """A row at which the trail does not hold. ``reason`` is ``changed``, ``row-before-missing``,
    ``unknown-key``, ``sealed-without-key`` or ``beginning-missing``."""

    id: int
    reason: str


@dataclass(slots=True)
class AuditReport:
    """What a check of a whole trail found."""

    entries: int = 0
    keyed: int = 0
    """Rows that a known key sealed; all others could be rewritten by whoever can write to the database."""
    head: str = ""
    """The seal of the newest row."""
    head_found: bool | None = None
    """Whether the seal that was asked for stands in the trail; None where none was."""
    breaks: list[Break] = field(default_factory=list)
    """The first broken rows, at most twenty."""
    broken: int = 0

    @property
    def holds(self) -> bool:
        """Nothing was changed, added or taken out, as far as a chain can tell."""
        return self.broken == 0 and self.head_found is not False

    def add(self, id_: int, reason: str) -> None:
        """Notes a broken row."""
        self.broken += 1
        if len(self.breaks) < MOST_BREAKS:
            self.breaks.append(Break(id_, reason))


def verify(
    trail: Iterable[SealedEntry], seals: Seals, head: str = "", unkeyed_until: datetime | None = None
) -> AuditReport:
    """Checks a trail from its oldest row.

    ``head`` is a seal seen earlier, for example in the log; it must still be there. Rows without a key are
    taken before the first keyed one, or up to ``unkeyed_until``: workers of a version that knew no key.
    """
    report = AuditReport(head_found=False if head else None)
    first: SealedEntry | None = None
    last: SealedEntry | None = None
    purged_to: list[int] = []
    for sealed in trail:
        first = first or sealed
        report.entries += 1
        for reason in _faults(sealed, last, seals, report.keyed > 0, unkeyed_until):
            report.add(sealed.id, reason)
        report.keyed += bool(sealed.key) and seals.knows(sealed.key)
        if sealed.digest == head:
            report.head_found = True
        if sealed.entry.event == PURGED and seals.fits(sealed):
            purged_to.append(int(sealed.entry.fields.get(FIRST_KEPT, 0)))
        last = sealed
    if first and first.previous != START and not _may_begin(first, purged_to):
        report.add(first.id, "beginning-missing")
    if last and seals.has_key and not report.keyed and _needs_key(last, unkeyed_until):
        # A whole trail may have been replaced by one that needed no key.
        report.add(last.id, "sealed-without-key")
    report.head = last.digest if last else ""
    return report


def _faults(
    sealed: SealedEntry,
    last: SealedEntry | None,
    seals: Seals,
    keyed_before: bool,
    unkeyed_until: datetime | None,
) -> Sequence[str]:
    faults = []
    if not seals.knows(sealed.key):
        faults.append("unknown-key")
    elif not seals.fits(sealed):
        faults.append("changed")
    if not sealed.key and keyed_before and _needs_key(sealed, unkeyed_until):
        faults.append("sealed-without-key")
    if last is not None and sealed.previous != last.digest:
        faults.append("row-before-missing")
    return faults


def _needs_key(sealed: SealedEntry, unkeyed_until: datetime | None) -> bool:
    return unkeyed_until is None or sealed.entry.at > unkeyed_until


def _may_begin(first: SealedEntry, purged_to: Sequence[int]) -> bool:
    """Whether the service itself forgot what stood before. Versions that sealed without a key did not say."""
    return first.id == max(purged_to, default=0) or (not first.key and not purged_to)


def canonical(fields: Mapping[str, Field]) -> str:
    """The one spelling of an entry's fields, which is sealed and stored."""
    return json.dumps(dict(fields), sort_keys=True, separators=(",", ":"))
