"""Which topic stays quiet for which patient, until when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from cds_service.store.engines import Engines
from cds_service.store.faults import reported
from cds_service.store.tables import quiet


@dataclass(frozen=True, slots=True)
class QuietRule:
    """A topic is quiet for a patient while its evidence is ``evidence_key`` and it is before ``until``.

    ``until`` None: until the evidence changes. ``since``: the moment of the user's action; of two rules
    for one topic and patient the later action counts, in whatever order they arrive.
    """

    tenant: str
    patient: str
    topic: str
    evidence_key: str
    since: datetime
    until: datetime | None


_RULES = select(*(quiet.c[part.name] for part in fields(QuietRule))).where(
    quiet.c.tenant == bindparam("tenant"), quiet.c.patient == bindparam("patient")
)
"""Built once: every call that shows cards asks for them."""


class Quiet:
    """The quiet rules, by tenant, patient pseudonym and topic."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def is_quiet(
        self, tenant: str, patient_pseudonym: str, topic: str, evidence_key: str, at: datetime
    ) -> bool:
        """Whether a user has dealt with this topic on this very evidence and the time is not yet over.

        :raises StoreUnavailable: unknown; show the card.
        """
        rule = self.rules(tenant, patient_pseudonym).get(topic)
        return (
            rule is not None and rule.evidence_key == evidence_key and (rule.until is None or at < rule.until)
        )

    def rules(self, tenant: str, patient_pseudonym: str) -> dict[str, QuietRule]:
        """All rules for one patient, by topic.

        :raises StoreUnavailable: the store could not be read.
        """
        wanted = {"tenant": tenant, "patient": patient_pseudonym}
        with reported("reading quiet rules"), self._engines.reading() as connection:
            return {rule.topic: QuietRule(*rule) for rule in connection.execute(_RULES, wanted).all()}

    def purge(self, at: datetime, before: datetime) -> int:
        """Forgets rules whose time is over, and those made before ``before``; returns how many."""
        over = or_(quiet.c.until <= at, quiet.c.since < before)
        with reported("purging quiet rules"), self._engines.writing() as connection:
            return connection.execute(delete(quiet).where(over)).rowcount


def keep_quiet(connection: Connection, rules: Sequence[QuietRule]) -> None:
    """Writes the rules inside a transaction of the caller; an earlier action never undoes a later one."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(quiet)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=[quiet.c.tenant, quiet.c.patient, quiet.c.topic],
        set_={"evidence_key": new.evidence_key, "since": new.since, "until": new.until},
        where=quiet.c.since <= new.since,
    )
    # One by one: two rules of one batch may concern the same topic.
    for rule in rules:
        connection.execute(statement, asdict(rule))
