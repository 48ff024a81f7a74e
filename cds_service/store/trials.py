"""The last answer of a registry of trials, so that all workers and hosts show the same list."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from cds_service.store.engines import Engines
from cds_service.store.faults import reported
from cds_service.store.tables import trial_answers


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """An answer as it was received. ``studies`` is a JSON array; ``origin`` is ``api`` or ``file``."""

    source: str
    fetched_at: datetime
    origin: str
    studies: bytes


class TrialAnswers:
    """One answer for each source. Nothing in it is about a patient."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def find(self, source: str) -> TrialRecord | None:
        """The answer kept for ``source``; None where there is none.

        :raises StoreUnavailable: the store could not be read.
        """
        query = select(trial_answers).where(trial_answers.c.source == source)
        with reported("reading a list of trials"), self._engines.reading() as connection:
            row = connection.execute(query).mappings().first()
        return TrialRecord(**row) if row is not None else None

    def keep(self, record: TrialRecord) -> None:
        """Puts the answer in place of the one before.

        :raises StoreUnavailable: the one before is still there.
        """
        dialect = sqlite if self._engines.is_sqlite else postgresql
        statement = dialect.insert(trial_answers)
        new = statement.excluded
        statement = statement.on_conflict_do_update(
            index_elements=[trial_answers.c.source],
            set_={"fetched_at": new.fetched_at, "origin": new.origin, "studies": new.studies},
        )
        with reported("keeping a list of trials"), self._engines.writing() as connection:
            connection.execute(statement, asdict(record))
