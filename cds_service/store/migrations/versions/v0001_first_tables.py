"""The first tables: evaluations, feedback, quiet rules, replay, audit, firings, pseudonym keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cds_service.store.column_types import Instant

revision = "0001"
down_revision = None


def upgrade() -> None:
    _cards_and_feedback()
    _callers()
    _bookkeeping()


def downgrade() -> None:
    for table in ("pseudonym_keys", "firings", "audit", "replay", "quiet", "feedback", "evaluations"):
        op.drop_table(table)


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _count(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def _cards_and_feedback() -> None:
    op.create_table(
        "evaluations",
        *_text("tenant", "card", "service", "topic", "rule_version", "digest", "evidence_key", "patient"),
        *_text("suggestions"),
        sa.Column("evaluated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "card"),
        sqlite_strict=True,
    )
    op.create_index("evaluations_by_time", "evaluations", ["evaluated_at"])
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        *_text("tenant", "service", "card", "outcome", "suggestion"),
        sa.Column("outcome_at", Instant(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        *_text("status", "topic", "rule_version"),
        *_text("reason_code", "reason_system", "reason_display", "comment"),
        sa.UniqueConstraint("tenant", "card", "outcome", "outcome_at", "suggestion", name="feedback_once"),
        sqlite_strict=True,
    )
    op.create_index("feedback_by_time", "feedback", ["received_at"])
    op.create_table(
        "quiet",
        *_text("tenant", "patient", "topic", "evidence_key"),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "patient", "topic"),
        sqlite_strict=True,
    )


def _callers() -> None:
    op.create_table(
        "replay",
        sa.Column("token", sa.Text(), primary_key=True),
        sa.Column("expires_at", Instant(), nullable=False),
        sqlite_strict=True,
    )
    op.create_index("replay_by_expiry", "replay", ["expires_at"])
    op.create_table(
        "pseudonym_keys",
        sa.Column("tenant", sa.Text(), primary_key=True),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sqlite_strict=True,
    )


def _bookkeeping() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("at", Instant(), nullable=False),
        *_text("event", "tenant", "fields", "previous", "digest"),
        sqlite_strict=True,
    )
    op.create_index("audit_by_time", "audit", ["at"])
    op.create_table(
        "firings",
        *_text("day", "tenant", "service", "rule_version", "status"),
        *_count("incomplete", "latency_ms", "calls", "calls_with_cards"),
        sa.PrimaryKeyConstraint(
            "day", "tenant", "service", "rule_version", "status", "incomplete", "latency_ms"
        ),
        sqlite_strict=True,
    )
