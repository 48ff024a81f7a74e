"""The tables, as the queries see them. The migrations build them; a test holds the two together.

No table holds a patient's identifier, name or any result. ``patient`` is a pseudonym
(see :mod:`cds_service.store.pseudonyms`). ``feedback.comment`` is the one free text, typed by a
clinician, and goes with the retention period.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from cds_service.store.column_types import Instant

metadata = MetaData()

evaluations = Table(
    "evaluations",
    metadata,
    Column("tenant", Text, nullable=False),
    Column("card", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("rule_version", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("evidence_key", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("suggestions", Text, nullable=False),
    Column("evaluated_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant", "card"),
    Index("evaluations_by_time", "evaluated_at"),
    sqlite_strict=True,
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("tenant", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("card", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("suggestion", Text, nullable=False),
    Column("outcome_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("status", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("rule_version", Text, nullable=False),
    Column("reason_code", Text, nullable=False),
    Column("reason_system", Text, nullable=False),
    Column("reason_display", Text, nullable=False),
    Column("comment", Text, nullable=False),
    UniqueConstraint("tenant", "card", "outcome", "outcome_at", "suggestion", name="feedback_once"),
    Index("feedback_by_time", "received_at"),
    sqlite_strict=True,
)

quiet = Table(
    "quiet",
    metadata,
    Column("tenant", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("evidence_key", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=True),
    PrimaryKeyConstraint("tenant", "patient", "topic"),
    sqlite_strict=True,
)

replay = Table(
    "replay",
    metadata,
    Column("token", Text, primary_key=True),
    Column("expires_at", Instant, nullable=False),
    Index("replay_by_expiry", "expires_at"),
    sqlite_strict=True,
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("event", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("fields", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Index("audit_by_time", "at"),
    sqlite_strict=True,
)

firings = Table(
    "firings",
    metadata,
    Column("day", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("rule_version", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("incomplete", Integer, nullable=False),
    Column("latency_ms", Integer, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("calls_with_cards", Integer, nullable=False),
    PrimaryKeyConstraint("day", "tenant", "service", "rule_version", "status", "incomplete", "latency_ms"),
    sqlite_strict=True,
)

silent_counts = Table(
    "silent_counts",
    metadata,
    Column("day", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("rule_version", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("calls", Integer, nullable=False),
    PrimaryKeyConstraint("day", "tenant", "service", "rule_version", "topic"),
    sqlite_strict=True,
)

trial_answers = Table(
    "trial_answers",
    metadata,
    Column("source", Text, primary_key=True),
    Column("fetched_at", Instant, nullable=False),
    Column("origin", Text, nullable=False),
    Column("studies", LargeBinary, nullable=False),
    sqlite_strict=True,
)

pseudonym_keys = Table(
    "pseudonym_keys",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("key", LargeBinary, nullable=False),
    sqlite_strict=True,
)
