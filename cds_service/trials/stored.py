"""The registry's last good answer in the store of the service, shared by its workers and hosts."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from cds_service.store import Store, StoreUnavailable, TrialRecord
from cds_service.trials.cache import CachedAnswer

SOURCE = "registry"

_studies = msgspec.json.Decoder(list[Raw])


class StoredTrialCache:
    """A ``TrialCache`` in the store. While the store cannot be read, the answer read last stands."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: CachedAnswer | None = None

    def load(self) -> CachedAnswer | None:
        """The answer in the store."""
        try:
            record = self._store.trials.find(SOURCE)
            if record is not None:
                studies = tuple(bytes(raw) for raw in _studies.decode(record.studies))
                self._last = CachedAnswer(record.fetched_at, record.origin, studies)
        except (StoreUnavailable, msgspec.DecodeError):
            pass
        return self._last

    def save(self, answer: CachedAnswer) -> None:
        """Keep ``answer`` in place of the one before. Raises OSError when the store cannot be written."""
        studies = msgspec.json.encode([Raw(record) for record in answer.records])
        try:
            self._store.trials.keep(TrialRecord(SOURCE, answer.fetched_at, answer.origin, studies))
        except StoreUnavailable as fault:
            raise OSError(str(fault)) from None
        self._last = answer
